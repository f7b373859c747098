#!/usr/bin/env bash
# Builds the static binary and tests it with the files in deploy/ that need additional programs. The build takes minutes, so this
# is not part of tests/run.sh. Requires Debian, root and systemd's tools, but no image registry.
#
#   bash tests/deploy.sh                 builds the binary first
#   bash tests/deploy.sh PATH            uses this static binary
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { printf 'tests/deploy.sh: %s\n' "$*" >&2; exit 1; }
say() { printf '== %s\n' "$*"; }
export PATH=$PATH:/usr/sbin

[ "$(id -u)" -eq 0 ] || fail "this needs root, for chroot and buildah"
command -v systemd-analyze > /dev/null || fail "systemd-analyze is missing"
packages=()
for pair in musl-gcc=musl-tools buildah=buildah curl=curl jq=jq; do
  command -v "${pair%%=*}" > /dev/null || packages+=("${pair#*=}")
done
if [ ${#packages[@]} -gt 0 ]; then
  say "installing ${packages[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" > /dev/null
fi

if [ $# -gt 0 ]; then
  binary=$1
else
  say "building the static binary"
  target="$(uname -m)-unknown-linux-musl"
  rustup target add "$target"
  cargo build --release --locked --target "$target"
  binary=target/$target/release/signalpost
fi
folder=$(mktemp -d)
server=
finish() {
  [ -z "$server" ] || kill "$server" 2> /dev/null || true
  [ ! -d "$folder/storage" ] || images umount --all > /dev/null 2>&1 || true
  rm -rf "$folder"
}
trap finish EXIT
images() { buildah --root "$folder/storage" --runroot "$folder/run" --storage-driver vfs "$@"; }

# Runs the program in a chroot as the image's user, and checks its health, a join and its page.
lives_in() {
  local root=$1 port=$2
  local inside=(env -i PATH="$PATH" SIGNALPOST_LISTEN="0.0.0.0:$port" SIGNALPOST_TOKEN_KEY=kZ3vq9TfWm1x8LrP0aYdBcQe5Ns7Hj2U
    chroot --userspec="$user" "$root" /signalpost)
  "${inside[@]}" > "$folder/out" 2> "$folder/log" &
  server=$!
  until "${inside[@]}" healthcheck 2> /dev/null; do kill -0 "$server" || fail "the server exited: $(cat "$folder/log")"; done
  [ "$(awk '/^Uid:/ { print $2 }' "/proc/$server/status")" = "${user%%:*}" ] || fail "the server runs as a different user"
  curl -sSf "http://127.0.0.1:$port/v1/rooms/tea/peers" -X POST | jq -e .token > /dev/null
  curl -sSf "http://127.0.0.1:$port/" | grep -q "<title>" || fail "the page is not served"
  kill -TERM "$server"
  wait "$server" || fail "the server did not exit cleanly: $?"
  server=
  ! "${inside[@]}" healthcheck 2> /dev/null || fail "the health check passes without a server"
}
free_port() { node -e 'require("net").createServer().listen(0, "127.0.0.1", function () { console.log(this.address().port); this.close(); })'; }

say "the binary is static"
readelf --program-headers "$binary" | grep -q INTERP && fail "$binary requires a dynamic linker"

say "the last stage of deploy/Containerfile, with this binary"
mkdir "$folder/build"
cp "$binary" "$folder/build/signalpost"
sed -n '/^FROM scratch/,$p' deploy/Containerfile > "$folder/Containerfile"
images build --quiet --format docker --isolation chroot --build-context "build=$folder/build" -f "$folder/Containerfile" -t signalpost "$folder" > /dev/null
described=$(images inspect --type image signalpost | jq .Docker.config)
user=$(jq -r .User <<< "$described")
jq -e '.Entrypoint == ["/signalpost"] and .Healthcheck.Test == ["CMD", "/signalpost", "healthcheck"] and (.ExposedPorts | keys) == ["8080/tcp"]
  and (.Env | index("SIGNALPOST_LISTEN=0.0.0.0:8080"))' <<< "$described" > /dev/null || fail "unexpected image config: $described"
[[ $user =~ ^[1-9][0-9]+:[1-9][0-9]+$ ]] || fail "the image's user is $user"

say "in the image, as user $user: starts, is healthy, accepts a join, stops"
container=$(images from --pull-never localhost/signalpost)
root=$(images mount "$container")
held=$(cd "$root" && find . -type f)
[ "$held" = ./signalpost ] || fail "the image contains $held"
lives_in "$root" "$(free_port)"

say "deploy/signalpost.service, also as a template"
for unit in signalpost.service signalpost@.service; do
  sed "s#^ExecStart=/usr/local/bin/signalpost#ExecStart=$folder/build/signalpost#" deploy/signalpost.service > "$folder/$unit"
  complaints=$(systemd-analyze verify --man=no "$folder/$unit" 2>&1) || fail "$complaints"
  [ -z "$complaints" ] || fail "$complaints"
done
systemd-analyze security --offline=true --threshold=20 --no-pager "$folder/signalpost.service" | tail -1

say "all passed"
