#!/usr/bin/env bash
# tools.sh site|test: programs that are no Debian packages, into the cache: wasm-opt and esbuild from npm,
# cargo-nextest and cargo-deny from crates.io,
# schemathesis from the Python index.
# shellcheck source=.setup/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

npm_tool() { # npm_tool PROGRAM PACKAGE VERSION
  [ -x "$TOOLS/npm/node_modules/.bin/$1" ] && stamped "npm-$1" "$3" && return 0
  note "fetching $1 $3"
  mkdir -p "$TOOLS/npm"
  [ -f "$TOOLS/npm/package.json" ] || printf '{"private":true}\n' >"$TOOLS/npm/package.json"
  quietly "npm-$1" npm install --prefix "$TOOLS/npm" --no-audit --no-fund "$2@$3" ||
    fail "npm could not install $2: see $LOGS/npm-$1.log, and check 'npm ping'."
  stamp "npm-$1" "$3"
}

cargo_tool() { # cargo_tool PROGRAM VERSION
  have "$1" && { [ ! -x "$TOOLS/bin/$1" ] || stamped "$1" "$2"; } && return 0
  note "building $1 $2 (some minutes, once)"
  CARGO_TARGET_DIR="$CACHE/target-tools" quietly "$1" cargo install "$1" --locked --version "$2" --root "$TOOLS" ||
    fail "$1 could not be built: see $LOGS/$1.log."
  rm -rf "$CACHE/target-tools"
  stamp "$1" "$2"
}

python_tool() { # python_tool PROGRAM: the versions of .setup/PROGRAM.txt, in an environment of their own
  local wanted
  wanted=$(hash_of "$SETUP/$1.txt")
  [ -x "$TOOLS/bin/$1" ] && stamped "python-$1" "$wanted" && return 0
  note "fetching $1"
  rm -rf "${TOOLS:?}/$1"
  quietly "python-$1" python3 -m venv "$TOOLS/$1" ||
    fail "Python could not make an environment for $1: see $LOGS/python-$1.log."
  quietly "python-$1" "$TOOLS/$1/bin/pip" install --quiet --disable-pip-version-check --requirement "$SETUP/$1.txt" ||
    fail "pip could not install $1: see $LOGS/python-$1.log."
  ln -sfn "$TOOLS/$1/bin/$1" "$TOOLS/bin/$1"
  stamp "python-$1" "$wanted"
}

case "${1:-}" in
  site)
    npm_tool wasm-opt binaryen 132.0.0
    npm_tool esbuild esbuild 0.28.2
    ;;
  test)
    cargo_tool cargo-nextest 0.9.143
    cargo_tool cargo-deny 0.20.2
    python_tool schemathesis
    ;;
  *) fail "Say which tools: .setup/tools.sh site or test." ;;
esac
