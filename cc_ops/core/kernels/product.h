#ifndef KERAS_ADDRNN_CC_OPS_CORE_KERNELS_PRODUCT_H_
#define KERAS_ADDRNN_CC_OPS_CORE_KERNELS_PRODUCT_H_

// The register tile that every matrix product here is made of, and the shapes it comes in.

#include "cc_ops/core/kernels/simd.h"

namespace addrnn {
namespace ADDRNN_ISA {

// 24 accumulators of 32 registers, or 12 of 16: enough independent chains to hide the latency of
// the multiply-add, and as many uses of every load as there can be. At the right edge of a matrix a
// tile has fewer vectors.
constexpr int kTileRows = 6;
constexpr int kTileVectors = kManyRegisters ? 4 : 2;

constexpr int64_t RoundUp(int64_t n, int64_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

// Between memory and the accumulators of a tile, whose rows are `stride` apart.
template <typename C, int kRows, int kVectors>
ADDRNN_INLINE void LoadTile(const C* from, ptrdiff_t stride, Vector<C> (&acc)[kRows][kVectors]) {
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) acc[r][v] = Load<C>(from + r * stride + v * kLanes<C>);
  }
}

template <typename C, int kRows, int kVectors>
ADDRNN_INLINE void StoreTile(const Vector<C> (&acc)[kRows][kVectors], C* to, ptrdiff_t stride) {
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) Store<C>(to + r * stride + v * kLanes<C>, acc[r][v]);
  }
}

// sums[r][v] = start[r][v] + sum over k of a[r][k] * b[k][v], where b is packed: its rows are the
// vectors of one tile. The rows of sums and start are sums_stride and start_stride apart, those of
// a row_stride. Every sum is taken in the order of k in one accumulator, so that a result does not
// depend on the tile that computed it. Meanwhile some of the weights from `ahead` on are fetched
// into the second cache: the hardware stops at every page. Returns where those end.
//
// Never inlined: within a large function GCC keeps the accumulators in memory. Every instruction
// beside the multiply-adds may take the place of one. Hence some steps at a time, and a pointer for
// every three rows, which the addressing modes reach with one stride.
template <typename C, int kRows, int kVectors>
__attribute__((noinline)) const C* MultiplyTile(C* sums, ptrdiff_t sums_stride, const C* start,
                                                ptrdiff_t start_stride, const C* a,
                                                ptrdiff_t row_stride, const C* b, int64_t depth,
                                                const C* ahead) {
  constexpr int kWidth = kVectors * kLanes<C>;
  constexpr int kGroups = (kRows + 2) / 3, kUnroll = 4;
  constexpr int kLine = 64 / sizeof(C), kLinesAhead = kVectors > 2 ? 2 : 1;
  const C* groups[kGroups];
#pragma GCC unroll 16
  for (int g = 0; g < kGroups; ++g) groups[g] = a + 3 * g * row_stride;
  Vector<C> acc[kRows][kVectors];
  LoadTile<C, kRows, kVectors>(start, start_stride, acc);
  const auto step = [&](int k) __attribute__((always_inline)) {
    Vector<C> w[kVectors];
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) w[v] = Load<C>(b + k * kWidth + v * kLanes<C>);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const Vector<C> x = Broadcast<C>(groups[r / 3][r % 3 * row_stride + k]);
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) acc[r][v] += x * w[v];
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
    for (int line = 0; line < kLinesAhead; ++line) __builtin_prefetch(ahead + line * kLine, 0, 2);
    ahead += kLinesAhead * kLine;
#pragma GCC unroll 16
    for (int k = 0; k < kUnroll; ++k) step(k);
    advance(kUnroll);
  }
  for (; depth > 0; --depth) {
    step(0);
    advance(1);
  }
  StoreTile<C, kRows, kVectors>(acc, sums, sums_stride);
  return ahead;
}

// A depth in equal segments, which begin a_stride and b_stride apart.
struct Segments {
  int64_t count = 1;
  ptrdiff_t a_stride = 0, b_stride = 0;
};

// sums[r][v] += sum over k of a[k][r] * b[k][v], in the order of k, where the rows of a and b are
// a_stride and b_stride apart; over `depth` rows of each segment.
template <typename C, int kRows, int kVectors>
__attribute__((noinline)) void MultiplyTransposedTile(C* sums, ptrdiff_t sums_stride, const C* a,
                                                      ptrdiff_t a_stride, const C* b,
                                                      ptrdiff_t b_stride, int64_t depth,
                                                      Segments segments = {}) {
  // The sums are far apart and were last seen long ago; they come while the product is taken.
  constexpr int kLine = 64 / sizeof(C), kWidth = kVectors * kLanes<C>;
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
    for (int i = 0; i < kWidth; i += kLine) __builtin_prefetch(sums + r * sums_stride + i, 1, 3);
  }
  Vector<C> acc[kRows][kVectors] = {};
  segments.a_stride -= depth * a_stride;
  segments.b_stride -= depth * b_stride;
  for (; segments.count > 0; --segments.count) {
    for (int64_t k = 0; k < depth; ++k) {
      Vector<C> w[kVectors];
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) w[v] = Load<C>(b + v * kLanes<C>);
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) {
        const Vector<C> x = Broadcast<C>(a[r]);
#pragma GCC unroll 16
        for (int v = 0; v < kVectors; ++v) acc[r][v] += x * w[v];
      }
      a += a_stride;
      b += b_stride;
    }
    a += segments.a_stride;
    b += segments.b_stride;
  }
  Vector<C> before[kRows][kVectors];  // loaded at the start, GCC would put it in memory once more
  LoadTile<C, kRows, kVectors>(sums, sums_stride, before);
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) acc[r][v] += before[r][v];
  }
  StoreTile<C, kRows, kVectors>(acc, sums, sums_stride);
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

// Calls body(Size, begin of the panel) for the columns [0, n) in vectors: panels of kMax vectors,
// and what is left.
template <int kMax, typename Body>
ADDRNN_INLINE void ForEachPanel(int64_t n, Body body) {
  static_assert(kMax <= 4);
  int64_t begin = 0;
  for (; begin + kMax <= n; begin += kMax) body(Size<kMax>(), begin);
  switch (n - begin) {
    case 1:
      return body(Size<1>(), begin);
    case 2:
      if constexpr (kMax > 2) body(Size<2>(), begin);
      return;
    case 3:
      if constexpr (kMax > 3) body(Size<3>(), begin);
  }
}

}  // namespace ADDRNN_ISA
}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_CORE_KERNELS_PRODUCT_H_
