#ifndef KERAS_ADDRNN_CC_OPS_CORE_KERNELS_FORWARD_H_
#define KERAS_ADDRNN_CC_OPS_CORE_KERNELS_FORWARD_H_

// The forward pass. Batch rows never meet, so a thread takes some rows through all steps. Per step
// and tile, the product [x_t | h_{t-1}] [W; R] for some rows and units stays in registers, u beside
// z, and the gate is its epilogue.

#include "cc_ops/core/kernels/gate.h"
#include "cc_ops/core/kernels/kernels.h"
#include "cc_ops/core/kernels/product.h"
#include "cc_ops/core/kernels/storage.h"

namespace addrnn {
namespace ADDRNN_ISA {

template <typename C>
struct ForwardLayout {
  static constexpr int kGateVectors = kTileVectors / 2;        // of u, and as many of z
  static constexpr int64_t kUnits = kGateVectors * kLanes<C>;  // units of one panel
  static constexpr int64_t kPanelRow = 2 * kUnits;             // [u | z]
  // Rows that go through all steps together: their [x | h] should stay in the nearer caches beside
  // the weights.
  static constexpr int64_t kBlockRows = 96;

  int64_t depth, panels, panel_size, row_stride;

  explicit ForwardLayout(const Problem& p)
      : depth(p.input + p.units),
        panels((p.units + kUnits - 1) / kUnits),
        panel_size((1 + p.input + p.units) * kPanelRow),
        row_stride(SpreadStride<C>(p.input + panels * kUnits)) {}
};

template <typename C>
int64_t PackedForwardSize(const Problem& p) {
  // Tiles with few rows read whole groups of panels.
  const ForwardLayout<C> layout(p);
  return RoundUp(layout.panels, Panels(1)) * layout.panel_size;
}

template <typename C>
int64_t ForwardScratchSize(const Problem& p, int64_t rows) {
  const ForwardLayout<C> layout(p);
  const int64_t block = rows < layout.kBlockRows ? rows : layout.kBlockRows;
  return 2 * block * layout.row_stride;
}

// packed: for every panel of units a row of the bias, then the D rows of W, then the H rows of R,
// each [u | z]; zeros for units that do not exist.
template <typename S>
void PackForward(const Problem& p, const ForwardTensors<S>& tensors, Compute<S>* packed) {
  using C = Compute<S>;
  using Layout = ForwardLayout<C>;
  const Layout layout(p);
  const int64_t panels = RoundUp(layout.panels, Panels(1));
  for (int64_t panel = 0; panel < panels; ++panel) {
    const int64_t unit = panel * layout.kUnits;
    int64_t present = p.units - unit;
    present = present < 0 ? 0 : present < layout.kUnits ? present : layout.kUnits;
    for (int64_t k = -1; k < layout.depth; ++k, packed += layout.kPanelRow) {
      const S* row = k < 0         ? tensors.bias
                     : k < p.input ? tensors.kernel + k * 2 * p.units
                                   : tensors.recurrent_kernel + (k - p.input) * 2 * p.units;
      for (int64_t i = 0; i < layout.kPanelRow; ++i) packed[i] = 0;
      if (row == nullptr || present == 0) continue;
      LoadRow(row + unit, present, packed);
      LoadRow(row + p.units + unit, present, packed + layout.kUnits);
    }
  }
}

// Where a tile stands: rows [row, row + rows) of step t, units from `panel` on.
struct TilePlace {
  int64_t row, t, t_in, panel;
  int rows, panels;
};

// The gate for one tile of sums, [rows][panels][u | z]: writes h_t into the state part of `next`
// and into the tensors. One function for all tile sizes: inlined in each, it would be most of the
// library.
template <typename S>
__attribute__((noinline)) void GateTile(const ForwardTask<S>& task,
                                        const GateParameters<Compute<S>>& gate,
                                        const ForwardLayout<Compute<S>>& layout,
                                        const TilePlace& place, const Vector<Compute<S>>* sums,
                                        const Compute<S>* now, Compute<S>* next) {
  using C = Compute<S>;
  using Layout = ForwardLayout<C>;
  const Problem& p = task.problem;
  const ForwardTensors<S>& tensors = task.tensors;
  for (int r = 0; r < place.rows; ++r, now += layout.row_stride, next += layout.row_stride) {
    const int64_t b = place.row + r;
    const bool skip = tensors.mask != nullptr && !tensors.mask[b * p.time + place.t_in];
    for (int v = 0; v < place.panels * Layout::kGateVectors; ++v) {
      const int panel = v / Layout::kGateVectors, vector = v % Layout::kGateVectors;
      const int64_t unit = (place.panel + panel) * Layout::kUnits + vector * kLanes<C>;
      if (unit >= p.units) break;
      const Vector<C>* sum = sums + (r * place.panels + panel) * kTileVectors + vector;
      const int64_t left = p.units - unit;
      const int64_t at = (b * p.time + place.t) * p.units + unit;
      const Vector<C> before = Load<C>(now + unit);
      Vector<C> candidate = sum[Layout::kGateVectors];
      Mask<C> bits = {};
      Vector<C> state = Gate<C>(gate, sum[0], candidate, before, tensors.reserve ? &bits : nullptr);
      if (skip) {
        state = before;
        bits = Mask<C>{} + (int)kKeep;
      }
      StoreVector<S>(state, left, tensors.outputs + at);
      if (sizeof(S) != sizeof(C)) {
        // The state is what the outputs hold: rounded to the storage type at every step.
        LoadRow(tensors.outputs + at, left < kLanes<C> ? left : kLanes<C>, (C*)&state);
      }
      Store<C>(next + unit, state);
      if (tensors.reserve != nullptr) {
        const Bytes<C> bytes = __builtin_convertvector(bits, Bytes<C>);
        if (left >= kLanes<C>) {
          __builtin_memcpy(tensors.reserve + at, &bytes, kLanes<C>);
        } else {
          __builtin_memcpy(tensors.reserve + at, &bytes, left);
        }
      }
      if (tensors.candidates != nullptr) StoreVector<S>(candidate, left, tensors.candidates + at);
    }
  }
}

template <typename S>
void ForwardBlock(const ForwardTask<S>& task, int64_t row_begin, int64_t row_end,
                  Compute<S>* scratch) {
  using C = Compute<S>;
  using Layout = ForwardLayout<C>;
  const Problem& p = task.problem;
  const ForwardTensors<S>& tensors = task.tensors;
  const Layout layout(p);
  const Vector<C> bound = Broadcast<C>((C)p.state_max);
  const GateParameters<C> gate = {p.activation, Broadcast<C>((C)p.state_shift), bound,
                                  bound == Broadcast<C>((C)__builtin_inf())};

  C* now = scratch;
  C* next = scratch + (row_end - row_begin) * layout.row_stride;
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
    // the first rows.
    int64_t panel = 0;
    while (panel < layout.panels) {
      int64_t taken = 1;
      ForEachTile(row_begin, row_end, [&](auto tile, int64_t row) __attribute__((always_inline)) {
        constexpr int kRows = decltype(tile)::rows;
        constexpr int kPanels = Panels(kRows);
        const int64_t offset = (row - row_begin) * layout.row_stride;
        constexpr int kVectors = kPanels * kTileVectors;
        const C* packed = task.packed + panel * layout.panel_size;
        Vector<C> sums[kRows][kVectors];
        for (int v = 0; v < kVectors; ++v) {
          const C* bias =
              packed + v / kTileVectors * layout.panel_size + v % kTileVectors * kLanes<C>;
          for (int r = 0; r < kRows; ++r) sums[r][v] = Load<C>(bias);
        }
        MultiplyTile<C, kRows, kPanels>((C*)sums, kVectors * kLanes<C>, now + offset,
                                        layout.row_stride, 1, packed + Layout::kPanelRow,
                                        Layout::kPanelRow, layout.depth, layout.panel_size);
        GateTile<S>(task, gate, layout, {row, t, t_in, panel, kRows, kPanels}, sums[0],
                    now + offset + p.input, next + offset + p.input);
        taken = kPanels;
      });
      panel += taken;
    }
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
