#ifndef KERAS_ADDRNN_CC_OPS_CORE_KERNELS_STORAGE_H_
#define KERAS_ADDRNN_CC_OPS_CORE_KERNELS_STORAGE_H_

// Between the type in which a tensor is stored and the type in which it is computed.

#include "cc_ops/core/kernels/simd.h"
#include "cc_ops/core/problem.h"

namespace addrnn {
namespace ADDRNN_ISA {

ADDRNN_INLINE uint32_t BitsOf(float value) {
  uint32_t bits;
  __builtin_memcpy(&bits, &value, sizeof(bits));
  return bits;
}

ADDRNN_INLINE float FloatOf(uint32_t bits) {
  float value;
  __builtin_memcpy(&value, &bits, sizeof(value));
  return value;
}

ADDRNN_INLINE float ToCompute(float v) { return v; }
ADDRNN_INLINE double ToCompute(double v) { return v; }
ADDRNN_INLINE float ToCompute(BFloat16 v) { return FloatOf((uint32_t)v.bits << 16); }

ADDRNN_INLINE float ToCompute(Float16 v) {
  const uint32_t sign = (uint32_t)(v.bits & 0x8000u) << 16;
  const uint32_t magnitude = v.bits & 0x7FFFu;
  // Infinity and NaN keep their all-ones exponent.
  if (magnitude >= 0x7C00u) return FloatOf(sign | 0x7F800000u | (magnitude & 0x3FFu) << 13);
  // Subnormals by an integer conversion: TensorFlow's threads flush subnormal floats to zero.
  if (magnitude < 0x400u) return FloatOf(sign | BitsOf((float)magnitude * 0x1p-24f));
  return FloatOf(sign | ((magnitude << 13) + 0x38000000u));
}

// All conversions round to nearest, ties to even.
template <typename S>
S ToStorage(Compute<S> v);

template <>
ADDRNN_INLINE float ToStorage<float>(float v) {
  return v;
}
template <>
ADDRNN_INLINE double ToStorage<double>(double v) {
  return v;
}
template <>
ADDRNN_INLINE BFloat16 ToStorage<BFloat16>(float v) {
  const uint32_t bits = BitsOf(v);
  if (v != v) return {(uint16_t)(bits >> 16 | 0x40u)};
  return {(uint16_t)((bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16)};
}
template <>
ADDRNN_INLINE Float16 ToStorage<Float16>(float v) {
  const uint16_t sign = (uint16_t)(BitsOf(v) >> 16 & 0x8000u);
  const uint32_t magnitude = BitsOf(v) & 0x7FFFFFFFu;
  if (v != v) return {(uint16_t)(sign | 0x7E00u)};
  if (magnitude >= 0x477FF000u) return {(uint16_t)(sign | 0x7C00u)};  // from 65520 on: infinity
  if (magnitude < 0x38800000u) {
    // Below 2^-14 the result is subnormal: adding 0.5 lets the float addition do the rounding.
    return {(uint16_t)(sign | (BitsOf(FloatOf(magnitude) + 0.5f) - BitsOf(0.5f)))};
  }
  const uint32_t odd = magnitude >> 13 & 1u;
  return {(uint16_t)(sign | (magnitude + 0xC8000FFFu + odd) >> 13)};
}

// n values, widened or narrowed.
template <typename S>
ADDRNN_INLINE void LoadRow(const S* from, int64_t n, Compute<S>* to) {
  for (int64_t i = 0; i < n; ++i) to[i] = ToCompute(from[i]);
}

template <typename S>
void Widen(const S* from, int64_t n, Compute<S>* to) {
  LoadRow(from, n, to);
}

template <typename S>
ADDRNN_INLINE void StoreRow(const Compute<S>* from, int64_t n, S* to) {
  for (int64_t i = 0; i < n; ++i) to[i] = ToStorage<S>(from[i]);
}

// One vector.
template <typename S>
ADDRNN_INLINE Vector<Compute<S>> LoadVector(const S* from) {
  Vector<Compute<S>> v;
  if constexpr (sizeof(S) == sizeof(Compute<S>)) {
    __builtin_memcpy(&v, from, sizeof(v));
  } else {
    LoadRow(from, kLanes<Compute<S>>, (Compute<S>*)&v);
  }
  return v;
}

// At most one vector: the tail of a row keeps what lies behind it. Returns what was stored.
template <typename S>
ADDRNN_INLINE Vector<Compute<S>> StoreVector(Vector<Compute<S>> v, int64_t n, S* to) {
  if constexpr (sizeof(S) == sizeof(Compute<S>)) {
    __builtin_memcpy(to, &v, n * sizeof(S));
  } else {
    StoreRow<S>((const Compute<S>*)&v, n, to);
    LoadRow(to, n, (Compute<S>*)&v);
  }
  return v;
}

}  // namespace ADDRNN_ISA
}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_CORE_KERNELS_STORAGE_H_
