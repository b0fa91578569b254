#!/usr/bin/env bash
# sqlx-prepare.sh:         writes .sqlx anew: what the database says of every query in the store adapter.
# sqlx-prepare.sh --check: writes it to a temporary folder and fails when it differs from the committed one.
# The query macros write these files themselves while they compile, so no further tool is needed.
# shellcheck source=.setup/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

work=$(mktemp -d /tmp/panel-sqlx.XXXXXX)
chmod 0755 "$work"
cleanup() { "$SETUP/test-postgres.sh" stop "$work/pg" >/dev/null 2>&1 || true; rm -rf "$work"; }
trap cleanup EXIT

superuser=$("$SETUP/test-postgres.sh" start "$work/pg")
psql=$(command -v psql || find /usr/lib/postgresql -name psql -path '*/bin/*' | sort -V | tail -n 1)
[ -n "$psql" ] || fail "psql is missing: run 'apt-get install postgresql-client', then run this again."
for migration in "$ROOT"/migrations/*.sql; do
  "$psql" --no-psqlrc --quiet --set ON_ERROR_STOP=1 --single-transaction --dbname "$superuser" --file "$migration" >&2 ||
    fail "$migration does not apply."
done

# The macros run only when the crate is compiled, and cargo does not see that the database changed.
mkdir "$work/sqlx"
touch "$ROOT/server/adapters/store/src/lib.rs"
(cd "$ROOT" && DATABASE_URL="$superuser" SQLX_OFFLINE=false SQLX_OFFLINE_DIR="$work/sqlx" \
  cargo check --quiet --package adapter-store) || fail "The queries do not fit the migrations."
# The next ordinary build must read the files, not remember the database.
touch "$ROOT/server/adapters/store/src/lib.rs"

if [ "${1:-}" = --check ]; then
  diff --recursive --brief "$ROOT/.sqlx" "$work/sqlx" >&2 ||
    fail "The committed query data is out of date: run .setup/sqlx-prepare.sh and commit .sqlx."
else
  rm -rf "$ROOT/.sqlx"
  mkdir "$ROOT/.sqlx"
  cp "$work/sqlx"/*.json "$ROOT/.sqlx/"
fi
note "$(find "$work/sqlx" -name '*.json' | wc -l) queries"
