#!/usr/bin/env bash
# packages.sh demo|test|bench|wasm: installs the Debian packages that are missing, and only those.
# What is there already, from Debian or from elsewhere, is left alone.
# shellcheck source=.setup/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

missing=()
want() { have "$1" || missing+=("${@:2}"); }

demo_packages() {
  want curl curl ca-certificates
  want ss iproute2
  want cc build-essential
  want npm nodejs npm
  want caddy caddy
  [ -x /bin/busybox ] && /bin/busybox --list 2>/dev/null | grep -qx wget && is_static /bin/busybox || missing+=(busybox-static)
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
  # A Docker from elsewhere (docker-ce, a remote endpoint) is as good.
  have docker && { have dockerd || docker info >/dev/null 2>&1; } || missing+=(docker.io)
}

test_packages() {
  demo_packages
  want chromium-headless-shell chromium-headless-shell fonts-liberation fonts-noto-color-emoji
  want shellcheck shellcheck
  python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3 python3-venv)
  want openssl openssl
  want prometheus prometheus
  want amtool prometheus-alertmanager
  want prometheus-blackbox-exporter prometheus-blackbox-exporter
}

bench_packages() {
  test_packages
  want wrk wrk
}

wasm_packages() {
  # rustup's rustc stands first in the path, so that Debian's is asked for by its full name.
  [ -x /usr/bin/rustc ] && [ -x /usr/bin/cargo ] || missing+=(rustc-web cargo-web)
  [ -x /usr/bin/clippy-driver ] || missing+=(rust-web-clippy)
  [ -d /usr/lib/rustlib/src/rust/library/std ] || missing+=(rust-web-src)
}

is_static() { ! ldd "$1" >/dev/null 2>&1; }

rust_is_there() {
  { have cargo && have rustc; } ||
    fail "Rust is missing: install it with rustup (https://rustup.rs), then run this again."
}

install_missing() {
  [ ${#missing[@]} -gt 0 ] || return 0
  local command="apt-get install -y --no-install-recommends ${missing[*]}"
  have apt-get || fail "This machine is no Debian: install what these Debian packages hold, then run this again: ${missing[*]}."
  am_root || fail "Packages are missing and only root may install them: run 'sudo $command', then run this again."
  need_space /usr 2 "Installing packages"
  note "installing ${missing[*]}"
  trap silence_new_services EXIT
  quietly apt-update apt-get -o DPkg::Lock::Timeout=300 update ||
    fail "apt-get could not refresh its lists: see $LOGS/apt-update.log."
  # shellcheck disable=SC2086  # the command is a list of words on purpose
  DEBIAN_FRONTEND=noninteractive quietly apt-install $command -o DPkg::Lock::Timeout=300 ||
    fail "apt-get could not install the packages: run '$command' to see why, then run this again."
}

# Debian starts a service as soon as its package is installed. The demo and the tests start their
# own Postgres, Caddy and Prometheus on their own ports; a second one must not take ports 80, 443
# or 5432. Only what this run installed is stopped: a service that was there before is not ours.
# Docker stays on: the demo's gateway comes back with it after a restart of the machine.
silence_new_services() {
  local package service
  for package in "${missing[@]}"; do
    case $package in
      postgresql | caddy | prometheus | prometheus-alertmanager | prometheus-blackbox-exporter) service=$package ;;
      *) continue ;;
    esac
    if [ -d /run/systemd/system ]; then
      systemctl disable --quiet --now "$service" >/dev/null 2>&1 || true
    elif [ -x "/etc/init.d/$service" ]; then
      service "$service" stop >/dev/null 2>&1 || true
      update-rc.d "$service" disable >/dev/null 2>&1 || true
    fi
  done
}

case "${1:-}" in
  demo) demo_packages ;;
  test) test_packages ;;
  bench) bench_packages ;;
  wasm) wasm_packages ;;
  *) fail "Say which packages: .setup/packages.sh demo, test, bench or wasm." ;;
esac
rust_is_there
install_missing
