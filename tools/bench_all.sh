#!/usr/bin/env bash
# The speed and memory tables of docs/performance.md, docs/litert.md and docs/quantisation.md, into
# benchmarks/results. Stops at the first failure. Accuracies have scripts of their own.
set -euo pipefail
cd "$(dirname "$0")/.."
results=benchmarks/results

step() {
  printf '\n== %s (%s s)\n' "$1" "$SECONDS"
}

step "the core and the gates, each instruction set"
for isa in $(python -c 'from keras_addrnn import _core; print(_core.available_instruction_sets())'); do
  KERAS_ADDRNN_ISA=$isa make --no-print-directory bench-core \
    ARGS="--benchmark_min_time=1" 2>&1 | tee "build/bench_$isa.txt"
  mv "build/bench_$isa.txt" "$results/core_$isa.txt"
done
python benchmarks/core_tables.py "$results"/core_*.txt --write "$results"

step "layers beside their peers"
for threads in $(printf '1\n%s\n' "$(nproc)" | sort -un); do
  python benchmarks/layers.py --all --peers --threads "$threads" --write "$results/layers_$threads.md"
done

step "AddGRU among other layers"
python benchmarks/other_layers.py --write "$results/other_layers.md"

step "LiteRT"
python benchmarks/litert_latency.py --seconds 20 --write "$results/litert.md"

step "integers"
python benchmarks/integer_latency.py --seconds 20 --write "$results/integer_latency.md"

step "memory"
python benchmarks/memory.py --write "$results/memory.md"

step "growth"
python benchmarks/growth.py --output "$results/growth" >/dev/null

step "documents"
python benchmarks/tables.py

step "done"
