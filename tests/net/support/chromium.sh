#!/bin/sh
# Chromium on one of the machines: Playwright wants one program to start.
exec ip netns exec "$SIGNALPOST_HOST" setpriv --pdeathsig KILL "${CHROMIUM:-/usr/bin/chromium}" "$@"
