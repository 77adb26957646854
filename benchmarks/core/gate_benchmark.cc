// The gate by additions beside the gate by products: alone, on vectors of units, and in a cell.
//   make bench-core

#include <benchmark/benchmark.h>

#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "benchmarks/core/gates.h"
#include "cc_ops/core/dispatch.h"

namespace addrnn {
namespace {

constexpr int64_t kUnits = 1024;  // all in the nearest cache

template <typename T>
std::vector<T> Random(unsigned seed, bool signs) {
  std::mt19937 generator(seed);
  std::vector<T> values(kUnits);
  // Integers take half of their range, so that no sum overflows.
  const double scale = std::is_floating_point_v<T> ? 2 : double(1ull << (8 * sizeof(T) - 2));
  std::uniform_real_distribution<double> uniform(signs ? -scale : 0, scale);
  for (T& value : values) value = static_cast<T>(uniform(generator));
  return values;
}

template <typename T>
void Gate(benchmark::State& state, GateFunction<T> gate) {
  const std::vector<T> u = Random<T>(1, true), c = Random<T>(2, false), h = Random<T>(3, false);
  std::vector<T> next(kUnits);
  for (auto _ : state) {
    gate(u.data(), c.data(), h.data(), next.data(), kUnits);
    benchmark::DoNotOptimize(next.data());
    benchmark::ClobberMemory();
  }
  state.counters["ns_per_unit"] = benchmark::Counter(
      1e-9 * kUnits, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

// All steps of a batch in one thread, by the kernels of either gate.
void Cell(benchmark::State& state, const Kernels<float>* kernels) {
  const Problem p = {64, 28, 28, 128, Activation::kRelu, 0, __builtin_inf(), false};
  std::mt19937 generator(4);
  std::normal_distribution<float> normal(0, 0.05f);
  const auto random = [&](int64_t n) {
    std::vector<float> values(n);
    for (float& value : values) value = normal(generator);
    return values;
  };
  const std::vector<float> inputs = random(p.batch * p.time * p.input);
  const std::vector<float> kernel = random(p.input * 2 * p.units);
  const std::vector<float> recurrent_kernel = random(p.units * 2 * p.units);
  std::vector<float> outputs(p.batch * p.time * p.units), final_state(p.batch * p.units);
  ForwardTensors<float> tensors = {};
  tensors.inputs = inputs.data();
  tensors.outputs = outputs.data();
  tensors.final_state = final_state.data();
  const Weights<float> weights = {kernel.data(), recurrent_kernel.data(), nullptr};
  std::vector<float> packed(kernels->packed_forward_size(p));
  std::vector<float> scratch(kernels->forward_scratch_size(p, p.batch));
  for (auto _ : state) {
    kernels->pack_forward(p, weights, packed.data());
    kernels->forward({p, tensors, packed.data()}, 0, p.batch, scratch.data());
    benchmark::ClobberMemory();
  }
}

template <typename T>
void Register(const std::string& type, const Gates<T>& gates) {
  benchmark::RegisterBenchmark((type + "/addition").c_str(), Gate<T>, gates.addition);
  benchmark::RegisterBenchmark((type + "/hard_sigmoid").c_str(), Gate<T>, gates.hard_sigmoid);
  benchmark::RegisterBenchmark((type + "/sigmoid").c_str(), Gate<T>, gates.sigmoid);
}

}  // namespace
}  // namespace addrnn

int main(int argc, char** argv) {
  using namespace addrnn;
  benchmark::AddCustomContext("instruction_set", InstructionSet());
  const GateTable& gates = GatesFor(InstructionSet());
  Register("float32", gates.float32);
  Register("int32", gates.int32);
  Register("int16", gates.int16);
  Register("int8", gates.int8);
  benchmark::RegisterBenchmark("cell/addition", Cell, &SelectedKernels<float>());
  benchmark::RegisterBenchmark("cell/sigmoid", Cell, gates.multiplying_cell);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
