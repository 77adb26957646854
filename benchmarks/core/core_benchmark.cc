// The core alone, without TensorFlow, beside what the machine's multiply-add units can do:
//   make bench-core ARGS=--benchmark_filter=Forward
// KERAS_ADDRNN_ISA and --benchmark_* flags apply. The counters: flops counts a multiply-add as two,
// ceiling_share is that rate over the ceiling of as many threads.

#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "benchmarks/core/ceiling.h"
#include "cc_ops/core/add_gru.h"
#include "cc_ops/core/dispatch.h"
#include "cc_ops/core/min_add_gru.h"
#include "cc_ops/core/thread_pool.h"

namespace addrnn {
namespace {

std::vector<float> Random(int64_t n, float scale, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0, scale);
  std::vector<float> values(n);
  for (float& value : values) value = normal(generator);
  return values;
}

// All buffers of a training step, with weights under which the state stays small.
class Step {
 public:
  explicit Step(const Problem& p)
      : p_(p),
        inputs_(Random(p.batch * p.time * p.input, 1, 1)),
        kernel_(Random(p.input * 2 * p.units, 0.1f, 2)),
        recurrent_kernel_(Random(p.units * 2 * p.units, 0.01f, 3)),
        bias_(Random(2 * p.units, 0.1f, 4)),
        outputs_(p.batch * p.time * p.units),
        final_state_(p.batch * p.units),
        d_outputs_(Random(p.batch * p.time * p.units, 0.01f, 5)),
        d_final_state_(Random(p.batch * p.units, 0.01f, 6)),
        d_inputs_(inputs_.size()),
        d_kernel_(kernel_.size()),
        d_recurrent_kernel_(recurrent_kernel_.size()),
        d_bias_(bias_.size()),
        d_initial_state_(p.batch * p.units),
        reserve_(p.batch * p.time * p.units) {}

  // Exactly `density` of the units are above zero from the first step on.
  void SetDensity(double density) {
    std::fill(kernel_.begin(), kernel_.end(), 0.0f);
    for (float& weight : recurrent_kernel_) weight *= 1e-6f;
    for (int64_t j = 0; j < p_.units; ++j) {
      bias_[j] = -1;  // replace the state
      bias_[p_.units + j] = int64_t((j + 1) * density) > int64_t(j * density) ? 1 : -1;
    }
  }

  void Forward(bool reserve) {
    ForwardTensors<float> tensors = {};
    tensors.inputs = inputs_.data();
    tensors.outputs = outputs_.data();
    tensors.final_state = final_state_.data();
    if (reserve) tensors.reserve = reserve_.data();
    AddGruForward(p_, Weights(), tensors);
  }

  void Backward() {
    BackwardTensors<float> tensors = {};
    tensors.inputs = inputs_.data();
    tensors.kernel = kernel_.data();
    tensors.recurrent_kernel = recurrent_kernel_.data();
    tensors.outputs = outputs_.data();
    tensors.reserve = reserve_.data();
    tensors.d_outputs = d_outputs_.data();
    tensors.d_final_state = d_final_state_.data();
    tensors.d_inputs = d_inputs_.data();
    tensors.d_kernel = d_kernel_.data();
    tensors.d_recurrent_kernel = d_recurrent_kernel_.data();
    tensors.d_bias = d_bias_.data();
    tensors.d_initial_state = d_initial_state_.data();
    AddGruBackward(p_, p_.go_backwards, tensors);
  }

 private:
  addrnn::Weights<float> Weights() const {
    return {kernel_.data(), recurrent_kernel_.data(), bias_.data()};
  }

  Problem p_;
  std::vector<float> inputs_, kernel_, recurrent_kernel_, bias_, outputs_, final_state_;
  std::vector<float> d_outputs_, d_final_state_, d_inputs_, d_kernel_, d_recurrent_kernel_, d_bias_,
      d_initial_state_;
  std::vector<uint8_t> reserve_;
};

// The same for the recurrence with gates on inputs alone.
class MinStep {
 public:
  explicit MinStep(const MinProblem& p)
      : p_(p),
        inputs_(Random(p.batch * p.time * p.input, 1, 1)),
        kernel_(Random(p.window * p.input * 2 * p.units, 0.1f, 2)),
        bias_(Random(2 * p.units, 0.1f, 4)),
        outputs_(p.batch * p.time * p.units),
        final_state_(p.batch * p.units),
        d_outputs_(Random(p.batch * p.time * p.units, 0.01f, 5)),
        d_final_state_(Random(p.batch * p.units, 0.01f, 6)),
        d_inputs_(inputs_.size()),
        d_kernel_(kernel_.size()),
        d_bias_(bias_.size()),
        d_initial_state_(p.batch * p.units),
        reserve_(p.batch * p.time * p.units) {}

  void Forward(bool reserve) {
    MinForwardTensors<float> tensors = {};
    tensors.inputs = inputs_.data();
    tensors.outputs = outputs_.data();
    tensors.final_state = final_state_.data();
    if (reserve) tensors.reserve = reserve_.data();
    MinAddGruForward(p_, {kernel_.data(), bias_.data()}, tensors);
  }

  void Backward() {
    MinBackwardTensors<float> tensors = {};
    tensors.inputs = inputs_.data();
    tensors.kernel = kernel_.data();
    tensors.reserve = reserve_.data();
    tensors.d_outputs = d_outputs_.data();
    tensors.d_final_state = d_final_state_.data();
    tensors.d_inputs = d_inputs_.data();
    tensors.d_kernel = d_kernel_.data();
    tensors.d_bias = d_bias_.data();
    tensors.d_initial_state = d_initial_state_.data();
    MinAddGruBackward(p_, p_.go_backwards, tensors);
  }

 private:
  MinProblem p_;
  std::vector<float> inputs_, kernel_, bias_, outputs_, final_state_, d_outputs_, d_final_state_,
      d_inputs_, d_kernel_, d_bias_, d_initial_state_;
  std::vector<uint8_t> reserve_;
};

Problem MakeProblem(int64_t batch, int64_t time, int64_t input, int64_t units) {
  return {batch, time, input, units, Activation::kRelu, 0.0, __builtin_inf(), false};
}

double SecondsOf(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec + 1e-9 * now.tv_nsec;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

// Runs `body` in short windows, the ceiling after each: so both see the same machine, whose clock
// and neighbours change. Reports medians, and as "undisturbed" the best window's share of the best
// ceiling. One thread is measured by its processor time.
template <typename Body>
void Measure(benchmark::State& state, double flops, int threads, const Body& body) {
  constexpr double kWindow = 2e-3;
  SetNumThreads(threads);
  body();  // first touch of the memory, start of the threads
  const clockid_t clock = threads == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC;
  std::vector<double> rates, shares;
  double best_rate = 0, best_ceiling = 0;
  double begin = SecondsOf(clock);
  int64_t done = 0;
  for (auto _ : state) {
    body();
    ++done;
    const double seconds = SecondsOf(clock) - begin;
    if (seconds < kWindow) continue;
    state.PauseTiming();
    const double ceiling = threads * FmaCeiling(InstructionSet());
    rates.push_back(flops * done / seconds);
    shares.push_back(rates.back() / ceiling);
    best_rate = std::max(best_rate, rates.back());
    best_ceiling = std::max(best_ceiling, ceiling);
    done = 0;
    begin = SecondsOf(clock);
    state.ResumeTiming();
  }
  state.counters["flops"] = Median(rates);
  state.counters["ceiling_share"] = Median(shares);
  state.counters["undisturbed_share"] = best_ceiling > 0 ? best_rate / best_ceiling : 0;
}

double ForwardFlops(const Problem& p) {
  return 4.0 * p.batch * p.time * p.units * (p.input + p.units);
}

double ForwardFlops(const MinProblem& p) {
  return 4.0 * p.batch * p.time * p.units * p.window * p.input;
}

void Forward(benchmark::State& state, const Problem& p, int threads) {
  Step step(p);
  Measure(state, ForwardFlops(p), threads, [&] { step.Forward(false); });
}

void ForwardBackward(benchmark::State& state, const Problem& p, int threads) {
  Step step(p);
  Measure(state, 3 * ForwardFlops(p), threads, [&] {
    step.Forward(true);
    step.Backward();
  });
}

void MinForward(benchmark::State& state, const MinProblem& p, int threads) {
  MinStep step(p);
  Measure(state, ForwardFlops(p), threads, [&] { step.Forward(false); });
}

void MinForwardBackward(benchmark::State& state, const MinProblem& p, int threads) {
  MinStep step(p);
  Measure(state, 3 * ForwardFlops(p), threads, [&] {
    step.Forward(true);
    step.Backward();
  });
}

// Without a rate: what is skipped is not work.
void Stream(benchmark::State& state, const Problem& p, double density, int threads) {
  Step step(p);
  step.SetDensity(density);
  SetNumThreads(threads);
  for (auto _ : state) step.Forward(false);
}

std::string Name(const char* what, const Problem& p) {
  return std::string(what) + "/" + std::to_string(p.batch) + "x" + std::to_string(p.time) + "x" +
         std::to_string(p.input) + "x" + std::to_string(p.units);
}

void Register() {
  const auto add = [](const std::string& name, auto... arguments) {
    benchmark::RegisterBenchmark(name.c_str(), arguments...)
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
  };
  const Problem batches[] = {MakeProblem(64, 28, 28, 128), MakeProblem(64, 32, 64, 128),
                             MakeProblem(32, 200, 256, 512), MakeProblem(64, 1, 28, 128)};
  const Problem streams[] = {MakeProblem(1, 100, 40, 128), MakeProblem(1, 100, 256, 512),
                             MakeProblem(1, 1, 40, 128), MakeProblem(1, 1, 40, 500)};
  for (int threads : {1, 2}) {
    const std::string suffix = "/threads:" + std::to_string(threads);
    for (const Problem& p : batches) {
      add(Name("Forward", p) + suffix, Forward, p, threads);
      add(Name("ForwardBackward", p) + suffix, ForwardBackward, p, threads);
    }
    for (const Problem& p : streams) {
      for (double density : {1.0, 0.5, 0.27, 0.1}) {
        add(Name("Stream", p) + "/density:" + std::to_string(density).substr(0, 4) + suffix, Stream,
            p, density, threads);
      }
    }
  }
  for (int64_t window : {1, 3}) {
    for (const auto& [batch, time, input, units] : {Sizes{64, 28, 28, 128},
                                                    {64, 32, 64, 128},
                                                    {32, 200, 256, 512},
                                                    {1, 100, 40, 128},
                                                    {1, 100, 256, 512},
                                                    {1, 4096, 40, 128}}) {
      const MinProblem p = {{batch, time, input, units, window}, Activation::kRelu, false};
      for (int threads : {1, 2}) {
        const std::string suffix =
            "/window:" + std::to_string(window) + "/threads:" + std::to_string(threads);
        const Problem sizes = MakeProblem(batch, time, input, units);
        add(Name("MinForward", sizes) + suffix, MinForward, p, threads);
        add(Name("MinForwardBackward", sizes) + suffix, MinForwardBackward, p, threads);
      }
    }
  }
  for (int64_t batch = 2; batch <= 6; ++batch) {
    const Problem p = MakeProblem(batch, 100, 40, 128);
    for (double density : {1.0, 0.27}) {
      add(Name("Stream", p) + "/density:" + std::to_string(density).substr(0, 4) + "/threads:1",
          Stream, p, density, 1);
    }
  }
}

}  // namespace
}  // namespace addrnn

int main(int argc, char** argv) {
  benchmark::AddCustomContext("instruction_set", addrnn::InstructionSet());
  benchmark::AddCustomContext("fma_ceiling_gflops",
                              std::to_string(addrnn::FmaCeiling(addrnn::InstructionSet()) / 1e9));
  addrnn::Register();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
