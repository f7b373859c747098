#!/bin/sh
# Runs rustc so that libFuzzer sees which branches an input takes. These are the flags of cargo-fuzz, which stable Rust
# knows as well; as a RUSTC_WORKSPACE_WRAPPER it leaves the dependencies as other builds have compiled them. The JSON and
# ticket parsers are generic, so what runs of them is compiled here. Not optimised: that takes longer than it saves.
exec "$@" --cfg fuzzing -C opt-level=0 -C debug-assertions -C overflow-checks -C passes=sancov-module \
  -C llvm-args=-sanitizer-coverage-level=4 -C llvm-args=-sanitizer-coverage-inline-8bit-counters \
  -C llvm-args=-sanitizer-coverage-pc-table -C llvm-args=-sanitizer-coverage-trace-compares
