#!/usr/bin/env bash
# docker.sh: makes sure that a Docker Engine answers; starts one when none runs and this is root.
# shellcheck source=.setup/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

answers() { docker info >/dev/null 2>&1; }

main() {
  answers && return 0
  have docker || fail "Docker is missing: run .setup/packages.sh demo first."
  [ -z "${DOCKER_HOST:-}" ] ||
    fail "Docker at DOCKER_HOST=$DOCKER_HOST does not answer: start it, or unset DOCKER_HOST to use this machine's."
  if [ -S /var/run/docker.sock ] && ! [ -w /var/run/docker.sock ]; then
    fail "You may not use Docker: run 'sudo usermod -aG docker $(id -un)', sign in again, then run this again (or use sudo)."
  fi
  am_root || fail "No Docker Engine runs and only root can start one: run 'sudo systemctl start docker', then run this again."
  have dockerd || fail "No Docker Engine is installed: run 'apt-get install -y docker.io', then run this again."
  if [ -d /run/systemd/system ]; then
    quietly systemctl-docker systemctl start docker || fail "The Docker Engine does not start: 'journalctl -u docker -n 50' says why."
    wait_until 60 answers || fail "The Docker Engine was started but does not answer: 'docker info' says why."
  else
    start_by_hand
  fi
}

# No init system, as in most containers and build machines: the engine outlives this script.
start_by_hand() {
  local log="$LOGS/dockerd.log" deadline=$((SECONDS + 60)) pid
  note "starting the Docker Engine"
  setsid dockerd >"$log" 2>&1 </dev/null &
  pid=$!
  until answers; do
    kill -0 "$pid" 2>/dev/null || {
      tail -n 15 "$log" >&2
      fail "The Docker Engine ended instead of starting: see $log. Inside a container it needs the right to mount and to make networks."
    }
    [ "$SECONDS" -lt "$deadline" ] || fail "The Docker Engine does not answer: see $log."
    sleep 0.2
  done
}

main
