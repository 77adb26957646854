#ifndef KERAS_ADDRNN_CC_OPS_CORE_KERNELS_FORWARD_H_
#define KERAS_ADDRNN_CC_OPS_CORE_KERNELS_FORWARD_H_

// The forward pass of many rows. Batch rows never meet, so a thread takes some rows through all
// steps. Per step and tile, the product [x_t | h_{t-1}] [W; R] for some rows and units stays in
// registers, u beside z, and the gate is its epilogue.

#include "cc_ops/core/kernels/gate_tile.h"
#include "cc_ops/core/kernels/kernels.h"
#include "cc_ops/core/kernels/product.h"
#include "cc_ops/core/kernels/storage.h"

namespace addrnn {
namespace ADDRNN_ISA {

template <typename C>
struct ForwardLayout {
  static constexpr int kGateVectors = kTileVectors / 2;  // of u in a panel, and as many of z
  // Rows that go through all steps together: their [x | h] should stay in the nearer caches beside
  // the weights.
  static constexpr int64_t kBlockRows = 96;

  int64_t depth, vectors, vector_size, row_stride;  // vector_size: of what is packed, u and z

  explicit ForwardLayout(const Problem& p)
      : depth(p.input + p.units),
        vectors((p.units + kLanes<C> - 1) / kLanes<C>),
        vector_size((1 + p.input + p.units) * 2 * kLanes<C>),
        row_stride(SpreadStride<C>(p.input + vectors * kLanes<C>)) {}
};

template <typename C>
int64_t PackedForwardSize(const Problem& p) {
  const ForwardLayout<C> layout(p);
  return layout.vectors * layout.vector_size;
}

template <typename C>
int64_t ForwardScratchSize(const Problem& p, int64_t rows) {
  const ForwardLayout<C> layout(p);
  const int64_t block = rows < layout.kBlockRows ? rows : layout.kBlockRows;
  return 2 * block * layout.row_stride;
}

// The weights, panel after panel, as the product reads them: from the first number to the last. A
// panel has the weights of n units, a few vectors of them, beside those of their candidates.
//
//            from the left half    from the right half
//            of the row            of the row
//           +---------------------+---------------------+
//    row 0  | b_u[i .. i + n)     | b_c[i .. i + n)     |  the bias
//           +---------------------+---------------------+
//        1  | W_u[0, i .. i + n)  | W_c[0, i .. i + n)  |
//        :  |          :          |          :          |  D rows of the kernel
//        D  | W_u[D-1, ...)       | W_c[D-1, ...)       |
//           +---------------------+---------------------+
//    D + 1  | R_u[0, i .. i + n)  | R_c[0, i .. i + n)  |
//        :  |          :          |          :          |  H rows of the recurrent kernel
//    D + H  | R_u[H-1, ...)       | R_c[H-1, ...)       |
//           +---------------------+---------------------+
//
// The next panel begins at unit i + n; units from H on have zeros.
//
// row_of(k) points to the 2H weights of row k.
template <typename S, typename RowOf>
ADDRNN_INLINE void PackPanels(int64_t units, int64_t depth, const S* bias, Compute<S>* packed,
                              RowOf row_of) {
  using C = Compute<S>;
  const int64_t vectors = (units + kLanes<C> - 1) / kLanes<C>;
  ForEachPanel<ForwardLayout<C>::kGateVectors>(vectors, [&](auto panel, int64_t vector) {
    constexpr int64_t kUnits = decltype(panel)::value * kLanes<C>;
    const int64_t unit = vector * kLanes<C>;
    const int64_t left = units - unit;
    const int64_t present = left < kUnits ? left : kUnits;
    for (int64_t k = -1; k < depth; ++k, packed += 2 * kUnits) {
      const S* row = k < 0 ? bias : row_of(k);
      if (row != nullptr && present == kUnits) {  // the size is known: a few vectors
        LoadRow(row + unit, kUnits, packed);
        LoadRow(row + units + unit, kUnits, packed + kUnits);
        continue;
      }
      for (int64_t i = 0; i < 2 * kUnits; ++i) packed[i] = 0;
      if (row == nullptr) continue;
      LoadRow(row + unit, present, packed);
      LoadRow(row + units + unit, present, packed + kUnits);
    }
  });
}

template <typename S>
void PackForward(const Problem& p, const Weights<S>& weights, Compute<S>* packed) {
  PackPanels<S>(p.units, p.input + p.units, weights.bias, packed,
                [&](int64_t k) __attribute__((always_inline)) {
                  return k < p.input ? weights.kernel + k * 2 * p.units
                                     : weights.recurrent_kernel + (k - p.input) * 2 * p.units;
                });
}

template <typename S>
void ForwardBlock(const ForwardTask<S>& task, int64_t row_begin, int64_t row_end,
                  Compute<S>* scratch) {
  using C = Compute<S>;
  using Layout = ForwardLayout<C>;
  const Problem& p = task.problem;
  const ForwardTensors<S>& tensors = task.tensors;
  const Layout layout(p);
  const GateParameters<C> gate(p);
  const GateTileFunction<S> gate_tile = ChooseGateTile(p, tensors);

  C* now = scratch;
  C* next = now + (row_end - row_begin) * layout.row_stride;
  for (int64_t b = row_begin; b < row_end; ++b) {
    C* state = now + (b - row_begin) * layout.row_stride + p.input;
    for (int64_t i = 0; i < layout.row_stride - p.input; ++i) state[i] = 0;
    if (tensors.initial_state) LoadRow(tensors.initial_state + b * p.units, p.units, state);
  }
  for (int64_t t = 0; t < p.time; ++t) {
    const int64_t t_in = p.go_backwards ? p.time - 1 - t : t;
    for (int64_t b = row_begin; b < row_end; ++b) {
      LoadRow(tensors.inputs + (b * p.time + t_in) * p.input, p.input,
              now + (b - row_begin) * layout.row_stride);
    }
    // Panels outside: a panel of weights is read once per step, from the nearest cache for all but
    // the first rows. Meanwhile the next panel comes nearer.
    ForEachPanel<Layout::kGateVectors>(
        layout.vectors, [&](auto panel, int64_t vector) __attribute__((always_inline)) {
          constexpr int kGate = decltype(panel)::value, kRow = 2 * kGate * kLanes<C>;
          const C* packed = task.packed + vector * layout.vector_size;
          const C* ahead =
              vector + kGate < layout.vectors ? packed + kGate * layout.vector_size : task.packed;
          ForEachPiece<kTileRows>(
              row_begin, row_end, [&](auto tile, int64_t row) __attribute__((always_inline)) {
                constexpr int kRows = decltype(tile)::value;
                const int64_t offset = (row - row_begin) * layout.row_stride;
                Vector<C> sums[kRows][2 * kGate];
                ahead = MultiplyTile<C, kRows, 2 * kGate>((C*)sums, kRow, packed, 0, now + offset,
                                                          layout.row_stride, packed + kRow,
                                                          layout.depth, ahead);
                gate_tile(p, tensors, gate, {row, kRows, t, t_in, vector * kLanes<C>, kGate},
                          sums[0], now + offset + p.input, next + offset + p.input,
                          layout.row_stride);
              });
        });
    C* swap = now;
    now = next;
    next = swap;
  }
  for (int64_t b = row_begin; b < row_end; ++b) {
    StoreRow<S>(now + (b - row_begin) * layout.row_stride + p.input, p.units,
                tensors.final_state + b * p.units);
  }
}

template <typename S>
void Forward(const ForwardTask<S>& task, int64_t row_begin, int64_t row_end, Compute<S>* scratch) {
  constexpr int64_t kBlockRows = ForwardLayout<Compute<S>>::kBlockRows;
  for (int64_t row = row_begin; row < row_end; row += kBlockRows) {
    ForwardBlock<S>(task, row, row + kBlockRows < row_end ? row + kBlockRows : row_end, scratch);
  }
}

}  // namespace ADDRNN_ISA
}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_CORE_KERNELS_FORWARD_H_
