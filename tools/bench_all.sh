#!/usr/bin/env bash
# The speed and memory tables of this machine, into its folder of benchmarks/results. Stops at the
# first failure. Accuracies have benchmarks of their own, see benchmarks/README.md.
set -euo pipefail
cd "$(dirname "$0")/.."
results=$(python -c 'from benchmarks._harness import machine; print(machine.folder())')
mkdir -p "$results"

step() {
  printf '\n== %s (%s s)\n' "$1" "$SECONDS"
}

step "the core and the gates, each instruction set"
for isa in $(python -c 'from addrnn import _core; print(_core.available_instruction_sets())'); do
  KERAS_ADDRNN_ISA=$isa make --no-print-directory bench-core \
    ARGS="--benchmark_min_time=1" 2>&1 | tee "build/bench_$isa.txt"
  mv "build/bench_$isa.txt" "$results/core_$isa.txt"
done
python -m benchmarks.core_tables

step "layers beside their peers"
for threads in $(printf '1\n%s\n' "$(nproc)" | sort -un); do
  python -m benchmarks.layers --all --peers --threads "$threads" --save
done

for name in mixed_model memory litert_latency integer_latency; do
  step "$name"
  case $name in *latency) seconds=(--seconds 20) ;; *) seconds=() ;; esac
  python -m "benchmarks.$name" "${seconds[@]}" --save
done

step "scaling"
rm -f "$results/scaling.jsonl"
python -m benchmarks.scaling --run

step "done"
