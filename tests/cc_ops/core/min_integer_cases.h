#ifndef KERAS_ADDRNN_TESTS_CC_OPS_CORE_MIN_INTEGER_CASES_H_
#define KERAS_ADDRNN_TESTS_CC_OPS_CORE_MIN_INTEGER_CASES_H_

// Problems of MinAddGRU in integers, what docs/explanation/integer.md makes of them in plain loops
// on int64, and what the core does.

#include "cc_ops/core/min_integer.h"
#include "tests/cc_ops/core/integer_cases.h"

namespace addrnn {

struct MinIntegerCase {
  MinIntegerProblem problem;
  std::vector<int8_t> kernel;
  std::vector<int32_t> bias, multiplier;
  std::vector<uint8_t> shift, mask;
  std::vector<int16_t> inputs, initial_inputs, initial_state;

  MinIntegerWeights weights() const {
    return {kernel.data(), bias.data(), shift.data(),
            multiplier.empty() ? nullptr : multiplier.data()};
  }
};

struct MinIntegerSizes {
  int64_t batch, time, input, units, window;
};

// A case whose sums come as near to 32 bits as they may.
inline MinIntegerCase MakeMinInteger(IntegerCases& cases, MinIntegerSizes sizes, bool rescale,
                                     bool masked, Values values) {
  MinIntegerCase c = {};
  MinIntegerProblem& p = c.problem;
  p.batch = sizes.batch, p.time = sizes.time, p.input = sizes.input, p.units = sizes.units;
  p.window = sizes.window;
  p.input_bits = static_cast<int32_t>(cases.Between(1, 16));
  const int64_t least = -(int64_t{1} << (p.input_bits - 1)), greatest = -least - 1;
  p.input_zero_point = static_cast<int32_t>(cases.Value(least, greatest, values));
  p.state_max = (1 << (cases.Between(2, 16) - 1)) - 1;
  p.candidate_max =
      static_cast<int32_t>(cases.Between(0, 2) ? p.state_max : cases.Between(0, p.state_max));
  p.go_backwards = cases.Between(0, 1);
  const int64_t rows = p.window * p.input, columns = 2 * p.units;
  const int64_t weight = (1 << (cases.Between(2, 8) - 1)) - 1;
  for (int64_t i = 0; i < rows * columns; ++i) {
    c.kernel.push_back(static_cast<int8_t>(cases.Value(-weight, weight, values)));
  }
  for (int64_t j = 0; j < columns; ++j) {
    int64_t left = INT32_MAX;
    for (int64_t k = 0; k < rows; ++k) left += std::abs(int{c.kernel[k * columns + j]}) * least;
    int64_t shift = cases.Between(0, rescale ? 62 : 31);
    const auto half = [&] { return rescale || shift == 0 ? 0 : int64_t{1} << (shift - 1); };
    while (half() > left) --shift;
    left -= half();
    c.shift.push_back(static_cast<uint8_t>(shift));
    c.bias.push_back(static_cast<int32_t>(cases.Between(0, 1)
                                              ? cases.Value(-left, left, Values::kExtreme)
                                              : cases.Between(-left, left)));
    if (!rescale) continue;
    c.multiplier.push_back(static_cast<int32_t>(cases.Between(0, 3)
                                                    ? cases.Between(1, INT32_MAX)
                                                    : cases.Value(1, INT32_MAX, Values::kExtreme)));
  }
  const auto input = [&] {
    return static_cast<int16_t>(cases.Between(0, 2) ? cases.Value(least, greatest, values) : 0);
  };
  for (int64_t i = 0; i < p.batch * p.time * p.input; ++i) c.inputs.push_back(input());
  for (int64_t i = 0; i < p.batch * (p.window - 1) * p.input; ++i) {
    c.initial_inputs.push_back(input());
  }
  for (int64_t i = 0; i < p.batch * p.units; ++i) {
    c.initial_state.push_back(static_cast<int16_t>(cases.Value(0, p.state_max, values)));
  }
  if (cases.Between(0, 1)) c.initial_inputs.clear();
  if (cases.Between(0, 2) == 0) c.initial_state.clear();
  for (int64_t i = 0; masked && i < p.batch * p.time; ++i) {
    c.mask.push_back(cases.Between(0, 2) != 0);
  }
  return c;
}

inline IntegerResults MinIntegerReference(const MinIntegerCase& c) {
  const MinIntegerProblem& p = c.problem;
  const int64_t h = p.units, columns = 2 * h;
  IntegerResults results = {std::vector<int16_t>(p.batch * p.time * h),
                            std::vector<int16_t>(p.batch * h)};
  for (int64_t b = 0; b < p.batch; ++b) {
    std::vector<int64_t> state(h);
    for (int64_t j = 0; j < h && !c.initial_state.empty(); ++j) {
      state[j] = c.initial_state[b * h + j];
    }
    const auto in = [&](int64_t t) { return p.go_backwards ? p.time - 1 - t : t; };
    const auto skips = [&](int64_t t) { return !c.mask.empty() && !c.mask[b * p.time + in(t)]; };
    // Input k of step t; steps before the first are counted from -1 on down.
    const auto input = [&](int64_t t, int64_t k) -> int64_t {
      if (t < 0 && !c.initial_inputs.empty()) {
        return c.initial_inputs[(b * (p.window - 1) + p.window - 1 + t) * p.input + k];
      }
      if (t < 0 || skips(t)) return p.input_zero_point;
      return c.inputs[(b * p.time + in(t)) * p.input + k];
    };
    for (int64_t t = 0; t < p.time; ++t) {
      std::vector<int64_t> v(columns);
      for (int64_t j = 0; j < columns; ++j) {
        v[j] = c.bias[j];
        for (int64_t i = 0; i < p.window; ++i) {
          for (int64_t k = 0; k < p.input; ++k) {
            v[j] += input(t - p.window + 1 + i, k) * c.kernel[(i * p.input + k) * columns + j];
          }
        }
        if (!c.multiplier.empty()) v[j] *= c.multiplier[j];
        v[j] = (v[j] + (int64_t{1} << c.shift[j] >> 1)) >> c.shift[j];
      }
      for (int64_t j = 0; j < h && !skips(t); ++j) {
        const int64_t candidate = std::min<int64_t>(v[h + j], p.candidate_max);
        const int64_t written = std::max<int64_t>(candidate - std::max<int64_t>(v[j], 0), 0);
        state[j] = std::max(state[j] - std::max<int64_t>(-v[j], 0), written);
      }
      std::copy(state.begin(), state.end(), results.outputs.begin() + (b * p.time + t) * h);
    }
    std::copy(state.begin(), state.end(), results.final_state.begin() + b * h);
  }
  return results;
}

// What the core computes, with a canary at the end of each output. `bytes`: the inputs as int8.
inline IntegerResults MinIntegerCore(const MinIntegerCase& c, PreparedMinInteger& prepared,
                                     bool bytes) {
  const MinIntegerProblem& p = c.problem;
  const std::vector<int8_t> narrow(c.inputs.begin(), c.inputs.end());
  const std::vector<int8_t> narrow_initial(c.initial_inputs.begin(), c.initial_inputs.end());
  IntegerResults results = {std::vector<int16_t>(p.batch * p.time * p.units + 1, kIntegerCanary),
                            std::vector<int16_t>(p.batch * p.units + 1, kIntegerCanary)};
  MinIntegerTensors tensors = {};
  if (bytes) {
    tensors.inputs.int8 = narrow.data();
  } else {
    tensors.inputs.int16 = c.inputs.data();
  }
  if (!c.initial_inputs.empty() && bytes) tensors.initial_inputs.int8 = narrow_initial.data();
  if (!c.initial_inputs.empty() && !bytes) tensors.initial_inputs.int16 = c.initial_inputs.data();
  tensors.initial_state = c.initial_state.empty() ? nullptr : c.initial_state.data();
  tensors.mask = c.mask.empty() ? nullptr : c.mask.data();
  tensors.outputs = results.outputs.data();
  tensors.final_state = results.final_state.data();
  prepared.Prepare(p, c.weights());
  prepared.Run(tensors);
  return results;
}

}  // namespace addrnn

#endif  // KERAS_ADDRNN_TESTS_CC_OPS_CORE_MIN_INTEGER_CASES_H_
