// libFuzzer: any small problem, any numbers in it. The sanitizers look for accesses outside of a
// buffer and for undefined behaviour; this file for results that depend on the number of threads,
// on whether a gradient is wanted, or on what a buffer held before.

#include <algorithm>
#include <cmath>
#include <limits>

#include "cc_ops/core/add_gru.h"
#include "cc_ops/core/thread_pool.h"
#include "tests/cc_ops/core/what_is_wrong.h"
#include "tests/cc_ops/fuzz/tensor.h"

namespace addrnn {
namespace {

struct Settings {
  Problem problem;
  bool bias, initial_state, mask, d_inputs;  // present
  bool null_if_empty;
  bool wild;
  int offset;
  int threads;
};

// What a caller gives. Arguments of both passes in the order of problem.h.
template <typename S>
struct Given {
  Tensor<S> inputs, kernel, recurrent_kernel, bias, initial_state, d_outputs, d_final_state;
  Tensor<uint8_t> mask;

  Given(const Settings& s, Source& source)
      : inputs(s.problem.batch * s.problem.time * s.problem.input, s.offset, 0),
        kernel(s.problem.input * 2 * s.problem.units, s.offset, 0),
        recurrent_kernel(s.problem.units * 2 * s.problem.units, s.offset, 0),
        bias(2 * s.problem.units, s.offset, 0),
        initial_state(s.problem.batch * s.problem.units, s.offset, 0),
        d_outputs(s.problem.batch * s.problem.time * s.problem.units, s.offset, 0),
        d_final_state(s.problem.batch * s.problem.units, s.offset, 0),
        mask(s.problem.batch * s.problem.time, s.offset, 0) {
    FillWithNumbers(
        source, s.wild,
        {&inputs, &kernel, &recurrent_kernel, &bias, &initial_state, &d_outputs, &d_final_state});
    FillMask(source, mask);
  }
};

template <typename S>
struct Computed {
  Tensor<S> outputs, final_state, candidates;
  Tensor<uint8_t> reserve;
  Tensor<S> d_inputs, d_kernel, d_recurrent_kernel, d_bias, d_initial_state;

  Computed(const Settings& s, const Given<S>& given, int threads, bool training, uint8_t fill)
      : outputs(given.d_outputs.size(), s.offset, fill),
        final_state(given.d_final_state.size(), s.offset, fill),
        candidates(outputs.size(), s.offset, fill),
        reserve(outputs.size(), s.offset, fill),
        d_inputs(given.inputs.size(), s.offset, fill),
        d_kernel(given.kernel.size(), s.offset, fill),
        d_recurrent_kernel(given.recurrent_kernel.size(), s.offset, fill),
        d_bias(given.bias.size(), s.offset, fill),
        d_initial_state(final_state.size(), s.offset, fill) {
    const auto data = [&](const auto& tensor, bool present = true) {
      const bool null = !present || (s.null_if_empty && tensor.size() == 0);
      return null ? nullptr : tensor.data();
    };
    const bool tanh = training && s.problem.activation == Activation::kTanh;
    SetNumThreads(threads);
    AddGruForward<S>(
        s.problem, {data(given.kernel), data(given.recurrent_kernel), data(given.bias, s.bias)},
        {data(given.inputs), data(given.initial_state, s.initial_state), data(given.mask, s.mask),
         data(outputs), data(final_state), data(reserve, training), data(candidates, tanh)});
    if (!training) return;
    AddGruBackward<S>(s.problem, s.problem.go_backwards,
                      {data(given.inputs), data(given.kernel), data(given.recurrent_kernel),
                       data(given.initial_state, s.initial_state), data(outputs), data(reserve),
                       data(candidates, tanh), data(given.d_outputs), data(given.d_final_state),
                       data(d_inputs, s.d_inputs), data(d_kernel), data(d_recurrent_kernel),
                       data(d_bias), data(d_initial_state)});
  }
};

template <typename S>
void CheckProblem(const Settings& s, Source& source) {
  const Problem& p = s.problem;
  const Given<S> given(s, source);
  const Computed<S> alone(s, given, 1, true, 0x3C);
  const Computed<S> together(s, given, s.threads, true, 0xC3);
  const Computed<S> inference(s, given, s.threads, false, 0xC3);
  CheckSame(alone.outputs, together.outputs, "outputs differ between threads");
  CheckSame(alone.final_state, together.final_state, "final_state differs between threads");
  CheckSame(alone.reserve, together.reserve, "reserve differs between threads");
  if (p.activation == Activation::kTanh) {
    CheckSame(alone.candidates, together.candidates, "candidates differ between threads");
  }
  if (s.d_inputs) CheckSame(alone.d_inputs, together.d_inputs, "d_inputs differ between threads");
  CheckSame(alone.d_kernel, together.d_kernel, "d_kernel differs between threads");
  CheckSame(alone.d_recurrent_kernel, together.d_recurrent_kernel,
            "d_recurrent_kernel differs between threads");
  CheckSame(alone.d_bias, together.d_bias, "d_bias differs between threads");
  CheckSame(alone.d_initial_state, together.d_initial_state,
            "d_initial_state differs between threads");
  CheckSame(alone.outputs, inference.outputs, "outputs differ with a reserve");
  CheckSame(alone.final_state, inference.final_state, "final_state differs with a reserve");
}

// Sizes around those of the tiles, groups and chunks, but little work: the sanitizers are slow.
void ChooseSizes(Source& source, Problem& p) {
  constexpr int64_t kMostWork = 1 << 16;
  p.batch = source.Bit() ? source.Below(8) : source.Below(120);
  p.time = source.Bit() ? source.Below(6) : source.Below(110);
  p.input = source.Bit() ? source.Below(10) : source.Below(70);
  p.units = source.Bit() ? source.Below(20) : source.Below(140);
  while (p.batch * p.time * (p.units + 1) * (p.input + p.units) > kMostWork) {
    *std::max({&p.batch, &p.time, &p.input, &p.units},
              [](const int64_t* a, const int64_t* b) { return *a < *b; }) /= 2;
  }
}

void Run(Source& source) {
  Settings s = {};
  Problem& p = s.problem;
  const int type = source.Below(4);
  ChooseSizes(source, p);
  p.activation = static_cast<Activation>(source.Below(4));
  s.wild = source.Below(4) == 0;
  // As TensorFlow gives them: float32 that are not checked yet.
  p.state_shift = source.Bit() ? 0 : static_cast<float>(std::fabs(source.Number(s.wild)));
  p.state_max = source.Bit() ? std::numeric_limits<double>::infinity()
                             : static_cast<float>(source.Number(s.wild));
  p.go_backwards = source.Bit();
  s.bias = source.Bit();
  s.initial_state = source.Bit();
  s.mask = source.Bit();
  s.d_inputs = source.Bit();
  s.null_if_empty = source.Bit();
  s.offset = source.Below(4);
  s.threads = 2 + source.Below(3);
  if (!WhatIsWrong(p).empty()) return;
  WithType(type, [&](auto number) { CheckProblem<decltype(number)>(s, source); });
}

}  // namespace
}  // namespace addrnn

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  addrnn::Source source(data, size);
  addrnn::Run(source);
  return 0;
}
