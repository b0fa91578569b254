#!/usr/bin/env bash
# test-docker.sh start: starts the tests' own Docker daemon and prints its address.
# test-docker.sh stop:  stops it; images stay in the cache.
# Tests kill containers and stop daemons: they must never meet one that they did not make, so this one
# has a socket, a data folder and a bridge of its own. Needs root.
# shellcheck source=.setup/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

home="$CACHE/test-docker"
run=/run/openclaw-panel-test
socket="$run/docker.sock"
bridge=oc-panel-test
subnet=172.31.77.1/24

# Certificates for the daemon's other door, tcp with TLS both ways, and for a stranger; the panel's tests go through it.
tls="$run/tls"

certificates() {
  rm -rf "$tls"
  mkdir "$tls"
  local who
  for who in ca stranger-ca; do
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=$who" \
      -keyout "$tls/$who-key.pem" -out "$tls/$who.pem"
  done
  certificate server ca serverAuth subjectAltName=IP:127.0.0.1
  certificate client ca clientAuth
  certificate stranger stranger-ca clientAuth
  chmod 0600 "$tls"/*-key.pem
}

# certificate NAME AUTHORITY USE [EXTENSION]
certificate() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$tls/$1-key.pem" -out "$tls/$1.csr"
  openssl x509 -req -in "$tls/$1.csr" -CA "$tls/$2.pem" -CAkey "$tls/$2-key.pem" -CAcreateserial -days 3650 \
    -extfile <(printf 'extendedKeyUsage=%s\n%s\n' "$3" "${4:-}") -out "$tls/$1.pem"
}

free_port() {
  local port
  for port in {23760..23860}; do
    port_taken "$port" || { printf '%s' "$port"; return 0; }
  done
  fail "No port from 23760 to 23860 is free on this machine: the tests' Docker daemon needs one."
}

answers() { docker --host "unix://$socket" info >/dev/null 2>&1; }

# The host's daemon drops what it does not know; the tests' containers may talk to one another on this bridge.
forward() { iptables "$1" FORWARD -i "$bridge" -o "$bridge" -m comment --comment "tests of openclaw-panel" -j ACCEPT; }

start() {
  answers && { printf 'unix://%s\n' "$socket"; return 0; }
  am_root || fail "The tests' own Docker daemon needs root: run the tests with sudo, or in a machine of their own."
  have dockerd || fail "No Docker Engine is installed: run .setup/packages.sh test first."
  mkdir -p "$home/data" "$run"
  rm -f "$run/pid"
  if ! ip link show "$bridge" >/dev/null 2>&1; then
    ip -4 route show | grep -q '^172\.31\.77\.' &&
      fail "The network 172.31.77.0/24 is in use on this machine: the tests' Docker daemon needs it; remove that route first."
    ip link add "$bridge" type bridge
    ip addr add "$subnet" dev "$bridge"
  fi
  ip link set "$bridge" up
  forward -C >/dev/null 2>&1 || forward -I
  note "starting the tests' own Docker daemon"
  quietly test-docker-certificates certificates || fail "No certificates could be made: see $LOGS/test-docker-certificates.log."
  local port
  port=$(free_port)
  printf 'tcp://127.0.0.1:%s' "$port" >"$tls/address"
  # Two things that a second daemon must not do, both seen with 20.10. With iptables rules of its own it
  # begins by deleting the first one's, and with them the ports that the host's containers publish: so it
  # keeps none, and its ports go through docker-proxy. With --default-address-pool it deletes the host's
  # docker0 at its second start; without, it takes ranges that no route uses.
  # The tests' containers reach nothing but one another: a name from outside is given up after a second, not after
  # ten, for which the gateway would keep every link waiting.
  setsid dockerd --data-root "$home/data" --exec-root "$run/exec" --host "unix://$socket" --pidfile "$run/pid" \
    --host "tcp://127.0.0.1:$port" --tlsverify --tlscacert "$tls/ca.pem" --tlscert "$tls/server.pem" --tlskey "$tls/server-key.pem" \
    --iptables=false --ip-masq=false --bridge "$bridge" \
    --dns-opt timeout:1 --dns-opt attempts:1 >"$LOGS/test-docker.log" 2>&1 </dev/null &
  wait_until 60 answers || fail "The tests' Docker daemon does not answer: see $LOGS/test-docker.log."
  printf 'unix://%s\n' "$socket"
}

stop() {
  if [ -s "$run/pid" ]; then
    am_root || fail "The tests' own Docker daemon was started by root: only root may stop it."
    kill "$(cat "$run/pid")" 2>/dev/null || true
    # shellcheck disable=SC2317  # called by wait_until
    ended() { [ ! -s "$run/pid" ] || ! kill -0 "$(cat "$run/pid")" 2>/dev/null; }
    wait_until 60 ended || fail "The tests' Docker daemon does not stop."
  fi
  forward -D >/dev/null 2>&1 || true
  ip link del "$bridge" 2>/dev/null || true
  rm -rf "$run"
}

# load IMAGE: copies an image from the host's daemon, when it is not there yet.
load() {
  local id
  id=$(docker image inspect --format '{{.Id}}' "$1")
  [ "$(docker --host "unix://$socket" image inspect --format '{{.Id}}' "$1" 2>/dev/null)" != "$id" ] || return 0
  note "copying $1 to the tests' Docker daemon"
  docker save "$1" | docker --host "unix://$socket" load >/dev/null
}

case "${1:-}" in
  start) start ;;
  stop) stop ;;
  load) load "${2:?which image}" ;;
  *) fail "Say what to do: .setup/test-docker.sh start, stop, or load IMAGE." ;;
esac
