#!/bin/sh
# Chromium without its own windows, tabs and menus, which cost a core, in the network of the end-to-end run (see .setup/end2end.sh).
exec ip netns exec "${END2END_NETWORK:?run the end-to-end tests with make test or make end2end}" "${CHROMIUM:-/usr/bin/chromium-headless-shell}" "$@"
