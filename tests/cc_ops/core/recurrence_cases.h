#ifndef KERAS_ADDRNN_TESTS_CC_OPS_CORE_RECURRENCE_CASES_H_
#define KERAS_ADDRNN_TESTS_CC_OPS_CORE_RECURRENCE_CASES_H_

// What the tests of both recurrences are made of.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "cc_ops/core/problem.h"

namespace addrnn {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr uint8_t kCanary = 0xA5;

inline std::vector<double> Random(std::mt19937& generator, int64_t n, double scale) {
  std::normal_distribution<double> normal(0, scale);
  std::vector<double> values(n);
  // float values, so that every type computes with the same numbers
  for (double& value : values) value = static_cast<float>(normal(generator));
  return values;
}

inline double Relu(double v) { return v > 0 ? v : 0; }

inline double Activate(Activation activation, double z, double* slope) {
  switch (activation) {
    case Activation::kRelu:
      *slope = z > 0;
      return Relu(z);
    case Activation::kHardTanh:
      *slope = z > -1 && z < 1;
      return std::min(std::max(z, -1.0), 1.0);
    case Activation::kTanh:
      *slope = 1 - std::tanh(z) * std::tanh(z);
      return std::tanh(z);
    case Activation::kLinear:
      break;
  }
  *slope = 1;
  return z;
}

// A buffer with canaries on both sides.
template <typename S>
class Guarded {
 public:
  explicit Guarded(int64_t n) : n_(n), bytes_(n * sizeof(S) + 2 * kGuard, kCanary) {}
  explicit Guarded(const std::vector<double>& values)
      : Guarded(static_cast<int64_t>(values.size())) {
    for (int64_t i = 0; i < n_; ++i) data()[i] = static_cast<S>(values[i]);
  }
  ~Guarded() {
    for (size_t i = 0; i < kGuard; ++i) {
      EXPECT_EQ(bytes_[i], kCanary) << "written before a buffer";
      EXPECT_EQ(bytes_[bytes_.size() - 1 - i], kCanary) << "written behind a buffer";
    }
  }
  S* data() { return reinterpret_cast<S*>(bytes_.data() + kGuard); }
  std::vector<S> values() { return std::vector<S>(data(), data() + n_); }

 private:
  static constexpr size_t kGuard = 128;
  int64_t n_;
  std::vector<uint8_t> bytes_;
};

// The largest difference, relative to the largest expected value.
template <typename S>
void ExpectNear(const std::vector<S>& actual, const std::vector<double>& expected, double tolerance,
                const char* what) {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  double largest = 1e-30, worst = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    largest = std::max(largest, std::abs(expected[i]));
    const double difference = std::abs(static_cast<double>(actual[i]) - expected[i]);
    worst = std::isnan(difference) ? kInfinity : std::max(worst, difference);
  }
  EXPECT_LE(worst / largest, tolerance) << what;
}

}  // namespace addrnn

#endif  // KERAS_ADDRNN_TESTS_CC_OPS_CORE_RECURRENCE_CASES_H_
