#!/usr/bin/env bash
# test.sh: everything, as CI runs it; see `make test`. test.sh check: the quick inner loop.
# shellcheck source=.setup/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"
export CARGO_TERM_COLOR=never RUST_BACKTRACE=1
image=openclaw:2026.9.6
old_image=openclaw:2026.3.31

phase() { step "$* ($((SECONDS / 60)) min $((SECONDS % 60)) s)"; }

architecture() {
  local tree
  tree=$(cargo tree -p frontend --target wasm32-unknown-unknown -e normal --prefix none)
  ! grep -E '^(sqlx|bollard|tokio|axum|argon2)[ -]' <<<"$tree" || fail "The browser's part must not depend on these."
  local crate
  for crate in domain operations app observe compose; do
    tree=$(cargo tree -p "$crate" -e normal --prefix none)
    ! grep -E '^(sqlx|bollard)[ -]' <<<"$tree" || fail "Crate $crate must not depend on these: they belong behind the ports."
  done
  arrows
}

# Which of our crates may depend on which: the arrows of the design, and only these.
arrows() {
  local -A may=([domain]="" [compose]="" [bundle]="" [app]=domain [frontend]=app [operations]=domain [observe]=domain
    [adapter-backup]=domain [adapter-docker]="compose domain" [adapter-env-file]="compose domain" [adapter-gateway]=domain
    [adapter-git]=domain [adapter-github]=domain [adapter-identity]=domain [adapter-mail]=domain [adapter-store]=domain
    [panel]="app domain operations compose observe")
  # The wiring knows them all.
  may[panel]+=" adapter-backup adapter-docker adapter-env-file adapter-gateway adapter-git adapter-github adapter-identity adapter-mail adapter-store"
  local crate other ours
  for crate in $(cargo tree --workspace --depth 0 --prefix none | awk 'NF { print $1 }'); do
    [ -n "${may[$crate]+known}" ] || fail "Crate $crate is new: say in .setup/test.sh on which of ours it may depend."
    ours=$(cargo tree -p "$crate" -e normal --all-features --depth 1 --prefix none | awk -v root="($ROOT/" 'NR > 1 && index($0, root) { print $1 }')
    for other in $ours; do
      [[ " ${may[$crate]} " == *" $other "* ]] || fail "Crate $crate must not depend on $other."
    done
  done
}

lints() {
  cargo clippy --quiet --workspace --exclude frontend --all-targets --features app/ssr -- -D warnings
  "$SETUP/cargo-wasm" clippy --quiet -p frontend -- -D warnings
  # On its own: the browser's part gives its dependencies features that `domain` must not need.
  "$SETUP/cargo-wasm" clippy --quiet -p domain -- -D warnings
}

# aside NAME COMMAND...: beside what follows; `join NAME` waits for it, and shows what it said when it failed.
declare -A asides=()
aside() {
  local name=$1
  shift
  "$@" >"$LOGS/aside-$name.log" 2>&1 &
  asides[$name]=$!
}
join() {
  local process=${asides[$1]}
  wait "$process" || {
    unset "asides[$1]"
    cat "$LOGS/aside-$1.log" >&2
    fail "$2"
  }
  unset "asides[$1]"
}

# The Docker Engine, the gateway's images, and both on the tests' own daemon.
real_parts() {
  "$SETUP/docker.sh"
  "$ROOT/openclaw/image/build.sh" "${image#*:}"
  "$ROOT/openclaw/image/build.sh" "${old_image#*:}"
  "$SETUP/test-docker.sh" start >/dev/null
  "$SETUP/test-docker.sh" load "$image"
  "$SETUP/test-docker.sh" load "$old_image"
}

pg=
leave() {
  [ "${#asides[@]}" -eq 0 ] || kill "${asides[@]}" 2>/dev/null || true
  [ -z "$pg" ] || "$SETUP/test-postgres.sh" stop "$pg" >/dev/null 2>&1 || true
  "$SETUP/test-docker.sh" stop >/dev/null 2>&1 || true
}

case "${1:-all}" in
  check)
    steps 3
    phase "Format"; cargo fmt --all --check
    phase "Lints"; cargo clippy --quiet --workspace --exclude frontend --all-targets --features app/ssr -- -D warnings
    phase "Unit tests"; cargo nextest run --workspace --exclude frontend --features app/ssr --lib --bins --no-tests=pass
    exit 0
    ;;
  all) ;;
  *) fail "Say what to run: .setup/test.sh, or .setup/test.sh check." ;;
esac

am_root || fail "The tests start a Docker daemon of their own, which only root may: run 'sudo make test', or run them in a machine of their own."
steps 13
trap leave EXIT
phase "Installing what is missing"
"$SETUP/packages.sh" test
# Most of it waits for the network and the disk while the compilers work.
aside tools "$SETUP/tools.sh" test
aside parts real_parts
phase "Format"
cargo fmt --all --check
phase "Scripts"
shellcheck --external-sources .setup/*.sh .setup/cargo-wasm openclaw/image/build.sh .ci/run
phase "Architecture"
architecture
phase "Lints"
lints
phase "Alert rules"
promtool check rules monitoring/prometheus/rules/*.yml >/dev/null
promtool test rules monitoring/prometheus/tests/*.yml >/dev/null
phase "Queries against the migrations"
"$SETUP/sqlx-prepare.sh" --check
phase "Licences and bans"
join tools "A tool of the tests could not be had."
cargo deny --log-level error check bans licenses sources
phase "Real parts: Docker, images, Postgres"
join parts "The real parts could not be set up."
phase "WhatsApp's stand-in"
quietly stand-in docker run --rm --network none --volume "$ROOT/end2end/whatsapp-stand-in:/standin:ro" --workdir /standin "$image" \
  node --test || fail "The tests of WhatsApp's stand-in failed: see $LOGS/stand-in.log."
PANEL_TEST_DOCKER=$("$SETUP/test-docker.sh" start)
pg=$(mktemp -d /tmp/panel-test-pg.XXXXXX)
chmod 755 "$pg"
PANEL_TEST_DATABASE=$("$SETUP/test-postgres.sh" start "$pg")
export PANEL_TEST_DOCKER PANEL_TEST_DATABASE
phase "Unit, property and integration tests, the site beside them"
# Another compiler, another folder, and one core most of the time: it waits for nothing here, and nothing for it.
aside site "$SETUP/site.sh"
cargo nextest run --workspace --exclude frontend --features app/ssr --no-tests=pass
phase "The site"
join site "The site does not build."
phase "End-to-end tests in a browser"
# With the panel that its own tests started just now: to build it without their fakes takes two minutes and changes nothing.
# Nobody looks at pictures here: `make end2end` takes them.
PANEL_SCREENSHOTS="" "$SETUP/end2end.sh"
say "Everything passed in $((SECONDS / 60)) min $((SECONDS % 60)) s."
