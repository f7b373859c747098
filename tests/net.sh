#!/usr/bin/env bash
# Calls through NATs, blocked UDP, an HTTP proxy and lossy links, in networks that the tests create; and coturn with its own
# client. Installs what they need. Requires Debian, and root unless the kernel lets users create namespaces.
#
#   bash tests/net.sh           all tests; about five minutes, so this is not part of tests/run.sh
#   bash tests/net.sh FILE…     some of tests/net/*.test.js
#   bash tests/net.sh short     what tests/run.sh runs: three networks and an encoder in 30 s, and STUN on two addresses; exits with 77 and the
#                               reason if networks cannot be created
#   bash tests/net.sh install   only installs the Debian packages
#
# UPDATE_DOCS=1 writes the table in docs/connectivity.md.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { printf 'tests/net.sh: %s\n' "$*" >&2; exit 1; }
export PATH=$PATH:/usr/sbin

packages=()
for pair in unshare=util-linux ip=iproute2 nft=nftables turnserver=coturn chromium=chromium openssl=openssl certutil=libnss3-tools \
  curl=curl python3=python3 faketime=faketime /usr/lib/squid/security_file_certgen=squid-openssl; do
  command -v "${pair%%=*}" > /dev/null || packages+=("${pair#*=}")
done
if [ ${#packages[@]} -gt 0 ]; then
  sudo=""
  [ "$(id -u)" -eq 0 ] || sudo=sudo
  command -v apt-get > /dev/null || fail "install these by hand, this system has no apt-get: ${packages[*]}"
  printf '== installing %s\n' "${packages[*]}"
  DEBIAN_FRONTEND=noninteractive $sudo apt-get -o DPkg::Lock::Timeout=120 update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get -o DPkg::Lock::Timeout=120 install -y -qq --no-install-recommends "${packages[@]}" > /dev/null ||
    fail "apt-get could not install: ${packages[*]}"
fi
[ "${1:-}" != install ] || exit 0

if ! why=$(bash tests/net/inside.sh 2>&1); then
  cannot="$(id -un) may not create network namespaces on this system ($(tail -n 1 <<< "$why"))"
  [ "${1:-}" = short ] || fail "$cannot: run this as root; in a container, as root with --privileged; or set kernel.unprivileged_userns_clone=1 and, on Ubuntu, kernel.apparmor_restrict_unprivileged_userns=0"
  printf '%s\n' "$cannot"
  exit 77
fi

if [ "${1:-}" = short ]; then
  files=(tests/net/nat.test.js tests/net/stun.test.js)
elif [ $# -gt 0 ]; then
  files=("$@")
else
  files=(tests/net/*.test.js)
fi
if ! cmp -s tests/package-lock.json tests/node_modules/.installed-lock; then
  npm --prefix tests ci --no-audit --no-fund --loglevel=error
  cp tests/package-lock.json tests/node_modules/.installed-lock
fi
# What an encoder sends is made with PyAV.
if [ ! -x target/python/bin/python ]; then
  python3 -m venv target/python
  target/python/bin/pip install --quiet --disable-pip-version-check -r tests/requirements.txt
fi
if [ -z "${SIGNALPOST_BIN:-}" ]; then
  cargo build --release --locked
  export SIGNALPOST_BIN=$PWD/target/release/signalpost
fi
bash tests/net/inside.sh node --test --test-reporter=spec --test-concurrency=1 --test-force-exit --test-timeout=1800000 "${files[@]}"
