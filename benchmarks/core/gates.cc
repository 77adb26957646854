#include "benchmarks/core/gates.h"

#include "benchmarks/core/multiplying_gate.h"
#include "cc_ops/core/kernels/forward.h"

namespace addrnn {
namespace ADDRNN_ISA {

void Addition(const float* __restrict u, const float* __restrict c, const float* __restrict h,
              float* __restrict next, int64_t n) {
  const Vector<float> zero = {};
  for (int64_t i = 0; i < n; i += kLanes<float>) {
    const Vector<float> update = Load(u + i);
    const Vector<float> kept = Load(h + i) + Min<float>(zero, update);
    const Vector<float> written = Load(c + i) - Max<float>(zero, update);
    Store(next + i, Max<float>(zero, kept) + Max<float>(zero, written));
  }
}

template <typename T>
inline T Relu(T v) {
  return v > 0 ? v : T(0);
}

template <typename T>
void AdditionOfIntegers(const T* __restrict u, const T* __restrict c, const T* __restrict h,
                        T* __restrict next, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const T kept = h[i] + (u[i] < 0 ? u[i] : T(0));
    const T written = c[i] - Relu(u[i]);
    next[i] = Relu(kept) + Relu(written);
  }
}

void Sigmoid(const float* __restrict u, const float* __restrict c, const float* __restrict h,
             float* __restrict next, int64_t n) {
  for (int64_t i = 0; i < n; i += kLanes<float>) {
    const Vector<float> candidate = Load(c + i);
    Store(next + i, candidate + SigmoidOf<float>(Load(u + i)) * (Load(h + i) - candidate));
  }
}

void HardSigmoid(const float* __restrict u, const float* __restrict c, const float* __restrict h,
                 float* __restrict next, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const float q = u[i] * (1 / 6.0f) + 0.5f, low = q > 0 ? q : 0, gate = low < 1 ? low : 1;
    next[i] = c[i] + gate * (h[i] - c[i]);
  }
}

// The product needs twice the bits.
template <typename T>
struct Wide;
template <>
struct Wide<int32_t> {
  using type = int64_t;
};
template <>
struct Wide<int16_t> {
  using type = int32_t;
};
template <>
struct Wide<int8_t> {
  using type = int16_t;
};

template <typename T>
constexpr int kFraction = 8 * sizeof(T) - 2;

template <typename T>
inline T Mix(T gate, T c, T h) {
  using W = typename Wide<T>::type;
  const W half = W(1) << (kFraction<T> - 1);
  return T(c + ((W(gate) * W(T(h - c)) + half) >> kFraction<T>));
}

template <typename T>
void HardSigmoidOfIntegers(const T* __restrict u, const T* __restrict c, const T* __restrict h,
                           T* __restrict next, int64_t n) {
  constexpr T kOne = T(1) << kFraction<T>, kHalf = kOne / 2;
  for (int64_t i = 0; i < n; ++i) {
    const T limited = u[i] < -kHalf ? T(-kHalf) : u[i] > kHalf ? kHalf : u[i];
    next[i] = Mix(T(limited + kHalf), c[i], h[i]);
  }
}

template <typename T>
void SigmoidByTable(const T* __restrict u, const T* __restrict c, const T* __restrict h,
                    T* __restrict next, int64_t n) {
  static const T* const table = [] {
    static T values[256];
    for (int i = 0; i < 256; ++i) {
      values[i] = T((1 / (1 + __builtin_exp(-(i - 128) / 32.0))) * (T(1) << kFraction<T>));
    }
    return values;
  }();
  for (int64_t i = 0; i < n; ++i) {
    next[i] = Mix(table[(u[i] >> (8 * (sizeof(T) - 1))) + 128], c[i], h[i]);
  }
}

template <typename T>
constexpr Gates<T> IntegerGates() {
  return {AdditionOfIntegers<T>, SigmoidByTable<T>, HardSigmoidOfIntegers<T>};
}

const Kernels<float> kMultiplyingCell = [] {
  Kernels<float> kernels = {};
  kernels.packed_forward_size = PackedForwardSize<float>;
  kernels.pack_forward = PackForward<float>;
  kernels.forward_scratch_size = ForwardScratchSize<float>;
  kernels.forward = Forward<float>;
  return kernels;
}();

extern const GateTable kGates;
const GateTable kGates = {{Addition, Sigmoid, HardSigmoid},
                          IntegerGates<int32_t>(),
                          IntegerGates<int16_t>(),
                          IntegerGates<int8_t>(),
                          &kMultiplyingCell};

}  // namespace ADDRNN_ISA
}  // namespace addrnn
