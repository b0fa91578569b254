#!/usr/bin/env bash
# end2end.sh [playwright arguments]: the tests in a browser, against the real parts on the tests' own
# Docker daemon. Expects panel and site built (`make test` does). Without arguments everything, three lanes side by side.
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
export END2END_NETWORK END2END_DOOR PANEL_TEST_DOCKER END2END_FOLDER
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

# The specs of a folder but for some.
others() {
  local folder=$1 spec
  shift
  for spec in "tests/$folder"/*.spec.ts; do
    spec=${spec##*/}
    [[ " $* " == *" ${spec%.spec.ts} "* ]] || echo "$folder/$spec"
  done
}

# A gateway's start keeps one core busy, and much else is waiting: three lanes side by side, equally long. What comes
# second in a lane has stacks of its own.
pages() {
  local project real=()
  for project in desktop phone without-javascript without-javascript-desktop operations faults; do
    real+=("--project=$project")
  done
  part real "${real[@]}"
}

links() {
  local failed=0
  part links --project=whatsapp whatsapp/hand-off whatsapp/link whatsapp/plugin whatsapp/proofs || failed=1
  END2END_STACK=own part recreate --project=scripted scripted/recreate || failed=1
  return "$failed"
}

repairs() {
  local failed=0 specs
  mapfile -t specs < <(others whatsapp hand-off link plugin proofs)
  part repairs --project=whatsapp "${specs[@]}" || failed=1
  mapfile -t specs < <(others scripted recreate)
  END2END_STACK=own part scripted --project=scripted "${specs[@]}" || failed=1
  return "$failed"
}

everything() {
  local failed=0 lane lanes=()
  rm -rf test-results
  links >"$END2END_FOLDER/links.txt" 2>&1 &
  lanes+=("$!")
  repairs >"$END2END_FOLDER/repairs.txt" 2>&1 &
  lanes+=("$!")
  pages || failed=1
  for lane in "${lanes[@]}"; do wait "$lane" || failed=1; done
  cat "$END2END_FOLDER/links.txt" "$END2END_FOLDER/repairs.txt"
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
fi
exit "$status"
