#!/usr/bin/env bash
# Runs a command in new user, network and mount namespaces, in which it may create networks. They end with the command.
#
#   bash tests/net/inside.sh node --test tests/net/      as any user if the kernel allows that, otherwise as root
#   bash tests/net/inside.sh                             does nothing; fails if namespaces cannot be created
#
# Inside, /etc is a writable overlay, invisible outside, so the files in deploy/ can be installed at their documented paths.
set -euo pipefail

[ $# -gt 0 ] || set -- true

if [ -z "${SIGNALPOST_INSIDE:-}" ]; then
  PATH=$PATH:/usr/sbin:/sbin
  export PATH SIGNALPOST_INSIDE=1
  exec unshare --user --map-root-user --net --mount bash "$0" "$@"
fi

# `ip netns` keeps its names in /run.
mount -t tmpfs none /run
mkdir /run/netns /run/etc /run/work
mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/etc,workdir=/run/work /etc
mkdir -p /etc/signalpost
ip link set lo up
ip netns add probe
ip netns del probe
exec "$@"
