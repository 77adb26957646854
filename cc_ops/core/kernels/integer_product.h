#ifndef KERAS_ADDRNN_CC_OPS_CORE_KERNELS_INTEGER_PRODUCT_H_
#define KERAS_ADDRNN_CC_OPS_CORE_KERNELS_INTEGER_PRODUCT_H_

// Products of rows of 16-bit integers with a matrix of bytes, which stay bytes in memory: reading
// them is what bounds few rows. As in small_batch.h, rows of the matrix whose factors are all zero
// are skipped. Nothing here depends on the order of a sum.

#include "cc_ops/core/integer_problem.h"
#include "cc_ops/core/kernels/integer_simd.h"
#include "cc_ops/core/kernels/product.h"

namespace addrnn {
namespace ADDRNN_ISA {

constexpr int kIntegerTileRows = kManyRegisters ? 4 : 3;

// The pairs of vectors of sums in a tile of so many rows.
constexpr int IntegerTilePairs(int rows) {
  constexpr int kSums = kManyRegisters ? 24 : 12;
  constexpr int kMost = kManyRegisters ? 8 : 4;
  const int pairs = kSums / (2 * rows);
  return pairs > kMost ? kMost : pairs;
}

// A matrix [rows, columns] lies in memory in panels, first panel first. A panel is as wide as the
// widest tile, the last one only as wide as it must be. It is a row of weights for each kDepth rows
// of the matrix (zeros beyond the last), and there, column by column, those kDepth weights. Columns
// are counted in pairs of vectors of sums.
struct IntegerMatrix {
  static constexpr int64_t kPanelPairs = IntegerTilePairs(1);

  const int8_t* data;
  int64_t groups;  // of kDepth rows
  int64_t pairs;   // of vectors of columns

  int64_t size() const { return groups * pairs * kTwoVectorsOfWeights; }
};

// column(i) tells which column of the matrix is the i-th in memory; -1: none, zeros.
template <typename Column>
void PackMatrix(const int8_t* matrix, int64_t rows, int64_t columns, const IntegerMatrix& shape,
                Column column, int8_t* packed) {
  constexpr int64_t kPanelPairs = IntegerMatrix::kPanelPairs;
  for (int64_t pair = 0; pair < shape.pairs; pair += kPanelPairs) {
    const int64_t left = shape.pairs - pair;
    const int64_t width = (left < kPanelPairs ? left : kPanelPairs) * 2 * kSumLanes;
    for (int64_t k = 0; k < shape.groups * kDepth; k += kDepth) {
      for (int64_t i = 0; i < width; ++i) {
        const int64_t j = column(pair * 2 * kSumLanes + i);
        for (int64_t d = 0; d < kDepth; ++d) {
          *packed++ = j >= 0 && k + d < rows ? matrix[(k + d) * columns + j] : 0;
        }
      }
    }
  }
}

// sums[r][...] = sum over the n indices k of the group k of a's row r times the row k of b, whose
// rows are b_stride apart. Never inlined: see MultiplyTile.
template <int kRows, int kPairs>
__attribute__((noinline)) void MultiplyGroups(Sums* sums, const int16_t* a, ptrdiff_t row_stride,
                                              const int8_t* b, ptrdiff_t b_stride,
                                              const int32_t* indices, int64_t n) {
  Sums acc[kRows][2 * kPairs] = {};
  for (int64_t i = 0; i < n; ++i) {
    const ptrdiff_t k = indices[i];
    const int8_t* row = b + k * b_stride;
    decltype(LoadFactors(a)) factors[kRows];
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) factors[r] = LoadFactors(a + r * row_stride + k * kDepth);
#pragma GCC unroll 16
    for (int v = 0; v < kPairs; ++v) {
      const TwoWords weights = LoadWeights(row + v * kTwoVectorsOfWeights);
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) {
        MultiplyAdd(acc[r][2 * v], acc[r][2 * v + 1], weights, factors[r]);
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < 2 * kPairs; ++v) sums[r * 2 * kPairs + v] = acc[r][v];
  }
}

// The indices of the groups, of n, that are not all zeros in the rows of a; returns how many.
template <int kRows>
ADDRNN_INLINE int64_t ListGroups(const int16_t* a, ptrdiff_t row_stride, int64_t n,
                                 int32_t* indices) {
  int64_t found = 0;
  for (int64_t k = 0; k < n; ++k) {
    Group any = 0;
    for (int r = 0; r < kRows; ++r) any |= LoadAs<Group>(a + r * row_stride + k * kDepth);
    indices[found] = k;
    found += any != 0;
  }
  return found;
}

// a [rows, row_stride] x b, tile by tile: after(Size of rows, row, Size of pairs, pair, sums), with
// sums [rows, 2 * pairs]. `indices` has room for b.groups.
template <typename After>
ADDRNN_INLINE void MultiplyMatrix(const int16_t* a, int64_t rows, ptrdiff_t row_stride,
                                  const IntegerMatrix& b, int32_t* indices, After after) {
  constexpr int64_t kPanelPairs = IntegerMatrix::kPanelPairs;
  ForEachPiece<kIntegerTileRows>(
      0, rows, [&](auto tile, int64_t row) __attribute__((always_inline)) {
        constexpr int kRows = decltype(tile)::value;
        const int16_t* factors = a + row * row_stride;
        const int64_t n = ListGroups<kRows>(factors, row_stride, b.groups, indices);
        for (int64_t panel = 0; panel < b.pairs; panel += kPanelPairs) {
          const int64_t width = b.pairs - panel < kPanelPairs ? b.pairs - panel : kPanelPairs;
          const int8_t* weights = b.data + panel * b.groups * kTwoVectorsOfWeights;
          ForEachPiece<IntegerTilePairs(kRows)>(
              0, width, [&](auto piece, int64_t pair) __attribute__((always_inline)) {
                constexpr int kPairs = decltype(piece)::value;
                Sums sums[kRows][2 * kPairs];
                MultiplyGroups<kRows, kPairs>(sums[0], factors, row_stride,
                                              weights + pair * kTwoVectorsOfWeights,
                                              width * kTwoVectorsOfWeights, indices, n);
                after(kRows, row, kPairs, panel + pair, (const Sums*)sums);
              });
        }
      });
}

// Inputs as 16-bit integers, cut off at the ends of their range: so no sum can overflow, whatever
// somebody gives.
template <typename I>
ADDRNN_INLINE void CutOffInputs(const I* from, int64_t n, int32_t bits, int16_t* to) {
  const int16_t greatest = (int16_t)((1 << (bits - 1)) - 1), least = (int16_t)(-greatest - 1);
  for (int64_t i = 0; i < n; ++i) {
    int16_t v = from[i];
    v = v < least ? least : v;
    to[i] = v > greatest ? greatest : v;
  }
}

ADDRNN_INLINE void CutOffInputs(const IntegerInputs& inputs, int64_t at, int64_t n, int32_t bits,
                                int16_t* to) {
  if (inputs.int8 != nullptr) {
    CutOffInputs(inputs.int8 + at, n, bits, to);
  } else {
    CutOffInputs(inputs.int16 + at, n, bits, to);
  }
}

// The same, and zeros up to a whole group.
ADDRNN_INLINE void LoadInputs(const IntegerInputs& inputs, int64_t at, int64_t n, int32_t bits,
                              int16_t* to) {
  CutOffInputs(inputs, at, n, bits, to);
  for (int64_t i = n; i % kDepth != 0; ++i) to[i] = 0;
}

}  // namespace ADDRNN_ISA
}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_CORE_KERNELS_INTEGER_PRODUCT_H_
