// What can be computed in integers, and the proof that no sum overflows.

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "cc_ops/core/integer.h"
#include "cc_ops/core/integer_ranges.h"

namespace addrnn {

void Check(const IntegerProblem& p) {
  if (p.batch < 0 || p.time < 0 || p.input < 1 || p.units < 1) {
    throw Error("batch and time must not be negative, input and units must be positive, received " +
                std::to_string(p.batch) + ", " + std::to_string(p.time) + ", " +
                std::to_string(p.input) + ", " + std::to_string(p.units));
  }
  if (TooLarge(double(p.batch) * double(std::max<int64_t>(p.time, 1)),
               double(p.input) + 2.0 * double(p.units)) ||
      p.input > std::numeric_limits<int32_t>::max() ||
      p.units > std::numeric_limits<int32_t>::max()) {
    throw Error("sizes too large: batch " + std::to_string(p.batch) + ", time " +
                std::to_string(p.time) + ", input " + std::to_string(p.input) + ", units " +
                std::to_string(p.units));
  }
  constexpr int32_t kTop = std::numeric_limits<int16_t>::max();
  CheckRange("input_bits", p.input_bits, 1, 16);
  CheckRange("state_shift", p.state_shift, 0, kTop);
  CheckRange("state_max", p.state_max, 0, kTop - p.state_shift);
  CheckRange("candidate_min", p.candidate_min, -p.state_shift, p.state_max);
  CheckRange("candidate_max", p.candidate_max, -p.state_shift, p.state_max);
  if (p.candidate_min > p.candidate_max) {
    throw Error("candidate_min must not be above candidate_max, received " +
                std::to_string(p.candidate_min) + " and " + std::to_string(p.candidate_max));
  }
}

void Check(const IntegerProblem& p, const IntegerWeights& weights) {
  const int64_t columns = 2 * p.units;
  const bool rescale = weights.multiplier != nullptr;
  CheckRange("kernel_shift", weights.kernel_shift, columns, 0, 31);
  CheckRange("recurrent_shift", weights.recurrent_shift, columns, 0, 31);
  CheckRange("shift", weights.shift, columns, 0, rescale ? 62 : 31);
  if (rescale) {
    CheckRange("multiplier", weights.multiplier, columns, 1, std::numeric_limits<int32_t>::max());
  }
  std::vector<double> kernel(columns), recurrent_kernel(columns);
  AddMagnitudes(weights.kernel, p.input, columns, kernel.data());
  AddMagnitudes(weights.recurrent_kernel, p.units, columns, recurrent_kernel.data());
  const double input = GreatestInput(p.input_bits), state = std::max(p.state_shift, p.state_max);
  for (int64_t j = 0; j < columns; ++j) {
    const double half = rescale ? 0 : std::floor(std::ldexp(0.5, weights.shift[j]));
    const double worst = std::ldexp(kernel[j] * input, weights.kernel_shift[j]) +
                         std::ldexp(recurrent_kernel[j] * state, weights.recurrent_shift[j]) +
                         std::abs(double(weights.bias[j])) + half;
    CheckSum(j, worst);
  }
}

void Check(const IntegerDenseProblem& p) {
  if (p.rows < 0 || p.input < 1 || p.units < 1) {
    throw Error("rows must not be negative, input and units must be positive, received " +
                std::to_string(p.rows) + ", " + std::to_string(p.input) + ", " +
                std::to_string(p.units));
  }
  if (TooLarge(double(p.rows), double(p.input) + double(p.units)) ||
      p.input > std::numeric_limits<int32_t>::max()) {
    throw Error("sizes too large: rows " + std::to_string(p.rows) + ", input " +
                std::to_string(p.input) + ", units " + std::to_string(p.units));
  }
  CheckRange("input_bits", p.input_bits, 1, 16);
}

void Check(const IntegerDenseProblem& p, const IntegerDenseWeights& weights) {
  std::vector<double> kernel(p.units);
  AddMagnitudes(weights.kernel, p.input, p.units, kernel.data());
  for (int64_t j = 0; j < p.units; ++j) {
    const double worst =
        kernel[j] * GreatestInput(p.input_bits) + std::abs(double(weights.bias[j]));
    CheckSum(j, worst);
  }
}

}  // namespace addrnn
