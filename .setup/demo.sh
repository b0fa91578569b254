#!/usr/bin/env bash
# demo.sh: the whole panel with a real gateway on this machine, from nothing; see `make demo`.
# demo.sh down: removes its containers, its volume and everything in .demo.
# WHATSAPP=stand-in plays WhatsApp and the phone, too; WHATSAPP=real does not. Without either the
# stand-in is used where WhatsApp cannot be reached.
# shellcheck source=.setup/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

demo="$ROOT/.demo"
project=openclaw-demo
image=openclaw:2026.9.6
panel="$CARGO_TARGET_DIR/release/panel"
https_port="${DEMO_PORT:-8443}"
url="https://panel.localhost:$https_port"

main() {
  case "${WHATSAPP:-}" in
    '' | real | stand-in) ;;
    *) fail "WHATSAPP=$WHATSAPP is not known: use WHATSAPP=stand-in, WHATSAPP=real, or leave it out." ;;
  esac
  steps 7
  step "Installing what is missing"
  "$SETUP/packages.sh" demo
  refuse_second_run
  take_ports
  step "Starting the Docker Engine"
  "$SETUP/docker.sh"
  step "Building panel and site (some minutes the first time)"
  need_space "$CARGO_TARGET_DIR" "$([ -x "$panel" ] && echo 1 || echo 5)" "The demo"
  quietly panel-build cargo build --release -p panel || fail "The panel does not compile: see $LOGS/panel-build.log."
  "$SETUP/site.sh"
  step "Preparing the OpenClaw image (two minutes the first time)"
  OPENCLAW_IMAGE=$image "$ROOT/openclaw/image/build.sh" "${image#*:}"
  trap farewell EXIT
  trap 'exit 0' INT TERM
  step "Starting Caddy and the panel"
  choose_whatsapp
  lay_out
  start_caddy
  start_panel
  first_admin
  backup_key
  step "Starting the gateway by the panel's own install (about half a minute)"
  install_gateway
  step "Ready"
  welcome
  wait "$panel_pid" || fail "The panel ended by itself: see $demo/panel.log."
}

# Whether the process in a pid file is still the one that this demo started: after a restart of the machine
# another one may have its number.
alive() {
  [ -s "$1" ] || return 1
  tr '\0' '\n' 2>/dev/null <"/proc/$(cat "$1")/cmdline" | grep -qF -e "$ROOT/monitoring/" -e "$demo/"
}

refuse_second_run() {
  if alive "$demo/panel.pid"; then
    local pid
    pid=$(cat "$demo/panel.pid")
    fail "The demo runs already: open $url. To end it, press Ctrl-C where it was started, or run 'kill $pid'."
  fi
}

# A caddy that outlived its demo (a closed terminal) is ours to end.
leftover() {
  if alive "$1"; then
    kill "$(cat "$1")" 2>/dev/null || true
    # shellcheck disable=SC2317  # called by wait_until
    gone() { ! alive "$1"; }
    wait_until 10 gone "$1" || fail "Process $(cat "$1") of an earlier demo does not end: run 'kill -9 $(cat "$1")', then run this again."
  fi
  rm -f "$1"
}

take_ports() {
  leftover "$demo/caddy.pid"
  port_taken "$https_port" || return 0
  fail "Port $https_port is in use ($(port_holder "$https_port")): end that program, or choose another port with 'DEMO_PORT=9443 make demo'."
}

# A port that nobody uses, kept for the next runs.
free_port() {
  local port=$1
  while port_taken "$port"; do port=$((port + 1)); done
  printf '%s' "$port"
}

env_value() { sed -n "s/^$1=//p" "$demo/openclaw/.env"; }

lay_out() {
  (umask 077 && mkdir -p "$demo/openclaw" "$demo/caddy")
  # Postgres of the panel does not run as root and must reach its own folder below.
  chmod 711 "$demo"
  data=$(data_folder)
  # With the stand-in the gateway's plugin is told another address for WhatsApp; nothing else differs.
  sed "${whatsapp_address:+s|^ *environment:\$|&\n      OPENCLAW_WHATSAPP_WEB_SOCKET_URL: $whatsapp_address|}" \
    openclaw/docker-compose.yml >"$demo/openclaw/docker-compose.yml"
  if [ ! -s "$demo/openclaw/.env" ]; then
    local gateway bridge
    gateway=$(free_port 28789)
    bridge=$(free_port $((gateway + 1)))
    (
      umask 077
      {
        printf 'COMPOSE_PROJECT_NAME=%s\n' "$project"
        printf 'OPENCLAW_API_KEY=%s\n' "$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')"
        printf 'OPENCLAW_PUBLIC_URL=https://openclaw.localhost:%s\n' "$https_port"
        printf 'OPENCLAW_IMAGE=%s\n' "$image"
        printf 'OPENCLAW_GATEWAY_PORT=%s\nOPENCLAW_BRIDGE_PORT=%s\n' "$gateway" "$bridge"
      } >"$demo/openclaw/.env.new"
    )
    mv "$demo/openclaw/.env.new" "$demo/openclaw/.env"
  fi
  # Another DEMO_PORT than the last time is another origin.
  sed -i "s|^OPENCLAW_PUBLIC_URL=.*|OPENCLAW_PUBLIC_URL=https://openclaw.localhost:$https_port|" "$demo/openclaw/.env"
  panel_port=$(free_port 28700)
  cat >"$demo/panel.toml" <<TOML
# Written by \`make demo\`.
listen = "127.0.0.1:$panel_port"
public_url = "$url"
data_dir = "$data"
site_dir = "$CACHE/site"
trusted_proxies = ["127.0.0.1"]

[sign_in]
# Without this line admins must set up a second factor first.
second_factor_for = []

[[gateways]]
id = "openclaw"
name = "OpenClaw on this machine"
docker = "$(docker_endpoint)"
compose_dir = "$demo/openclaw"
service = "openclaw-gateway"
internal_url = "http://127.0.0.1:$(env_value OPENCLAW_GATEWAY_PORT)"
public_url = "https://openclaw.localhost:$https_port"
ca_file = "$demo/caddy/caddy/pki/authorities/local/root.crt"
TOML
  [ -z "$stand_in_port" ] || printf 'stand_in = "http://127.0.0.1:%s"\n' "$stand_in_port" >>"$demo/panel.toml"
}

# A checkout under /root is closed to every other user: then the database lives elsewhere.
data_folder() {
  local elsewhere
  if am_root && ! setpriv --reuid=postgres --regid=postgres --clear-groups test -x "$demo" 2>/dev/null; then
    elsewhere="/var/lib/$project-$(printf '%s' "$ROOT" | sha256sum | cut -c1-8)"
    install -d -m 711 "$elsewhere"
    ln -sfn "$elsewhere" "$demo/data"
    printf '%s' "$elsewhere"
  else
    printf '%s' "$demo/data"
  fi
}

# The daemon that the docker command uses, too.
docker_endpoint() {
  local endpoint=${DOCKER_HOST:-}
  [ -n "$endpoint" ] || endpoint=$(docker context inspect --format '{{.Endpoints.docker.Host}}' 2>/dev/null) || endpoint=''
  case "$endpoint" in
    '') printf 'unix:///var/run/docker.sock' ;;
    unix://*) printf '%s' "$endpoint" ;;
    *) fail "The demo needs a Docker Engine on this machine, and docker uses $endpoint: unset DOCKER_HOST, or run 'docker context use default'." ;;
  esac
}

# --- WhatsApp -----------------------------------------------------------------------------------
stand_in="$project-whatsapp"

# Sets whatsapp_address and stand_in_port, both empty for the real WhatsApp.
choose_whatsapp() {
  local choice=${WHATSAPP:-}
  whatsapp_address='' stand_in_port=''
  if [ -z "$choice" ] && ! curl -sS --max-time 5 -o /dev/null https://web.whatsapp.com 2>/dev/null; then
    note "WhatsApp cannot be reached from here: a stand-in plays it (WHATSAPP=real insists on the real one)"
    choice=stand-in
  fi
  [ "$choice" = stand-in ] || return 0
  whatsapp_address=ws://whatsapp:29443/ws/chat
  stand_in_port=$(docker port "$stand_in" 29444/tcp 2>/dev/null | sed -n 's/^127\.0\.0\.1://p') || stand_in_port=''
  [ -n "$stand_in_port" ] || stand_in_port=$(free_port 28444)
}

# Beside the gateway, where its plugin looks for it.
start_whatsapp() {
  [ -n "$stand_in_port" ] || { docker rm -f "$stand_in" >/dev/null 2>&1 || true; return 0; }
  [ "$(docker container inspect --format '{{.State.Running}}' "$stand_in" 2>/dev/null)" != true ] || return 0
  docker rm -f "$stand_in" >/dev/null 2>&1 || true
  docker run --detach --init --name "$stand_in" --restart unless-stopped --label "com.docker.compose.project=$project" \
    --network "${project}_default" --network-alias whatsapp --publish "127.0.0.1:$stand_in_port:29444" \
    --volume "$ROOT/end2end/whatsapp-stand-in:/standin:ro" "$image" node /standin/server.mjs >"$LOGS/whatsapp-stand-in.log" 2>&1 ||
    fail "WhatsApp's stand-in does not start: see $LOGS/whatsapp-stand-in.log."
}

start_caddy() {
  XDG_DATA_HOME="$demo/caddy" XDG_CONFIG_HOME="$demo/caddy" \
    CADDY_ADMIN="unix/$demo/caddy/admin.sock" CADDY_BIND=127.0.0.1 CADDY_AUTO_HTTPS=disable_redirects \
    CADDY_HTTPS_PORT="$https_port" CADDY_HTTP_PORT="$(free_port 28080)" \
    OPENCLAW_HOST="https://openclaw.localhost:$https_port" \
    OPENCLAW_UPSTREAM="127.0.0.1:$(env_value OPENCLAW_GATEWAY_PORT)" \
    PANEL_HOST="https://panel.localhost:$https_port" PANEL_UPSTREAM="127.0.0.1:$panel_port" \
    setsid caddy run --config "$ROOT/monitoring/Caddyfile" --adapter caddyfile >"$demo/caddy.log" 2>&1 </dev/null &
  caddy_pid=$!
  printf '%s\n' "$caddy_pid" >"$demo/caddy.pid"
  wait_until 20 test -s "$demo/caddy/caddy/pki/authorities/local/root.crt" || fail "Caddy does not start: see $demo/caddy.log."
}

start_panel() {
  # In a session of its own: Ctrl-C reaches this script, which ends the panel in order.
  setsid "$panel" --config "$demo/panel.toml" serve >"$demo/panel.log" 2>&1 </dev/null &
  panel_pid=$!
  printf '%s\n' "$panel_pid" >"$demo/panel.pid"
  up() { curl -fsS --max-time 2 "http://127.0.0.1:$panel_port/healthz" >/dev/null 2>&1; }
  # shellcheck disable=SC2317  # called by wait_until
  up_or_gone() { ! kill -0 "$panel_pid" || up; }
  wait_until 60 up_or_gone || true
  up || { tail -n 20 "$demo/panel.log" >&2; fail "The panel does not start: see $demo/panel.log."; }
}

operation() { "$panel" --config "$demo/panel.toml" operation start "$@" --wait; }

# A gateway that does not come up is what the panel is for: it stays up and shows it.
install_gateway() {
  local container="$project-openclaw-gateway-1" done=true
  if ! docker container inspect "$container" >/dev/null 2>&1; then
    operation install --reason "first start by make demo" || done=false
  elif ! same_whatsapp "$container"; then
    note "another WhatsApp than the last time: the gateway's container is made anew"
    operation recreate --reason "make demo with another WhatsApp" || done=false
  elif [ "$(docker container inspect --format '{{.State.Running}}' "$container")" != true ]; then
    operation start --reason "make demo" || done=false
  fi
  $done || say "The gateway did not come up; the panel is up, says why and offers what helps: open $url."
  start_whatsapp
}

same_whatsapp() {
  local now
  now=$(docker container inspect --format '{{range .Config.Env}}{{println .}}{{end}}' "$1" | sed -n 's/^OPENCLAW_WHATSAPP_WEB_SOCKET_URL=//p')
  [ "$now" = "$whatsapp_address" ]
}

first_admin() {
  local file="$demo/first-login"
  [ ! -s "$file" ] || { sed -i "s|^url=.*|url=$url|" "$file"; return 0; }
  rm -f "$demo/one-time-password"
  "$panel" --config "$demo/panel.toml" user add admin --role admin --one-time-password-file "$demo/one-time-password" >/dev/null ||
    "$panel" --config "$demo/panel.toml" user reset admin --one-time-password-file "$demo/one-time-password" >/dev/null ||
    fail "The first admin could not be added: see $demo/panel.log."
  (umask 077 && printf 'url=%s\nuser=admin\npassword=%s\n' "$url" "$(cat "$demo/one-time-password")" >"$file")
  rm -f "$demo/one-time-password"
}

# What could lose a link is backed up first, and backups want a key. On a real host it is kept elsewhere.
backup_key() {
  [ -s "$demo/backup-key" ] || "$panel" --config "$demo/panel.toml" backup key --identity-file "$demo/backup-key" >/dev/null ||
    note "backups have a key already, which is not in $demo"
}

welcome() {
  say ""
  say "${c_bold}OpenClaw Panel is up.${c_plain}"
  say "  open      $url"
  say "  user      $(sed -n 's/^user=//p' "$demo/first-login")"
  if "$panel" --config "$demo/panel.toml" user list --json | grep '"name":"admin"' | grep -q '"password_is_one_time":true'; then
    say "  password  $(sed -n 's/^password=//p' "$demo/first-login")   (one-time: choose your own after signing in)"
  else
    say "  password  the one that you chose"
  fi
  say ""
  say "The browser will warn: the certificate comes from the demo's own authority,"
  say "$demo/caddy/caddy/pki/authorities/local/root.crt."
  if [ -n "$stand_in_port" ]; then
    say "WhatsApp is a stand-in. To link: press Link, and when the code is on the page play the phone in another terminal:"
    say "  $panel --config $demo/panel.toml demo scan"
  fi
  say "Backups are opened by the key in $demo/backup-key; on a real host keep it elsewhere."
  say "From another machine: ssh -L $https_port:127.0.0.1:$https_port THIS-MACHINE, then open $url there."
  say "The log of the panel is $demo/panel.log. Ctrl-C stops the panel; the gateway goes on. 'make demo-down' removes all."
}

farewell() {
  status=$?
  trap - EXIT INT TERM
  if [ -n "${panel_pid:-}" ]; then
    say ""
    say "Stopping the panel."
    kill -TERM "$panel_pid" 2>/dev/null || true
    wait "$panel_pid" 2>/dev/null || true
  fi
  [ -z "${caddy_pid:-}" ] || { kill -TERM "$caddy_pid" 2>/dev/null || true; wait "$caddy_pid" 2>/dev/null || true; }
  rm -f "$demo/panel.pid" "$demo/caddy.pid"
  exit "$status"
}

down() {
  ! alive "$demo/panel.pid" || { kill -TERM "$(cat "$demo/panel.pid")"; wait_until 40 panel_ended || fail "The panel does not stop."; }
  leftover "$demo/caddy.pid"
  if docker info >/dev/null 2>&1; then
    local label="label=com.docker.compose.project=$project"
    docker ps -aq --filter "$label" | xargs -r docker rm -f -v >/dev/null
    docker volume ls -q --filter "$label" | xargs -r docker volume rm >/dev/null
    docker network ls -q --filter "$label" | xargs -r docker network rm >/dev/null
  else
    say "Docker does not answer: its containers stay until 'make demo-down' runs again."
  fi
  stop_database
  [ ! -L "$demo/data" ] || rm -rf "$(readlink "$demo/data")"
  rm -rf "$demo"
  say "The demo is gone; images and build results stay in $CACHE."
}
# A panel that was killed leaves its Postgres running.
stop_database() {
  local pid
  pid=$(head -n 1 "$demo/data/postgres/data/postmaster.pid" 2>/dev/null) || return 0
  # shellcheck disable=SC2317  # called by wait_until
  stopped() { ! grep -q postgres "/proc/$pid/cmdline"; }
  stopped 2>/dev/null && return 0
  kill -INT "$pid" 2>/dev/null || true
  wait_until 20 stopped || true
}

# shellcheck disable=SC2317  # called by wait_until
panel_ended() { ! alive "$demo/panel.pid"; }

case "${1:-up}" in
  up) main ;;
  down) down ;;
  *) fail "Say what to do: .setup/demo.sh, or .setup/demo.sh down." ;;
esac
