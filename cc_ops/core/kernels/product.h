#ifndef KERAS_ADDRNN_CC_OPS_CORE_KERNELS_PRODUCT_H_
#define KERAS_ADDRNN_CC_OPS_CORE_KERNELS_PRODUCT_H_

// The register tile that every matrix product here is made of, and the shapes it comes in.

#include "cc_ops/core/kernels/simd.h"

namespace addrnn {
namespace ADDRNN_ISA {

// 24 accumulators of 32 registers, or 12 of 16: enough independent chains to hide the latency of
// the multiply-add, and as many uses of every load as there can be.
constexpr int kTileRows = 6;
constexpr int kTileVectors = kManyRegisters ? 4 : 2;

constexpr int64_t RoundUp(int64_t n, int64_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

template <typename C, int kRows>
ADDRNN_INLINE void AddTo(C* sums, ptrdiff_t sums_stride,
                         const Vector<C> (&acc)[kRows][kTileVectors]) {
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < kTileVectors; ++v) {
      C* sum = sums + r * sums_stride + v * kLanes<C>;
      Store<C>(sum, Load<C>(sum) + acc[r][v]);
    }
  }
}

// sums[r][v] += sum over k of a[r][k] * b[k][v], where b is packed: its rows are the vectors of one
// tile. The rows of sums are sums_stride apart, those of a row_stride. Every sum is taken in the
// order of k in one accumulator, so that a result does not depend on the tile that computed it.
//
// Never inlined: within a large function GCC keeps the accumulators in memory. Every instruction
// beside the multiply-adds may take the place of one. Hence some steps at a time, and a pointer for
// every three rows, which the addressing modes reach with one stride.
template <typename C, int kRows>
__attribute__((noinline)) void MultiplyTile(C* sums, ptrdiff_t sums_stride, const C* a,
                                            ptrdiff_t row_stride, const C* b, int64_t depth) {
  constexpr int kWidth = kTileVectors * kLanes<C>;
  constexpr int kGroups = (kRows + 2) / 3, kUnroll = 4;
  const C* groups[kGroups];
#pragma GCC unroll 16
  for (int g = 0; g < kGroups; ++g) groups[g] = a + 3 * g * row_stride;
  Vector<C> acc[kRows][kTileVectors] = {};
  const auto step = [&](int k) __attribute__((always_inline)) {
    Vector<C> w[kTileVectors];
#pragma GCC unroll 16
    for (int v = 0; v < kTileVectors; ++v) w[v] = Load<C>(b + k * kWidth + v * kLanes<C>);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const Vector<C> x = Broadcast<C>(groups[r / 3][r % 3 * row_stride + k]);
#pragma GCC unroll 16
      for (int v = 0; v < kTileVectors; ++v) acc[r][v] += x * w[v];
    }
  };
  const auto advance = [&](int steps) __attribute__((always_inline)) {
#pragma GCC unroll 16
    for (int g = 0; g < kGroups; ++g) {
      groups[g] += steps;
      asm("" : "+r"(groups[g]));  // they stay pointers, and do not become offsets from one
    }
    b += steps * kWidth;
  };
  for (; depth >= kUnroll; depth -= kUnroll) {
#pragma GCC unroll 16
    for (int k = 0; k < kUnroll; ++k) step(k);
    advance(kUnroll);
  }
  for (; depth > 0; --depth) {
    step(0);
    advance(1);
  }
  AddTo<C, kRows>(sums, sums_stride, acc);
}

// The same for a transposed a: sums[r][v] += sum over k of a[k][r] * b[k][v], where the rows of a
// and b are a_stride and b_stride apart.
template <typename C, int kRows>
__attribute__((noinline)) void MultiplyTransposedTile(C* sums, ptrdiff_t sums_stride, const C* a,
                                                      ptrdiff_t a_stride, const C* b,
                                                      ptrdiff_t b_stride, int64_t depth) {
  Vector<C> acc[kRows][kTileVectors] = {};
  for (int64_t k = 0; k < depth; ++k) {
    Vector<C> w[kTileVectors];
#pragma GCC unroll 16
    for (int v = 0; v < kTileVectors; ++v) w[v] = Load<C>(b + v * kLanes<C>);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const Vector<C> x = Broadcast<C>(a[r]);
#pragma GCC unroll 16
      for (int v = 0; v < kTileVectors; ++v) acc[r][v] += x * w[v];
    }
    a += a_stride;
    b += b_stride;
  }
  AddTo<C, kRows>(sums, sums_stride, acc);
}

// A size that is known when the code is compiled.
template <int kSize>
struct Size {
  static constexpr int value = kSize;
};

// Calls body(Size, begin of the piece) for the pieces of [begin, end), cut into the fewest of at
// most kMax and of even size: 32 rows are 6 6 5 5 5 5 and not 6 6 6 6 6 2.
template <int kMax, typename Body>
ADDRNN_INLINE void ForEachPiece(int64_t begin, int64_t end, Body body) {
  static_assert(kMax <= 8);
  while (begin < end) {
    const int64_t pieces = (end - begin + kMax - 1) / kMax;
    const int64_t size = (end - begin + pieces - 1) / pieces;
#define ADDRNN_CASE(n)                               \
  case n:                                            \
    if constexpr (n <= kMax) body(Size<n>(), begin); \
    break;
    switch (size) {
      ADDRNN_CASE(1)
      ADDRNN_CASE(2)
      ADDRNN_CASE(3)
      ADDRNN_CASE(4)
      ADDRNN_CASE(5)
      ADDRNN_CASE(6)
      ADDRNN_CASE(7)
      ADDRNN_CASE(8)
    }
#undef ADDRNN_CASE
    begin += size;
  }
}

}  // namespace ADDRNN_ISA
}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_CORE_KERNELS_PRODUCT_H_
