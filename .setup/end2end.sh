#!/usr/bin/env bash
# end2end.sh [playwright arguments]: the tests in a browser, against the real parts on the tests' own
# Docker daemon. Expects panel and site built (`make test` does). Without arguments everything, two lanes side by side.
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
trap 'jobs -p | xargs -r kill 2>/dev/null; ip netns del "$END2END_NETWORK"; rm -rf "$END2END_FOLDER"' EXIT
ip netns exec "$END2END_NETWORK" sh -c 'echo 1 2>/dev/null >/proc/sys/net/ipv6/conf/all/disable_ipv6' || true
ip link add oc-panel-door type veth peer name browser netns "$END2END_NETWORK"
ip addr add "$END2END_DOOR/30" dev oc-panel-door
ip link set oc-panel-door up
ip -n "$END2END_NETWORK" addr add 172.31.78.2/30 dev browser
ip -n "$END2END_NETWORK" link set lo up
ip -n "$END2END_NETWORK" link set browser up
END2END_FAILED="$END2END_FOLDER/failed.txt"
export END2END_NETWORK END2END_DOOR PANEL_TEST_DOCKER END2END_FOLDER END2END_FAILED
export PANEL_BIN="${PANEL_BIN:-$CARGO_TARGET_DIR/debug/panel}" PANEL_SITE_DIR="$CACHE/site" OPENCLAW_IMAGE=$image
export PANEL_SCREENSHOTS="${PANEL_SCREENSHOTS-$CACHE/screenshots}"
[ -z "$PANEL_SCREENSHOTS" ] || mkdir -p "$PANEL_SCREENSHOTS"
cd "$ROOT/end2end"

# part NAME ARGUMENTS...: one run with a folder of its own.
part() {
  local name=$1
  shift
  mkdir "$END2END_FOLDER/$name"
  chmod 755 "$END2END_FOLDER/$name"
  END2END_FOLDER="$END2END_FOLDER/$name" node_modules/.bin/playwright test --output "test-results/$name" "$@"
}

everything() {
  local failed=0 whatsapp project real=()
  for project in desktop phone without-javascript operations faults; do
    real+=("--project=$project")
  done
  rm -rf test-results
  # A gateway's start keeps one core busy: two lanes side by side, equally long. A third one was tried, and made gateways
  # so slow to start that tests ended at their limits.
  part whatsapp --project=whatsapp >"$END2END_FOLDER/whatsapp.txt" 2>&1 &
  whatsapp=$!
  part real "${real[@]}" || failed=1
  END2END_STACK=own part scripted --project=scripted || failed=1
  wait "$whatsapp" || failed=1
  cat "$END2END_FOLDER/whatsapp.txt"
  END2END_STACK=own part alone --project=daemon || failed=1
  return "$failed"
}

status=0
if [ $# -gt 0 ]; then
  node_modules/.bin/playwright test "$@" || status=$?
else
  everything || status=$?
fi
if [ "$status" -ne 0 ]; then
  rm -rf "$LOGS/end2end"
  (cd "$END2END_FOLDER" && find . -name '*.log' -not -path '*/data/*') | while read -r log; do
    mkdir -p "$LOGS/end2end/$(dirname "$log")"
    cp "$END2END_FOLDER/$log" "$LOGS/end2end/$log"
  done
  # The parts' own words are far above by now.
  [ ! -s "$END2END_FAILED" ] || { say "What failed in the browser:"; cat "$END2END_FAILED" >&2; }
fi
exit "$status"
