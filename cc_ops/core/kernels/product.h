#ifndef KERAS_ADDRNN_CC_OPS_CORE_KERNELS_PRODUCT_H_
#define KERAS_ADDRNN_CC_OPS_CORE_KERNELS_PRODUCT_H_

// The register tile that every matrix product here is made of, and the shapes it comes in.

#include "cc_ops/core/kernels/simd.h"

namespace addrnn {
namespace ADDRNN_ISA {

// A tile of 6 rows by 2 vectors takes 12 accumulators of 16 registers, one by 4 vectors 24 of 32:
// enough independent chains to hide the latency of the multiply-add, and loads to spare.
constexpr int kTileRows = 6;
constexpr int kTileVectors = kManyRegisters ? 4 : 2;

// One or two rows alone are made wider instead, for as many chains. (ForEachTile never mixes them
// with others.)
constexpr int Panels(int rows) { return rows == 1 ? 4 : rows == 2 ? 2 : 1; }

constexpr int64_t RoundUp(int64_t n, int64_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

// sums[r][v] += sum over k of a[r * row_stride + k * depth_stride] * b[k * b_stride + v-th vector],
// where b is a row of kPanels panels, panel_stride apart, and the rows of sums are sums_stride
// apart. Every sum is taken in the order of k in one accumulator, so that a result does not depend
// on the tile that computed it.
//
// Never inlined: within a large function GCC keeps the accumulators in memory.
template <typename C, int kRows, int kPanels>
__attribute__((noinline)) void MultiplyTile(C* sums, ptrdiff_t sums_stride, const C* a,
                                            ptrdiff_t row_stride, ptrdiff_t depth_stride,
                                            const C* b, ptrdiff_t b_stride, int64_t depth,
                                            ptrdiff_t panel_stride) {
  constexpr int kVectors = kPanels * kTileVectors;
  Vector<C> acc[kRows][kVectors] = {};
  for (int64_t k = 0; k < depth; ++k) {
    Vector<C> w[kVectors];
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) {
      w[v] = Load<C>(b + v / kTileVectors * panel_stride + v % kTileVectors * kLanes<C>);
    }
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const Vector<C> x = Broadcast<C>(a[r * row_stride]);
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) acc[r][v] += x * w[v];
    }
    a += depth_stride;
    b += b_stride;
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) {
      C* sum = sums + r * sums_stride + v * kLanes<C>;
      Store<C>(sum, Load<C>(sum) + acc[r][v]);
    }
  }
}

template <int kRows>
struct Tile {
  static constexpr int rows = kRows;
};

// Calls body(Tile, first row) for the rows [begin, end), cut into the fewest tiles of even size: 32
// rows are 6 6 5 5 5 5 and not 6 6 6 6 6 2.

template <typename Body>
ADDRNN_INLINE void ForEachTile(int64_t begin, int64_t end, Body body) {
  while (begin < end) {
    const int64_t tiles = (end - begin + kTileRows - 1) / kTileRows;
    const int64_t rows = (end - begin + tiles - 1) / tiles;
    switch (rows) {
      case 1:
        body(Tile<1>(), begin);
        break;
      case 2:
        body(Tile<2>(), begin);
        break;
      case 3:
        body(Tile<3>(), begin);
        break;
      case 4:
        body(Tile<4>(), begin);
        break;
      case 5:
        body(Tile<5>(), begin);
        break;
      default:
        body(Tile<kTileRows>(), begin);
        break;
    }
    begin += rows;
  }
}

}  // namespace ADDRNN_ISA
}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_CORE_KERNELS_PRODUCT_H_
