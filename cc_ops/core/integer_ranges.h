#ifndef KERAS_ADDRNN_CC_OPS_CORE_INTEGER_RANGES_H_
#define KERAS_ADDRNN_CC_OPS_CORE_INTEGER_RANGES_H_

// What the checks of the integer layers have in common.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>

#include "cc_ops/core/error.h"

namespace addrnn {

// Buffers, packed and working ones with their padding included, are far smaller than 64 times what
// is bounded here.
inline bool TooLarge(double rows, double width) {
  const double limit = double(std::numeric_limits<int64_t>::max()) / 1024;
  return (rows + 64) * (width + 1024) > limit || (width + 1024) * (width + 1024) > limit;
}

inline void CheckRange(const char* name, int64_t value, int64_t low, int64_t high) {
  if (value >= low && value <= high) return;
  throw Error(std::string(name) + " must be from " + std::to_string(low) + " to " +
              std::to_string(high) + ", received " + std::to_string(value));
}

template <typename T>
void CheckRange(const char* name, const T* values, int64_t n, int64_t low, int64_t high) {
  for (int64_t i = 0; i < n; ++i) CheckRange(name, values[i], low, high);
}

inline void CheckSum(int64_t column, double worst) {
  if (worst <= double(std::numeric_limits<int32_t>::max())) return;
  throw Error("the sum of column " + std::to_string(column) + " could reach " +
              std::to_string(std::llround(std::min(worst, 1e18))) + ", more than 32 bits hold");
}

// For each column the sum of the weights' magnitudes: an integer, and exact as a double.
inline void AddMagnitudes(const int8_t* matrix, int64_t rows, int64_t columns, double* sums) {
  for (int64_t k = 0; k < rows; ++k) {
    for (int64_t j = 0; j < columns; ++j) sums[j] += std::abs(int{matrix[k * columns + j]});
  }
}

inline double GreatestInput(int32_t bits) { return std::ldexp(1.0, bits - 1); }

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_CORE_INTEGER_RANGES_H_
