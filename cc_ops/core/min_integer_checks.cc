// What MinAddGRU can compute in integers, and the proof that no sum overflows.

#include <string>
#include <vector>

#include "cc_ops/core/integer_ranges.h"
#include "cc_ops/core/min_integer.h"

namespace addrnn {

void Check(const MinIntegerProblem& p) {
  const auto sizes = [&] {
    return std::to_string(p.batch) + ", time " + std::to_string(p.time) + ", input " +
           std::to_string(p.input) + ", units " + std::to_string(p.units) + ", window " +
           std::to_string(p.window);
  };
  if (p.batch < 0 || p.time < 0 || p.input < 1 || p.units < 1 || p.window < 1) {
    throw Error(
        "batch and time must not be negative, input, units and window must be positive, received "
        "batch " +
        sizes());
  }
  constexpr double kMost = std::numeric_limits<int32_t>::max();
  const double inputs = double(p.window) * double(p.input);
  if (TooLarge(double(p.batch) * double(std::max<int64_t>(p.time, 1)),
               inputs + 2.0 * double(p.units)) ||
      inputs > kMost || double(p.units) > kMost) {
    throw Error("sizes too large: batch " + sizes());
  }
  CheckRange("input_bits", p.input_bits, 1, 16);
  const int64_t least = -(int64_t{1} << (p.input_bits - 1));
  CheckRange("input_zero_point", p.input_zero_point, least, -least - 1);
  CheckRange("state_max", p.state_max, 0, std::numeric_limits<int16_t>::max());
  CheckRange("candidate_max", p.candidate_max, 0, p.state_max);
}

void Check(const MinIntegerProblem& p, const MinIntegerWeights& weights) {
  const int64_t columns = 2 * p.units;
  const bool rescale = weights.multiplier != nullptr;
  CheckRange("shift", weights.shift, columns, 0, rescale ? 62 : 31);
  if (rescale) {
    CheckRange("multiplier", weights.multiplier, columns, 1, std::numeric_limits<int32_t>::max());
  }
  std::vector<double> kernel(columns);
  AddMagnitudes(weights.kernel, p.window * p.input, columns, kernel.data());
  for (int64_t j = 0; j < columns; ++j) {
    const double half = rescale ? 0 : std::floor(std::ldexp(0.5, weights.shift[j]));
    CheckSum(j, kernel[j] * GreatestInput(p.input_bits) + std::abs(double(weights.bias[j])) + half);
  }
}

}  // namespace addrnn
