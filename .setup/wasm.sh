#!/usr/bin/env bash
# Makes the compiler able to build for wasm32-unknown-unknown, and writes how to $CACHE/wasm.env.
#
# rustup's standard library for wasm is the plain way. Where rustup cannot download it (a closed
# network), Debian's rustc-web carries the sources of the standard library: it is built once into
# a sysroot in the cache. OPENCLAW_PANEL_WASM=rustup|debian forces one of the two.
# shellcheck source=.setup/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
target=wasm32-unknown-unknown
way="${OPENCLAW_PANEL_WASM:-}"

main() {
  cd "$ROOT" # a rust-toolchain file decides which toolchain is meant
  case "$way" in
    '') rustup_has_it || rustup_gets_it || debian_has_it || debian_builds_it ;;
    rustup) rustup_has_it || rustup_gets_it || fail "rustup could not add $target: run 'rustup target add $target' to see why." ;;
    debian) debian_has_it || debian_builds_it ;;
    *) fail "OPENCLAW_PANEL_WASM is '$way': use rustup or debian, or leave it unset." ;;
  esac
}

rustup_has_it() {
  local lib
  lib=$(rustc --print target-libdir --target "$target" 2>/dev/null) || return 1
  compgen -G "$lib/libstd-*.rlib" >/dev/null || return 1
  write_env ''
}

rustup_gets_it() {
  have rustup || return 1
  note "adding the wasm target with rustup"
  timeout 300 rustup target add "$target" >"$LOGS/rustup.log" 2>&1 </dev/null && rustup_has_it && return 0
  [ "$way" = rustup ] || note "rustup cannot download it here: falling back to Debian's rustc-web"
  return 1
}

sysroot() { printf '%s/wasm-sysroot/%s' "$CACHE" "$(/usr/bin/rustc -vV | sha256sum | cut -c1-16)"; }

debian_has_it() {
  [ -x /usr/bin/rustc ] && [ -x /usr/bin/cargo ] && [ -f "$(sysroot)/complete" ] && write_debian_env
}

debian_builds_it() {
  "$SETUP/packages.sh" wasm
  local root work lib
  root=$(sysroot)
  work="$CACHE/wasm-sysroot/build"
  lib="$root/lib/rustlib/$target/lib"
  note "building the standard library for wasm (about 45 s, once)"
  rm -rf "$root" "$work"
  mkdir -p "$lib" "$work/src"
  # Any crate that needs std will do; its own outputs stay behind in the work folder.
  printf '[package]\nname = "needs-std"\nversion = "0.0.0"\nedition = "2021"\n[lib]\n[workspace]\n' >"$work/Cargo.toml"
  : >"$work/src/lib.rs"
  (
    cd "$work"
    export RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc CARGO_TARGET_DIR="$work/target"
    unset RUSTC_WRAPPER RUSTC_WORKSPACE_WRAPPER RUSTFLAGS
    quietly wasm-sysroot /usr/bin/cargo build --release --target "$target" -Z build-std=std,panic_abort
  ) || fail "The standard library for wasm could not be built: see $LOGS/wasm-sysroot.log."
  find "$work/target/$target/release/deps" -name '*.rlib' ! -name 'libneeds_std-*' -exec cp -t "$lib" {} +
  compgen -G "$lib/libstd-*.rlib" >/dev/null || fail "The wasm build left no standard library behind: see $LOGS/wasm-sysroot.log."
  rm -rf "$work"
  touch "$root/complete"
  write_debian_env
}

write_debian_env() {
  local lld
  lld=$(compgen -G "$(rustc --print sysroot)/lib/rustlib/*/bin/rust-lld" | head -n 1) ||
    fail "rustup's toolchain has no rust-lld: install Rust with rustup (https://rustup.rs)."
  write_env "WASM_CARGO=/usr/bin/cargo
WASM_CLIPPY=/usr/bin/cargo-clippy
export CARGO=/usr/bin/cargo RUSTC=/usr/bin/rustc
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS='--sysroot $(sysroot)'
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER='$lld'"
}

# Written only when it changes, and by renaming: two builds may run at once.
write_env() {
  local file="$CACHE/wasm.env"
  [ -f "$file" ] && [ "$(cat "$file")" = "$1" ] && return 0
  printf '%s\n' "$1" >"$file.$$"
  mv "$file.$$" "$file"
}

main
