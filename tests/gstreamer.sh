#!/usr/bin/env bash
# GStreamer's encoder and player, whipclientsink and whepclientsrc, with the page and through NATs. Builds their plugin from crates.io,
# which takes about four minutes, so this is not part of tests/run.sh. Requires Debian, Rust 1.92 or newer, and root unless the kernel
# lets users create namespaces.
#
#   bash tests/gstreamer.sh
#
# UPDATE_DOCS=1 writes the table in docs/connectivity.md. SIGNALPOST_BIN=PATH tests that binary instead of building one.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! pkg-config --exists gstreamer-webrtc-1.0 gstreamer-plugins-base-1.0 || ! command -v gst-launch-1.0 > /dev/null; then
  printf '== installing GStreamer\n'
  sudo=""
  [ "$(id -u)" -eq 0 ] || sudo=sudo
  DEBIAN_FRONTEND=noninteractive $sudo apt-get -o DPkg::Lock::Timeout=120 update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get -o DPkg::Lock::Timeout=120 install -y -qq --no-install-recommends pkg-config \
    libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev libgstreamer-plugins-bad1.0-dev gstreamer1.0-tools gstreamer1.0-nice \
    gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad > /dev/null
fi
# A library of a dependency is built with `-p`, and left in the folder of the dependencies.
cargo build --locked --manifest-path tests/gstreamer/Cargo.toml --target-dir target/gstreamer -p gst-plugin-webrtc
export GST_PLUGIN_PATH=$PWD/target/gstreamer/debug
[ -e "$GST_PLUGIN_PATH/libgstrswebrtc.so" ] || { printf 'tests/gstreamer.sh: the plugin is not in %s\n' "$GST_PLUGIN_PATH" >&2; exit 1; }

if [ -z "${SIGNALPOST_BIN:-}" ]; then
  cargo build --release --locked
  export SIGNALPOST_BIN=$PWD/target/release/signalpost
fi
failed=0
# Installs everything else first.
bash tests/net.sh tests/gstreamer/nat.test.js || failed=1
node --test --test-reporter=spec --test-force-exit --test-timeout=600000 tests/gstreamer/page.test.js || failed=1
exit $failed
