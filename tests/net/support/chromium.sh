#!/bin/sh
# Chromium on one of the hosts. Playwright needs a single executable to launch.
exec ip netns exec "$SIGNALPOST_HOST" setpriv --pdeathsig KILL "${CHROMIUM:-/usr/bin/chromium}" "$@"
