// libFuzzer: as add_gru_fuzz.cc, for the recurrence with gates on inputs alone. A sequence that is
// computed in two parts has the results of the whole one.

#include <algorithm>

#include "cc_ops/core/min_add_gru.h"
#include "cc_ops/core/thread_pool.h"
#include "tests/cc_ops/core/what_is_wrong.h"
#include "tests/cc_ops/fuzz/tensor.h"

namespace addrnn {
namespace {

struct Settings {
  MinProblem problem;
  bool bias, initial_state, initial_inputs, mask, d_inputs, d_initial_inputs;  // present
  bool null_if_empty;
  bool wild;
  int offset;
  int threads;
};

// What a caller gives.
template <typename S>
struct Given {
  Tensor<S> inputs, initial_inputs, kernel, bias, initial_state, d_outputs, d_final_state;
  Tensor<uint8_t> mask;

  Given(const MinProblem& p, const Settings& s, Source& source)
      : inputs(p.batch * p.time * p.input, s.offset, 0),
        initial_inputs(p.batch * (p.window - 1) * p.input, s.offset, 0),
        kernel(p.window * p.input * 2 * p.units, s.offset, 0),
        bias(2 * p.units, s.offset, 0),
        initial_state(p.batch * p.units, s.offset, 0),
        d_outputs(p.batch * p.time * p.units, s.offset, 0),
        d_final_state(p.batch * p.units, s.offset, 0),
        mask(p.batch * p.time, s.offset, 0) {
    FillWithNumbers(
        source, s.wild,
        {&inputs, &initial_inputs, &kernel, &bias, &initial_state, &d_outputs, &d_final_state});
    FillMask(source, mask);
  }
};

template <typename S>
struct Computed {
  Tensor<S> outputs, final_state, candidates;
  Tensor<uint8_t> reserve;
  Tensor<S> d_inputs, d_initial_inputs, d_kernel, d_bias, d_initial_state;

  Computed(const Settings& s, const Given<S>& given, int threads, bool training, uint8_t fill)
      : outputs(given.d_outputs.size(), s.offset, fill),
        final_state(given.d_final_state.size(), s.offset, fill),
        candidates(outputs.size(), s.offset, fill),
        reserve(outputs.size(), s.offset, fill),
        d_inputs(given.inputs.size(), s.offset, fill),
        d_initial_inputs(given.initial_inputs.size(), s.offset, fill),
        d_kernel(given.kernel.size(), s.offset, fill),
        d_bias(given.bias.size(), s.offset, fill),
        d_initial_state(final_state.size(), s.offset, fill) {
    const auto data = [&](const auto& tensor, bool present = true) {
      const bool null = !present || (s.null_if_empty && tensor.size() == 0);
      return null ? nullptr : tensor.data();
    };
    const bool tanh = training && s.problem.activation == Activation::kTanh;
    const MinInputs<S> inputs = {data(given.inputs), data(given.initial_inputs, s.initial_inputs),
                                 data(given.mask, s.mask)};
    const S* initial_state = data(given.initial_state, s.initial_state);
    SetNumThreads(threads);
    MinAddGruForward<S>(s.problem, {data(given.kernel), data(given.bias, s.bias)},
                        {inputs, initial_state, data(outputs), data(final_state),
                         data(reserve, training), data(candidates, tanh)});
    if (!training) return;
    MinAddGruBackward<S>(s.problem, s.problem.go_backwards,
                         {inputs, data(given.kernel), initial_state, data(reserve),
                          data(candidates, tanh), data(given.d_outputs), data(given.d_final_state),
                          data(d_inputs, s.d_inputs), data(d_initial_inputs, s.d_initial_inputs),
                          data(d_kernel), data(d_bias), data(d_initial_state)});
  }
};

// One sequence, in two calls of which the second goes on where the first ends. (In 16 bits the
// state between them is rounded, and has fewer digits than within a call.)
template <typename S>
void CheckParts(const Settings& s, Source& source, const Given<S>& given,
                const Computed<S>& whole) {
  MinProblem p = s.problem;
  if (p.batch != 1 || p.go_backwards || sizeof(S) != sizeof(Compute<S>)) return;
  const int64_t time = p.time, first = source.Any<uint16_t>() % (time + 1), before = p.window - 1;
  const Tensor<S> read((before + time) * p.input, s.offset, 0);  // all that windows hold
  if (s.initial_inputs) {
    std::copy_n(given.initial_inputs.data(), given.initial_inputs.size(), read.data());
  }
  for (int64_t t = 0; t < time; ++t) {
    if (s.mask && !given.mask.data()[t]) continue;
    std::copy_n(given.inputs.data() + t * p.input, p.input, read.data() + (before + t) * p.input);
  }
  const Tensor<S> outputs(whole.outputs.size(), s.offset, 0xC3);
  const Tensor<S> middle(p.units, s.offset, 0xC3), final_state(p.units, s.offset, 0xC3);
  const auto forward = [&](int64_t begin, int64_t end, const S* from, const Tensor<S>& to) {
    p.time = end - begin;
    MinAddGruForward<S>(p, {given.kernel.data(), s.bias ? given.bias.data() : nullptr},
                        {{given.inputs.data() + begin * p.input, read.data() + begin * p.input,
                          s.mask ? given.mask.data() + begin : nullptr},
                         from,
                         outputs.data() + begin * p.units,
                         to.data(),
                         nullptr,
                         nullptr});
  };
  forward(0, first, s.initial_state ? given.initial_state.data() : nullptr, middle);
  forward(first, time, middle.data(), final_state);
  CheckSame(whole.outputs, outputs, "outputs differ in two parts");
  CheckSame(whole.final_state, final_state, "final_state differs in two parts");
}

template <typename S>
void CheckProblem(const Settings& s, Source& source) {
  const MinProblem& p = s.problem;
  const Given<S> given(p, s, source);
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
  if (s.d_initial_inputs) {
    CheckSame(alone.d_initial_inputs, together.d_initial_inputs,
              "d_initial_inputs differ between threads");
  }
  CheckSame(alone.d_kernel, together.d_kernel, "d_kernel differs between threads");
  CheckSame(alone.d_bias, together.d_bias, "d_bias differs between threads");
  CheckSame(alone.d_initial_state, together.d_initial_state,
            "d_initial_state differs between threads");
  CheckSame(alone.outputs, inference.outputs, "outputs differ with a reserve");
  CheckSame(alone.final_state, inference.final_state, "final_state differs with a reserve");
  CheckParts(s, source, given, alone);
}

// Sizes around those of the tiles, chunks and groups, but little work: the sanitizers are slow.
void ChooseSizes(Source& source, MinProblem& p) {
  constexpr int64_t kMostWork = 1 << 16;
  // The backward pass goes through so many steps in groups, and there are few of all else then.
  const bool is_long = source.Below(4) == 0;
  if (is_long) {
    const int64_t edges[] = {256, 512, 513, 800, 1024, 1600, 1920};
    p.time = edges[source.Below(7)] - 2 + source.Below(5);
    p.batch = source.Below(4);
    p.input = source.Bit() ? source.Below(3) : source.Below(20);
    p.units = source.Bit() ? source.Below(3) : source.Below(40);
    p.window = 1 + (source.Bit() ? source.Below(5) : source.Any<uint16_t>() % 600);
  } else {
    p.time = source.Bit() ? source.Below(6) : source.Below(110);
    p.batch = source.Bit() ? source.Below(8) : source.Below(120);
    p.input = source.Bit() ? source.Below(10) : source.Below(70);
    p.units = source.Bit() ? source.Below(20) : source.Below(140);
    p.window = 1 + (source.Bit() ? source.Below(5) : source.Below(120));
  }
  while (p.batch * p.time * (p.units + 1) * (p.input * p.window + 1) > kMostWork) {
    const auto smaller = [](const int64_t* a, const int64_t* b) { return *a < *b; };
    int64_t& greatest = *std::max({&p.batch, &p.input, &p.units, &p.window}, smaller);
    if (is_long || greatest > p.time) {
      greatest = std::max<int64_t>(greatest / 2, 1);
    } else {
      p.time /= 2;
    }
  }
}

void Run(Source& source) {
  Settings s = {};
  MinProblem& p = s.problem;
  const int type = source.Below(4);
  ChooseSizes(source, p);
  p.activation = static_cast<Activation>(source.Below(4));
  p.go_backwards = source.Bit();
  s.bias = source.Bit();
  s.initial_state = source.Bit();
  s.initial_inputs = source.Bit();
  s.mask = source.Bit();
  s.d_inputs = source.Bit();
  s.d_initial_inputs = source.Bit();
  s.null_if_empty = source.Bit();
  s.wild = source.Below(4) == 0;
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
