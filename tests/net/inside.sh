#!/usr/bin/env bash
# Runs a command where it may make networks: in user, network and mount namespaces of its own, which end with it.
#
#   bash tests/net/inside.sh node --test tests/net/      as any user, if the kernel lets users do that, or as root
#   bash tests/net/inside.sh                             does nothing, and fails if it cannot be done
#
# Inside, /etc can be written to and nobody else sees it, so that the files of deploy/ lie where they say they do.
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
