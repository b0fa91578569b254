# shellcheck shell=bash
# What every script in .setup shares: strict mode, words to the person, the cache, stamps.
# Sourced, never run.
set -euo pipefail

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
# shellcheck disable=SC2034  # used by those who source this
SETUP="$ROOT/.setup"

# Everything slow to make lives outside the checkout, so that a fresh clone starts warm.
CACHE="${OPENCLAW_PANEL_CACHE:-${XDG_CACHE_HOME:-${HOME:?HOME is not set: set it, or set OPENCLAW_PANEL_CACHE}/.cache}/openclaw-panel}"
TOOLS="$CACHE/tools"
LOGS="$CACHE/log"
mkdir -p "$CACHE"/{images,log,stamps,tools/bin}
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$CACHE/target}"
export PATH="$TOOLS/bin:$PATH"

# --- words -----------------------------------------------------------------------------------
if [ -t 2 ]; then c_bold=$'\e[1m' c_red=$'\e[31m' c_dim=$'\e[2m' c_plain=$'\e[0m'; else c_bold='' c_red='' c_dim='' c_plain=''; fi
steps_total=0
steps_done=0

say() { printf '%s\n' "$*" >&2; }
note() { printf '      %s%s%s\n' "$c_dim" "$*" "$c_plain" >&2; }

# steps N: how many `step` calls follow, so that each can say how far it is.
steps() { steps_total=$1 steps_done=0; }
step() {
  steps_done=$((steps_done + 1))
  printf '%s[%d/%d]%s %s\n' "$c_bold" "$steps_done" "$steps_total" "$c_plain" "$*" >&2
}

# One sentence that says what to do, and the end.
fail() {
  printf '%sStopped:%s %s\n' "$c_red" "$c_plain" "$*" >&2
  exit 1
}

# quietly LOG COMMAND...: output goes to a log file and is shown only when the command fails. What takes
# long shows the last line of its log meanwhile: in place on a terminal, once a minute elsewhere.
quietly() {
  local log="$LOGS/$1.log" status=0 watcher
  shift
  : >"$log"
  watch_log "$log" &
  watcher=$!
  "$@" >"$log" 2>&1 </dev/null || status=$?
  kill "$watcher" 2>/dev/null || true
  wait "$watcher" 2>/dev/null || true
  [ ! -t 2 ] || printf '\r\e[K' >&2
  if [ "$status" -ne 0 ]; then
    say "--- the last lines of $log"
    tail -n 40 "$log" >&2
    say "---"
  fi
  return "$status"
}

watch_log() {
  local line never beat=60
  [ ! -t 2 ] || beat=1
  exec {never}<> <(:)                           # a pipe that stays silent: `read` on it is a sleep
  trap 'exit 0' TERM                            # that ends at once and leaves no process behind
  while ! read -r -t "$beat" -u "$never" line && kill -0 $$ 2>/dev/null; do
    line=$(tail -n 1 "$1" | tr -d '\000-\037' | cut -c1-"$((${COLUMNS:-80} - 8))")
    if [ -t 2 ]; then printf '\r\e[K      %s%s%s' "$c_dim" "$line" "$c_plain" >&2; else note "… $line"; fi
  done
}

# --- questions about the machine --------------------------------------------------------------
have() { command -v "$1" >/dev/null 2>&1; }
am_root() { [ "$(id -u)" -eq 0 ]; }

# need_space FOLDER GIGABYTES WHAT-FOR
need_space() {
  local folder=$1 want=$2 free
  while [ ! -d "$folder" ]; do folder=$(dirname "$folder"); done
  free=$(($(df --output=avail -k "$folder" | tail -n 1) / 1024 / 1024))
  [ "$free" -ge "$want" ] || fail "$3 needs about $want GB, and the disk of $folder has $free GB free:" \
    "make room there, or set OPENCLAW_PANEL_CACHE to a folder on a larger disk."
}

port_taken() { [ -n "$(ss -Hltn "sport = :$1" 2>/dev/null)" ]; }
port_holder() { ss -Hltnp "sport = :$1" 2>/dev/null | sed -n 's/.*users:((\("[^"]*"\),pid=\([0-9]*\).*/\1, process \2/p' | head -n 1; }

# wait_until SECONDS COMMAND...: for what offers no event to wait on.
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || return 1
    sleep 0.2
  done
}

# --- stamps: what was done with which ingredients ----------------------------------------------
stamped() { [ "$(cat "$CACHE/stamps/$1" 2>/dev/null)" = "$2" ]; }
stamp() { printf '%s\n' "$2" >"$CACHE/stamps/$1"; }
hash_of() { cat "$@" | sha256sum | cut -c1-16; }
