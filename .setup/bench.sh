#!/usr/bin/env bash
# bench.sh [playwright arguments]: measures the panel beside a real gateway; see `make bench`.
# shellcheck source=.setup/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"
steps 4
step "Installing what is missing"
"$SETUP/packages.sh" bench
"$SETUP/tools.sh" test
step "Docker and the gateway's image"
"$SETUP/docker.sh"
"$ROOT/openclaw/image/build.sh" 2026.9.6
step "Building panel and site"
quietly panel-build cargo build --release -p panel --bins --examples || fail "The panel does not compile: see $LOGS/panel-build.log."
"$SETUP/site.sh"
step "Measuring"
export PANEL_BIN="$CARGO_TARGET_DIR/release/panel" BARE_BIN="$CARGO_TARGET_DIR/release/examples/bare" PANEL_SCREENSHOTS=
exec "$SETUP/end2end.sh" --config bench/playwright.config.ts "$@"
