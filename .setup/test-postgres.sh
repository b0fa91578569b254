#!/usr/bin/env bash
# test-postgres.sh start DIR: starts a throw-away Postgres in DIR and prints the URL of its superuser.
# test-postgres.sh stop DIR:  stops it and removes DIR.
# For tests only: no password, no durability, reachable through a socket in DIR that only its owner enters.
# shellcheck source=.setup/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() { fail "Say what to do: .setup/test-postgres.sh start FOLDER, or stop FOLDER."; }
[ $# -eq 2 ] || usage
mkdir -p "$2"
dir=$(cd "$2" && pwd)
data="$dir/data" socket="$dir/run"

# Postgres refuses to run as root.
as_owner() {
  if am_root; then setpriv --reuid=postgres --regid=postgres --clear-groups --reset-env -- "$@"; else "$@"; fi
}

programs() {
  if have initdb && have pg_ctl; then
    dirname "$(command -v initdb)"
  else
    local found
    found=$(find /usr/lib/postgresql -maxdepth 3 -name initdb -path '*/bin/*' 2>/dev/null | sort -V | tail -n 1)
    [ -n "$found" ] || fail "Postgres is not installed: run 'apt-get install postgresql', then run this again."
    dirname "$found"
  fi
}

is_running() { as_owner "$bin/pg_ctl" --pgdata "$data" status; }

start() {
  [ "${#socket}" -le 90 ] || fail "The path $dir is too long for a socket: choose a folder nearer to the root."
  if am_root; then
    getent passwd postgres >/dev/null || fail "There is no user 'postgres': run 'apt-get install postgresql', then run this again."
    chown postgres: "$dir"
    setpriv --reuid=postgres --regid=postgres --clear-groups test -x "$dir" ||
      fail "User 'postgres' may not enter $dir: choose a folder under /tmp."
  fi
  if [ ! -s "$data/PG_VERSION" ]; then
    need_space "$dir" 1 "The test database"
    quietly test-postgres-initdb as_owner "$bin/initdb" --pgdata "$data" --username postgres --auth trust \
      --encoding UTF8 --locale C.UTF-8 --no-sync || fail "initdb failed: see $LOGS/test-postgres-initdb.log."
  fi
  as_owner mkdir -p -m 0700 "$socket"
  if ! is_running >/dev/null 2>&1; then
    quietly test-postgres-start as_owner "$bin/pg_ctl" --pgdata "$data" --log "$dir/log" --wait --timeout 60 \
      --options "-c listen_addresses='' -c unix_socket_directories='$socket' -c fsync=off -c full_page_writes=off \
        -c synchronous_commit=off -c max_connections=300 -c autovacuum=off" start ||
      fail "The test database did not start: see $dir/log."
  fi
  # A socket folder in a URL is its percent-encoded host.
  printf 'postgres://postgres@%s/postgres\n' "${socket//\//%2F}"
}

stop() {
  if is_running >/dev/null 2>&1; then
    quietly test-postgres-stop as_owner "$bin/pg_ctl" --pgdata "$data" --mode immediate --wait stop ||
      fail "The test database in $dir did not stop."
  fi
  rm -rf "$dir"
}

bin=$(programs)
case "$1" in
  start) start ;;
  stop) stop ;;
  *) usage ;;
esac
