#!/usr/bin/env bash
# site.sh: builds the browser's part (wasm, CSS) into $CACHE/site, which the panel serves.
# shellcheck source=.setup/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"
"$SETUP/tools.sh" site
quietly site-wasm "$SETUP/cargo-wasm" build -p frontend --profile wasm-release ||
  fail "The browser's part does not compile: see $LOGS/site-wasm.log."
quietly site-bundle cargo run --quiet --release -p bundle -- \
  --wasm "$CACHE/target-wasm/wasm32-unknown-unknown/wasm-release/frontend.wasm" \
  --style style/main.css --out "$CACHE/site" \
  --wasm-opt "$TOOLS/npm/node_modules/.bin/wasm-opt" --esbuild "$TOOLS/npm/node_modules/.bin/esbuild" ||
  fail "The site could not be bundled: see $LOGS/site-bundle.log."
