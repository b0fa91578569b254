#!/usr/bin/env bash
# build.sh [VERSION]: makes the Docker image openclaw:VERSION (default 2026.9.6) without a registry
# of images: OpenClaw, npm and Node come from the npm registry, the C library, the CA bundle and a
# busybox shell from this machine, and `docker import` makes an image of them.
#
# What differs from the vendor's image: a fresh state volume is not empty. Docker fills it from
# /home/node/.openclaw, which holds a minimal openclaw.json and the WhatsApp plugin of the same
# version; without the plugin a gateway of 2026.4 or later has no WhatsApp channel at all.
#
# OPENCLAW_IMAGE_SOURCE=REFERENCE (the vendor's image of that version, say) is pulled and furnished
# likewise instead; where the pull fails, the image is built. OPENCLAW_IMAGE=NAME:TAG names the result. Prints nothing but progress.
# shellcheck source=.setup/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../.setup/lib.sh"

here="$ROOT/openclaw/image"
version="${1:-2026.9.6}"
node_major=24
npm_version=11
image="${OPENCLAW_IMAGE:-openclaw:$version}"
source="${OPENCLAW_IMAGE_SOURCE:-}"
label=org.openclaw-panel.recipe
recipe="$version-$node_major-$(uname -m)-$(grep -hv '^ *#' "$here/build.sh" "$here/openclaw.json" | hash_of -)"

main() {
  [[ $version =~ ^[0-9]{4}\.[0-9]+\.[0-9]+(-[0-9a-z.]+)?$ ]] ||
    fail "'$version' is no OpenClaw version: give one like 2026.9.6."
  docker info >/dev/null 2>&1 || fail "Docker does not answer: run .setup/docker.sh first."
  before=$(docker image inspect --format '{{.Id}}' "$image" 2>/dev/null || true)
  refuse_foreign_image
  helper='' base='' work=''
  trap clean_up EXIT
  if [ -n "$source" ]; then
    local built=$recipe
    recipe="$recipe-from-$source"
    is_made && return 0
    if pulled; then
      furnish "$source"
      return 0
    fi
    recipe=$built
  fi
  is_made && return 0
  build
}

build() {
  have npm || fail "npm is missing: run .setup/packages.sh demo first."
  [ -x /bin/busybox ] || fail "busybox is missing: run .setup/packages.sh demo first."
  need_space "$CACHE" 3 "Building the OpenClaw image"
  local dockers
  dockers=$(docker info --format '{{.DockerRootDir}}')
  [ ! -d "$dockers" ] || need_space "$dockers" 3 "Docker, for the OpenClaw image,"
  find "$CACHE/images" -maxdepth 1 -name 'build.*' -mmin +120 -exec rm -rf {} + # of builds that were killed
  work=$(mktemp -d "$CACHE/images/build.XXXXXX")
  fetch
  lay_out_root
  base=$(import_root) || no_room import
  rm "$work/root.tar"
  furnish "$base"
}

no_room() { fail "Docker could not take the image in: see $LOGS/docker-$1.log; 'docker system df' shows what to free."; }

# --- is there anything to do? -----------------------------------------------------------------
recipe_of() { docker image inspect --format "{{index .Config.Labels \"$label\"}}" "$1" 2>/dev/null; }
is_made() { [ "$(recipe_of "$image")" = "$recipe" ]; }

# A tag that somebody else made stays theirs.
refuse_foreign_image() {
  [ -z "$before" ] || [ -n "$(recipe_of "$before")" ] ||
    fail "There is an image $image already that this project did not make: name another one with" \
      "OPENCLAW_IMAGE=openclaw-panel/openclaw:$version, or remove that one."
}

pulled() {
  note "pulling $source"
  docker pull --quiet "$source" >"$LOGS/docker-pull.log" 2>&1 || docker image inspect "$source" >/dev/null 2>&1 ||
    { note "the pull failed: building the image instead"; return 1; }
}

clean_up() {
  [ -z "$helper" ] || docker rm -f "$helper" >/dev/null 2>&1 || true
  [ -z "$base" ] || docker image rm "$base" >/dev/null 2>&1 || true
  # A hundred thousand small files: nobody has to wait for that.
  [ -z "$work" ] || setsid rm -rf "$work" >/dev/null 2>&1 &
}

# --- parts from the npm registry --------------------------------------------------------------
arch() {
  case "$(uname -m)" in
    x86_64) echo x64 ;;
    aarch64) echo arm64 ;;
    *) fail "There is no Node build in the npm registry for $(uname -m): use a machine with x86_64 or aarch64, or set OPENCLAW_IMAGE_SOURCE." ;;
  esac
}

npm_get() { # npm_get LOG PREFIX PACKAGE: the package, with all it needs inside it, as `npm i -g` does
  mkdir -p "$2"
  quietly "$1" npm install --global --prefix "$2" --omit=dev --no-audit --no-fund "$3" ||
    fail "npm could not install $3: see $LOGS/$1.log, and check 'npm ping'."
}

fetch() {
  # A release refuses to be installed by a Node that it would not run on, so Node comes first.
  node_home="$TOOLS/node-$node_major"
  local package
  package="node-linux-$(arch)"
  node_bin="$node_home/lib/node_modules/$package/bin"
  if [ ! -x "$node_bin/node" ]; then
    note "fetching Node $node_major"
    npm_get npm-node "$node_home" "$package@$node_major"
  fi
  export PATH="$node_bin:$PATH"
  note "fetching OpenClaw $version (about a minute)"
  npm_get npm-openclaw "$work/openclaw" "openclaw@$version"
  bundled_parts
  npm_get npm-npm "$work/npm" "npm@$npm_version"
}

# Releases until March 2026 fetch what their bundled plugins need after a global install, and that
# step of theirs fails today: an optional peer has moved on, and WhatsApp's library wants a part
# from GitHub. Only two plugins are needed for the gateway to answer and its commands to run; so
# such an image has no WhatsApp, and serves for what an older protocol looks like.
bundled_parts() {
  local package="$work/openclaw/lib/node_modules/openclaw" parts
  [ -d "$package/dist/extensions/whatsapp" ] || return 0
  # shellcheck disable=SC2016  # JavaScript's own placeholders
  mapfile -t parts < <(cd "$package/dist/extensions" && node -p '
    ["slack", "amazon-bedrock"].flatMap((plugin) => {
      const { dependencies = {} } = JSON.parse(fs.readFileSync(`${plugin}/package.json`, "utf8"));
      return Object.entries(dependencies).map(([name, version]) => `${name}@${version}`);
    }).join("\n")')
  note "fetching parts of its bundled plugins (about a minute)"
  (
    cd "$package"
    quietly npm-bundled npm install --omit=dev --no-save --no-package-lock --legacy-peer-deps --no-audit --no-fund "${parts[@]}"
  ) || fail "npm could not install ${parts[*]}: see $LOGS/npm-bundled.log."
}

# --- the root folder --------------------------------------------------------------------------
lay_out_root() {
  local root="$work/root" applet
  mkdir -p "$root"/{bin,dev,proc,sys,run,usr/bin,usr/local/bin,usr/local/lib/node_modules,etc/ssl/certs,home/node,var,root}
  install -d -m 1777 "$root/tmp" "$root/var/tmp"

  # The vendor's layout: the package is the folder /app, the command is `node dist/index.js` there.
  mv "$work/openclaw/lib/node_modules/openclaw" "$root/app"

  install -m 755 "$node_bin/node" "$root/usr/local/bin/node"
  mv "$work/npm/lib/node_modules/npm" "$root/usr/local/lib/node_modules/npm"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$root/usr/local/bin/npx"
  ln -s /app/openclaw.mjs "$root/usr/local/bin/openclaw"

  install -m 755 /bin/busybox "$root/bin/busybox"
  for applet in $(/bin/busybox --list); do
    [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
  done
  ln -s /bin/env "$root/usr/bin/env"

  copy_libraries
  prune_other_platforms

  cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
  printf 'root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000:node:/home/node:/bin/sh\n' >"$root/etc/passwd"
  printf 'root:x:0:\nnode:x:1000:\n' >"$root/etc/group"
  printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
  printf 'ID=openclaw-panel\nPRETTY_NAME="OpenClaw %s, built by OpenClaw Panel"\n' "$version" >"$root/etc/os-release"
}

# The C library and whatever Node and the native modules are linked against, at the same paths.
copy_libraries() {
  local library
  {
    printf '%s\n' "$node_bin/node"
    find "$work/root/app" -name '*.node' -path "*linux*$(arch)*" ! -path '*musl*'
  } | xargs -r -n 1 ldd 2>/dev/null | grep -o '/[^ ]*' | grep -v -F "$work" | sort -u >"$work/libraries"
  find /lib /usr/lib -maxdepth 2 -name 'libnss_*.so.2' -o -maxdepth 2 -name 'libresolv.so.2' >>"$work/libraries"
  while read -r library; do
    install -D -m 755 "$(readlink -f "$library")" "$work/root/$library"
  done < <(grep -E '\.so(\.|$)' "$work/libraries")
}

# Builds for other systems are a tenth of the size and never run here.
prune_other_platforms() {
  find "$work/root/app" -depth -type d \( -name 'darwin-*' -o -name 'win32-*' -o -name 'musl_*' \) -exec rm -rf {} +
}

# --- the image --------------------------------------------------------------------------------
command_json() { printf '["node", "dist/index.js", "gateway", "--bind", "lan", "--port", "18789"]'; }

import_root() {
  note "importing the image"
  local archive="$work/root.tar"
  # Two passes give the right owners without being root.
  tar -C "$work/root" --owner=0 --group=0 --numeric-owner --exclude=./home/node -cf "$archive" .
  tar -C "$work/root" --owner=1000 --group=1000 --numeric-owner -rf "$archive" ./home/node
  docker import \
    --change 'ENV PATH=/usr/local/bin:/usr/bin:/bin' \
    --change 'ENV HOME=/home/node' \
    --change 'ENV NODE_ENV=production' \
    --change 'ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt' \
    --change 'WORKDIR /app' \
    --change 'USER node' \
    --change 'EXPOSE 18789 18790' \
    --change "LABEL org.opencontainers.image.title=OpenClaw" \
    --change "LABEL org.opencontainers.image.version=$version" \
    --change "CMD $(command_json)" \
    "$archive" 2>"$LOGS/docker-import.log"
}

# What a fresh state volume starts with: the config, and the plugin where the gateway itself would put
# it, by the gateway's own command inside a container, as the records it writes name the container's
# paths. This machine's npm settings (a company's registry, say) go in through standard input, so that
# nothing of them stays.
furnish() {
  note "installing config and WhatsApp plugin (about 40 s)"
  # shellcheck disable=SC2016  # expands inside the container
  helper=$(docker create -i --init --network host --user node --tmpfs /tmp:mode=1777 "$1" sh -euc '
    umask 077
    cat >/tmp/npmrc
    mkdir -p "$HOME/.openclaw"
    printf "%s\n" "$1" >"$HOME/.openclaw/openclaw.json"
    # Releases until March 2026 carry the plugin inside.
    [ ! -d dist/extensions/whatsapp ] || exit 0
    export NPM_CONFIG_USERCONFIG=/tmp/npmrc NPM_CONFIG_CACHE=/tmp/npm-cache
    export OPENCLAW_GATEWAY_TOKEN=only-for-this-build OPENCLAW_CONTROL_UI_ORIGIN=http://127.0.0.1:18789
    node dist/index.js plugins install "npm:@openclaw/whatsapp@$2"
    rm -rf "$HOME/.npm" "$HOME/.cache" "$HOME/.openclaw/openclaw.json.bak"' \
    furnish "$(cat "$here/openclaw.json")" "$version" 2>"$LOGS/docker-create.log") || no_room create
  npm_settings | docker start -a -i "$helper" >"$LOGS/whatsapp-plugin.log" 2>&1 || {
    tail -n 40 "$LOGS/whatsapp-plugin.log" >&2
    fail "The WhatsApp plugin could not be installed: see $LOGS/whatsapp-plugin.log."
  }
  docker commit --change 'USER node' --change "CMD $(command_json)" \
    --change 'ENV OPENCLAW_CONTROL_UI_ORIGIN=http://127.0.0.1:18789' \
    --change "LABEL $label=$recipe" "$helper" "$image" >"$LOGS/docker-commit.log" 2>&1 || no_room commit
  base='' # part of the image now
  # The one from an older recipe goes, unless a container still needs it.
  [ -z "$before" ] || docker image rm "$before" >/dev/null 2>&1 || true
  note "made $image ($(docker image inspect --format '{{.Size}}' "$image" | numfmt --to=si)B)"
}

npm_settings() {
  local file
  file=$(npm config get userconfig 2>/dev/null || true)
  [ ! -f "$file" ] || cat "$file"
  ! have npm || printf 'registry=%s\n' "$(npm config get registry 2>/dev/null)"
}

main
