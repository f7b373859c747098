#!/usr/bin/env bash
# Coverage-guided fuzzing of the parsers (libFuzzer, on stable Rust). The properties they must keep are in
# src/transport/fuzzing, src/api/fuzzing and src/turn/fuzzing.rs.
#
#   bash tests/fuzz.sh 60                  one hour, all parsers in turn
#   bash tests/fuzz.sh 5 signal token      five minutes, only these parsers
#   bash tests/fuzz.sh 24s                 seconds
#
# Starts from fuzz/corpus and from the inputs that earlier runs left in target/fuzz. An input that violates a property is saved
# in target/fuzz/found. Fix the bug, then move the input to fuzz/corpus/NAME: `cargo test` tries every input there.
set -euo pipefail
cd "$(dirname "$0")/.."

ALL=(address body head http2 request signal ticket token turn)
TIME=${1:?"how many minutes? (bash tests/fuzz.sh 60)"}
TARGETS=("${@:2}")
[ ${#TARGETS[@]} -gt 0 ] || TARGETS=("${ALL[@]}")
case $TIME in *s) SECONDS_ALL=${TIME%s} ;; *) SECONDS_ALL=$((TIME * 60)) ;; esac
PROFILE=${FUZZ_PROFILE:-release}
BUILT=${PROFILE/#dev/debug}
EACH=$((SECONDS_ALL / ${#TARGETS[@]}))

# With the package itself and `--examples`, so that a debug build shares its dependencies with the tests (tests/run.sh).
RUSTC_WORKSPACE_WRAPPER="$PWD/fuzz/instrument.sh" cargo build --quiet --profile "$PROFILE" --locked -p signalpost-fuzz -p signalpost \
  --features signalpost-fuzz/libfuzzer "${ALL[@]/#/--bin=}" --examples

mkdir -p target/fuzz/found
for target in "${TARGETS[@]}"; do
  mkdir -p "target/fuzz/$target"
  log=target/fuzz/$target.log
  printf '%s: ' "$target"
  if ! "target/$BUILT/$target" "target/fuzz/$target" "fuzz/corpus/$target" -max_total_time="$EACH" -max_len=4096 -timeout=120 \
      -rss_limit_mb=1024 -dict=fuzz/words.dict -artifact_prefix="target/fuzz/found/$target-" -print_final_stats=1 > "$log" 2>&1; then
    grep -v '^#' "$log" | tail -40
    echo "tests/fuzz.sh: $target violates a property; the input is in target/fuzz/found" >&2
    exit 1
  fi
  printf '%s runs, %s branches\n' "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" \
    "$(grep -o 'cov: [0-9]*' "$log" | tail -1 | cut -d' ' -f2)"
done
