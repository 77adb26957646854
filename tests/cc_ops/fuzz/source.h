#ifndef KERAS_ADDRNN_TESTS_CC_OPS_FUZZ_SOURCE_H_
#define KERAS_ADDRNN_TESTS_CC_OPS_FUZZ_SOURCE_H_

// What every target makes its problems of, and how it says that a result is wrong.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>

namespace addrnn {

inline void Check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

// The input, and pseudorandom bytes behind its end: a short one makes a large problem too.
class Source {
 public:
  Source(const uint8_t* data, size_t size) : data_(data), end_(data + size) {}

  uint8_t Byte() {
    if (data_ < end_) {
      state_ = (state_ ^ *data_) * 16777619u;
      return *data_++;
    }
    state_ = state_ * 1664525u + 1013904223u;
    return state_ >> 24;
  }
  int Below(int n) { return Byte() % n; }
  bool Bit() { return Byte() & 1; }

  template <typename T>
  T Any() {
    T value;
    for (size_t i = 0; i < sizeof(T); ++i) reinterpret_cast<uint8_t*>(&value)[i] = Byte();
    return value;
  }

  double Number(bool wild) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    constexpr double kWild[] = {-0.0,  NAN,   kInfinity, -kInfinity, 3e38,  -3e38,
                                1e-40, 65504, 65520,     6e-8,       1e300, -1e-310};
    const int byte = Byte();
    if (wild && byte < 12) return kWild[byte];
    return byte % 3 == 0 ? 0 : (byte - 128) / 64.0;
  }

 private:
  const uint8_t* data_;
  const uint8_t* end_;
  uint32_t state_ = 2166136261u;
};

}  // namespace addrnn

// Freed memory is used again soon: clearing new pages takes longer than most problems. Defined
// here, for a target is one file.
extern "C" const char* __asan_default_options() { return "quarantine_size_mb=4"; }

#endif  // KERAS_ADDRNN_TESTS_CC_OPS_FUZZ_SOURCE_H_
