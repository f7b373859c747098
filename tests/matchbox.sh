#!/usr/bin/env bash
# Builds the Rust client with the feature `matchbox`, which takes a minute or two, and lets two sockets of matchbox_socket find each other
# in a room. SIGNALPOST_BIN=PATH uses that server instead of the debug build.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --locked --manifest-path clients/rust/Cargo.toml --target-dir target --features matchbox --example matchbox
binary=${SIGNALPOST_BIN:-target/debug/signalpost}
work=$(mktemp -d)
running=()
trap 'kill "${running[@]}" 2> /dev/null || true; rm -r "$work"' EXIT

# Waits until a line of a file matches. The time-out is against hanging only.
line() { grep -m 1 -E "$2" < <(timeout 60 tail -n +1 -F "$1" 2> /dev/null); }

"$binary" --listen 127.0.0.1:0 > "$work/server" & running+=($!)
base=$(line "$work/server" '^listening on ')
base=${base#listening on }

for name in Ann Ben; do
  target/debug/examples/matchbox "$base/tea" "$name" > "$work/$name" & running+=($!)
done
line "$work/Ann" '^hello from Ben$'
line "$work/Ben" '^hello from Ann$'

# Who ends is missed, by the data channel or by the server.
kill "${running[2]}"
line "$work/Ann" 'Disconnected'
echo 'two sockets have met in a room'
