#ifndef KERAS_ADDRNN_TESTS_CC_OPS_CORE_INTEGER_CASES_H_
#define KERAS_ADDRNN_TESTS_CC_OPS_CORE_INTEGER_CASES_H_

// Problems in integers, what a step of docs/explanation/integer.md makes of them in plain loops on
// int64, and what the core does.

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "cc_ops/core/integer.h"

namespace addrnn {

constexpr int16_t kIntegerCanary = 0x5A5A;

enum class Values { kSmall, kAny, kExtreme };

struct IntegerCase {
  IntegerProblem problem;
  std::vector<int8_t> kernel, recurrent_kernel;
  std::vector<int32_t> bias, multiplier;
  std::vector<uint8_t> kernel_shift, recurrent_shift, shift, mask;
  std::vector<int16_t> inputs, initial_state;

  IntegerWeights weights() const {
    return {kernel.data(),
            recurrent_kernel.data(),
            bias.data(),
            kernel_shift.data(),
            recurrent_shift.data(),
            shift.data(),
            multiplier.empty() ? nullptr : multiplier.data()};
  }
};

class IntegerCases {
 public:
  explicit IntegerCases(unsigned seed) : generator_(seed) {}

  int64_t Between(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(generator_);
  }

  int64_t Value(int64_t low, int64_t high, Values values) {
    if (values == Values::kExtreme) return Between(0, 1) ? low : high;
    if (values == Values::kAny) return Between(low, high);
    return std::clamp<int64_t>(Between(-2, 2), low, high);
  }

  // A case whose sums come as near to 32 bits as they may.
  IntegerCase Make(int64_t batch, int64_t time, int64_t input, int64_t units, bool rescale,
                   bool masked, Values values) {
    IntegerCase c = {};
    IntegerProblem& p = c.problem;
    p.batch = batch, p.time = time, p.input = input, p.units = units;
    p.input_bits = static_cast<int32_t>(Between(1, 16));
    const int32_t top = (1 << (Between(2, 16) - 1)) - 1;
    p.state_shift = Between(0, 1) ? static_cast<int32_t>(Between(0, top)) : 0;
    p.state_max = top - p.state_shift;
    p.candidate_min = Between(0, 1) ? 0 : -p.state_shift;
    p.candidate_max =
        Between(0, 2) ? p.state_max : static_cast<int32_t>(Between(p.candidate_min, p.state_max));
    p.go_backwards = Between(0, 1);
    const int64_t columns = 2 * units, weight = (1 << (Between(2, 8) - 1)) - 1;
    for (int64_t i = 0; i < input * columns; ++i) {
      c.kernel.push_back(static_cast<int8_t>(Value(-weight, weight, values)));
    }
    for (int64_t i = 0; i < units * columns; ++i) {
      c.recurrent_kernel.push_back(static_cast<int8_t>(Value(-weight, weight, values)));
    }
    for (int64_t j = 0; j < columns; ++j) AddColumn(c, j, rescale);
    const int64_t greatest = (1 << (p.input_bits - 1)) - 1;
    for (int64_t i = 0; i < batch * time * input; ++i) {
      const bool zero = Between(0, 2) == 0;
      c.inputs.push_back(static_cast<int16_t>(zero ? 0 : Value(-greatest - 1, greatest, values)));
    }
    for (int64_t i = 0; i < batch * units; ++i) {
      const bool zero = Between(0, 1);
      c.initial_state.push_back(
          static_cast<int16_t>(zero ? 0 : Value(-p.state_shift, p.state_max, values)));
    }
    if (Between(0, 2) == 0) c.initial_state.clear();
    for (int64_t i = 0; masked && i < batch * time; ++i) c.mask.push_back(Between(0, 2) != 0);
    return c;
  }

 private:
  // Shifts, bias and multiplier of column j, within what the magnitudes of its weights leave.
  void AddColumn(IntegerCase& c, int64_t j, bool rescale) {
    const IntegerProblem& p = c.problem;
    const int64_t columns = 2 * p.units;
    const auto sum = [&](const std::vector<int8_t>& matrix, int64_t rows, int64_t greatest) {
      int64_t total = 0;
      for (int64_t k = 0; k < rows; ++k) total += std::abs(int{matrix[k * columns + j]}) * greatest;
      return total;
    };
    const int64_t kernel = sum(c.kernel, p.input, int64_t{1} << (p.input_bits - 1));
    const int64_t recurrent =
        sum(c.recurrent_kernel, p.units, std::max(p.state_shift, p.state_max));
    int64_t left = INT32_MAX;
    int64_t shift = Between(0, rescale ? 62 : 31);
    const auto half = [&] { return rescale || shift == 0 ? 0 : int64_t{1} << (shift - 1); };
    while (kernel + recurrent + half() > left) --shift;
    left -= kernel + recurrent + half();
    int64_t kernel_shift = Between(0, 31), recurrent_shift = Between(0, 31);
    while ((kernel << kernel_shift) - kernel > left) --kernel_shift;
    left -= (kernel << kernel_shift) - kernel;
    while ((recurrent << recurrent_shift) - recurrent > left) --recurrent_shift;
    left -= (recurrent << recurrent_shift) - recurrent;
    c.kernel_shift.push_back(static_cast<uint8_t>(kernel_shift));
    c.recurrent_shift.push_back(static_cast<uint8_t>(recurrent_shift));
    c.shift.push_back(static_cast<uint8_t>(shift));
    c.bias.push_back(static_cast<int32_t>(Between(0, 1) ? Value(-left, left, Values::kExtreme)
                                                        : Between(-left, left)));
    if (rescale) {
      c.multiplier.push_back(static_cast<int32_t>(
          Between(0, 3) ? Between(1, INT32_MAX) : Value(1, INT32_MAX, Values::kExtreme)));
    }
  }

  std::mt19937 generator_;
};

struct IntegerResults {
  std::vector<int16_t> outputs, final_state;
};

inline IntegerResults IntegerReference(const IntegerCase& c) {
  const IntegerProblem& p = c.problem;
  const int64_t h = p.units, columns = 2 * h, s = p.state_shift, update_max = p.state_max + s;
  IntegerResults results = {std::vector<int16_t>(p.batch * p.time * h),
                            std::vector<int16_t>(p.batch * h)};
  for (int64_t b = 0; b < p.batch; ++b) {
    std::vector<int64_t> state(h);
    for (int64_t j = 0; j < h && !c.initial_state.empty(); ++j) {
      state[j] = c.initial_state[b * h + j];
    }
    for (int64_t t = 0; t < p.time; ++t) {
      const int64_t t_in = p.go_backwards ? p.time - 1 - t : t;
      std::vector<int64_t> v(columns), next(h);
      for (int64_t j = 0; j < columns; ++j) {
        int64_t x = 0, r = 0;
        for (int64_t k = 0; k < p.input; ++k) {
          x += int64_t{c.inputs[(b * p.time + t_in) * p.input + k]} * c.kernel[k * columns + j];
        }
        for (int64_t k = 0; k < h; ++k) r += state[k] * c.recurrent_kernel[k * columns + j];
        v[j] = x * (int64_t{1} << c.kernel_shift[j]) + r * (int64_t{1} << c.recurrent_shift[j]) +
               c.bias[j];
        if (!c.multiplier.empty()) v[j] *= c.multiplier[j];
        v[j] = (v[j] + (int64_t{1} << c.shift[j] >> 1)) >> c.shift[j];
      }
      for (int64_t j = 0; j < h; ++j) {
        const int64_t u = std::clamp(v[j], -update_max, update_max);
        const int64_t candidate = std::clamp<int64_t>(v[h + j], p.candidate_min, p.candidate_max);
        const int64_t kept = std::max<int64_t>(state[j] + s - std::max<int64_t>(-u, 0), 0);
        const int64_t written = std::max<int64_t>(candidate + s - std::max<int64_t>(u, 0), 0);
        next[j] = std::min<int64_t>(kept + written - s, p.state_max);
      }
      if (c.mask.empty() || c.mask[b * p.time + t_in]) state = next;
      std::copy(state.begin(), state.end(), results.outputs.begin() + (b * p.time + t) * h);
    }
    std::copy(state.begin(), state.end(), results.final_state.begin() + b * h);
  }
  return results;
}

// What the core computes, with a canary at the end of each output. `bytes`: the inputs as int8.
inline IntegerResults IntegerCore(const IntegerCase& c, PreparedInteger& prepared, bool bytes) {
  const IntegerProblem& p = c.problem;
  const std::vector<int8_t> narrow(c.inputs.begin(), c.inputs.end());
  IntegerResults results = {std::vector<int16_t>(p.batch * p.time * p.units + 1, kIntegerCanary),
                            std::vector<int16_t>(p.batch * p.units + 1, kIntegerCanary)};
  IntegerTensors tensors = {};
  if (bytes) {
    tensors.inputs.int8 = narrow.data();
  } else {
    tensors.inputs.int16 = c.inputs.data();
  }
  tensors.initial_state = c.initial_state.empty() ? nullptr : c.initial_state.data();
  tensors.mask = c.mask.empty() ? nullptr : c.mask.data();
  tensors.outputs = results.outputs.data();
  tensors.final_state = results.final_state.data();
  prepared.Prepare(p, c.weights());
  prepared.Run(tensors);
  return results;
}

}  // namespace addrnn

#endif  // KERAS_ADDRNN_TESTS_CC_OPS_CORE_INTEGER_CASES_H_
