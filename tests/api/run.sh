#!/usr/bin/env bash
# Starts a server, and runs Schemathesis against it for SECONDS: requests that the committed document allows, and requests that
# it forbids.
#
#   bash tests/api/run.sh BINARY SECONDS
set -euo pipefail
cd "$(dirname "$0")"

export PYTHONDONTWRITEBYTECODE=1
log=$(mktemp)
"$1" --listen 127.0.0.1:0 --rate-join 0 --rate-send 0 --rate-poll 0 --log error > "$log" 2>&1 &
server=$!
trap 'kill $server; rm "$log"' EXIT
until grep -q 'listening on' "$log"; do kill -0 $server; read -rt 0.05 <> <(:) || true; done
url=$(sed -n 's/^listening on //p' "$log" | head -1)

../../target/python/bin/schemathesis --config-file schemathesis.toml run ../../openapi/openapi.json --url "$url" --max-time "$2"
