#!/usr/bin/env bash
# end2end.sh [playwright arguments]: the tests in a browser, against the real parts on the tests' own
# Docker daemon. Expects panel and site built (`make test` does).
# shellcheck source=.setup/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
image=openclaw:2026.9.6

modules="$CACHE/end2end"
wanted=$(hash_of "$ROOT/end2end/package-lock.json")
if ! stamped end2end "$wanted" || [ ! -d "$modules/node_modules" ]; then
  note "fetching Playwright"
  mkdir -p "$modules"
  cp "$ROOT"/end2end/package*.json "$modules/"
  (cd "$modules" && quietly npm-end2end npm ci --no-audit --no-fund --ignore-scripts) ||
    fail "npm could not install the end-to-end tests' parts: see $LOGS/npm-end2end.log."
  stamp end2end "$wanted"
fi
[ -e "$ROOT/end2end/node_modules" ] || ln -s "$modules/node_modules" "$ROOT/end2end/node_modules"

if [ -z "${PANEL_TEST_DOCKER:-}" ]; then
  PANEL_TEST_DOCKER=$("$SETUP/test-docker.sh" start)
  "$SETUP/test-docker.sh" load "$image"
fi
END2END_FOLDER=$(mktemp -d /tmp/panel-end2end.XXXXXX)
chmod 755 "$END2END_FOLDER"
# A network for the browser: beside the host's interfaces, which come and go with containers, Chromium would end
# whatever it loads. One cable leads to Caddy and to nothing else.
END2END_NETWORK=oc-panel-browser END2END_DOOR=172.31.78.1
ip netns del "$END2END_NETWORK" 2>/dev/null || true
ip netns add "$END2END_NETWORK" || fail "The browser of the tests needs a network of its own, which only root can make: run the tests with sudo."
trap 'ip netns del "$END2END_NETWORK"; rm -rf "$END2END_FOLDER"' EXIT
ip netns exec "$END2END_NETWORK" sh -c 'echo 1 2>/dev/null >/proc/sys/net/ipv6/conf/all/disable_ipv6' || true
ip link add oc-panel-door type veth peer name browser netns "$END2END_NETWORK"
ip addr add "$END2END_DOOR/30" dev oc-panel-door
ip link set oc-panel-door up
ip -n "$END2END_NETWORK" addr add 172.31.78.2/30 dev browser
ip -n "$END2END_NETWORK" link set lo up
ip -n "$END2END_NETWORK" link set browser up
export END2END_NETWORK END2END_DOOR PANEL_TEST_DOCKER END2END_FOLDER
export PANEL_BIN="$CARGO_TARGET_DIR/release/panel" PANEL_SITE_DIR="$CACHE/site" OPENCLAW_IMAGE=$image
export PANEL_SCREENSHOTS="${PANEL_SCREENSHOTS:-$CACHE/screenshots}"
mkdir -p "$PANEL_SCREENSHOTS"
cd "$ROOT/end2end"
status=0
node_modules/.bin/playwright test "$@" || status=$?
if [ "$status" -ne 0 ]; then
  mkdir -p "$LOGS/end2end"
  cp "$END2END_FOLDER"/*.log "$LOGS/end2end/" 2>/dev/null || true
  mkdir -p "$LOGS/end2end/scripted"
  cp "$END2END_FOLDER"/scripted/*.log "$LOGS/end2end/scripted/" 2>/dev/null || true
fi
exit "$status"
