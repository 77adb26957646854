#ifndef KERAS_ADDRNN_CC_OPS_CORE_KERNELS_INTEGER_SIMD_H_
#define KERAS_ADDRNN_CC_OPS_CORE_KERNELS_INTEGER_SIMD_H_

// Products of bytes with 16-bit integers, added up in 32 bits, by the instruction that the machine
// has for them. The intrinsics' headers define nothing that the linker could take from elsewhere.

#include "cc_ops/core/kernels/simd.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace addrnn {
namespace ADDRNN_ISA {

constexpr int kSumLanes = kVectorBytes / 4;
// As many bytes as there are lanes in a vector of 32 bits, and so on.
typedef int32_t Sums __attribute__((vector_size(kVectorBytes)));
typedef uint32_t UnsignedSums __attribute__((vector_size(kVectorBytes)));
typedef int16_t States __attribute__((vector_size(kVectorBytes / 2)));
typedef uint16_t UnsignedStates __attribute__((vector_size(kVectorBytes / 2)));

#if defined(__x86_64__)

// Rows of weights that meet a vector of sums in one multiplication: (a0 * b0 + a1 * b1) in each
// lane, which overflows only where all four are -2^15, and weights are bytes.
constexpr int kDepth = 2;
using Group = int32_t;  // kDepth factors

typedef int16_t Words __attribute__((vector_size(kVectorBytes)));

// The weights of two vectors of sums.
struct TwoWords {
  Words low, high;
};

ADDRNN_INLINE TwoWords LoadWeights(const int8_t* from) {
#if defined(__AVX512F__)
  return {(Words)_mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i*)from)),
          (Words)_mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i*)(from + 32)))};
#elif defined(__AVX2__)
  return {(Words)_mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i*)from)),
          (Words)_mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i*)(from + 16)))};
#else
  const __m128i bytes = _mm_loadu_si128((const __m128i*)from);
  return {(Words)_mm_srai_epi16(_mm_unpacklo_epi8(bytes, bytes), 8),
          (Words)_mm_srai_epi16(_mm_unpackhi_epi8(bytes, bytes), 8)};
#endif
}

ADDRNN_INLINE Words LoadFactors(const int16_t* from) {
  Group group;
  __builtin_memcpy(&group, from, sizeof(group));
  return (Words)(group - Sums{});
}

ADDRNN_INLINE void MultiplyAdd(Sums& low, Sums& high, const TwoWords& weights, Words factors) {
#if defined(__AVX512F__)
  low += (Sums)_mm512_madd_epi16((__m512i)weights.low, (__m512i)factors);
  high += (Sums)_mm512_madd_epi16((__m512i)weights.high, (__m512i)factors);
#elif defined(__AVX2__)
  low += (Sums)_mm256_madd_epi16((__m256i)weights.low, (__m256i)factors);
  high += (Sums)_mm256_madd_epi16((__m256i)weights.high, (__m256i)factors);
#else
  low += (Sums)_mm_madd_epi16((__m128i)weights.low, (__m128i)factors);
  high += (Sums)_mm_madd_epi16((__m128i)weights.high, (__m128i)factors);
#endif
}

#else

constexpr int kDepth = 1;
using Group = int16_t;

#if defined(__aarch64__)

using TwoWords = int16x8_t;

ADDRNN_INLINE TwoWords LoadWeights(const int8_t* from) { return vmovl_s8(vld1_s8(from)); }

ADDRNN_INLINE int16x8_t LoadFactors(const int16_t* from) { return vdupq_n_s16(*from); }

ADDRNN_INLINE void MultiplyAdd(Sums& low, Sums& high, TwoWords weights, int16x8_t factors) {
  low = (Sums)vmlal_s16((int32x4_t)low, vget_low_s16(weights), vget_low_s16(factors));
  high = (Sums)vmlal_high_s16((int32x4_t)high, weights, factors);
}

#else

struct TwoWords {
  Sums low, high;
};

ADDRNN_INLINE TwoWords LoadWeights(const int8_t* from) {
  TwoWords words;
  for (int i = 0; i < kSumLanes; ++i) {
    words.low[i] = from[i];
    words.high[i] = from[kSumLanes + i];
  }
  return words;
}

ADDRNN_INLINE Sums LoadFactors(const int16_t* from) { return *from - Sums{}; }

ADDRNN_INLINE void MultiplyAdd(Sums& low, Sums& high, const TwoWords& weights, Sums factors) {
  low += weights.low * factors;
  high += weights.high * factors;
}

#endif
#endif

// Bytes of packed weights for two vectors of sums.
constexpr int kTwoVectorsOfWeights = 2 * kSumLanes * kDepth;

template <typename V>
ADDRNN_INLINE V LoadAs(const void* from) {
  V v;
  __builtin_memcpy(&v, from, sizeof(v));
  return v;
}

template <typename V>
ADDRNN_INLINE V Clamp(V v, V least, V greatest) {
  v = v < least ? least : v;
  return v > greatest ? greatest : v;
}

// To the left by up to 31, as the bits are: a negative number too.
ADDRNN_INLINE Sums ShiftLeft(Sums v, Sums bits) {
  return (Sums)((UnsignedSums)v << (UnsignedSums)bits);
}

}  // namespace ADDRNN_ISA
}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_CORE_KERNELS_INTEGER_SIMD_H_
