#!/usr/bin/env bash
# docker.sh: makes sure that a Docker Engine answers; starts one when none runs and this is root.
# shellcheck source=.setup/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

answers() { docker info >/dev/null 2>&1; }

answers && exit 0
have docker || fail "Docker is missing: run .setup/packages.sh demo first."
if [ -S /var/run/docker.sock ] && ! [ -w /var/run/docker.sock ]; then
  fail "You may not use Docker: run 'sudo usermod -aG docker $(id -un)', sign in again, then run this again (or use sudo)."
fi
am_root || fail "No Docker Engine runs and only root can start one: run 'sudo systemctl start docker', then run this again."
have dockerd || fail "No Docker Engine is installed: run 'apt-get install -y docker.io', then run this again."
if [ -d /run/systemd/system ]; then
  systemctl start docker || fail "The Docker Engine does not start: 'journalctl -u docker' says why."
else
  note "starting the Docker Engine"
  setsid dockerd >"$LOGS/dockerd.log" 2>&1 </dev/null &
fi
wait_until 60 answers || fail "The Docker Engine does not answer: see $LOGS/dockerd.log."
