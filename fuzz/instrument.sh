#!/bin/sh
# Runs rustc with coverage instrumentation for libFuzzer. The flags are those of cargo-fuzz; stable Rust accepts them, too.
# As a RUSTC_WORKSPACE_WRAPPER it reuses dependencies that other builds have compiled. The JSON and ticket parsers are
# generic, so their instances are compiled, and instrumented, here. Not optimised: that would take longer than it saves.
# Build scripts are not part of what is fuzzed, and not linked with libFuzzer.
case " $* " in *" --crate-name build_script_"*) exec "$@" ;; esac
exec "$@" --cfg fuzzing -C opt-level=0 -C debug-assertions -C overflow-checks -C passes=sancov-module \
  -C llvm-args=-sanitizer-coverage-level=4 -C llvm-args=-sanitizer-coverage-inline-8bit-counters \
  -C llvm-args=-sanitizer-coverage-pc-table -C llvm-args=-sanitizer-coverage-trace-compares
