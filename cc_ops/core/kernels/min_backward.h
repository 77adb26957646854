#ifndef KERAS_ADDRNN_CC_OPS_CORE_KERNELS_MIN_BACKWARD_H_
#define KERAS_ADDRNN_CC_OPS_CORE_KERNELS_MIN_BACKWARD_H_

// The backward pass of the recurrence with gates on inputs alone. Only the carry goes from step to
// step. Both products are over all steps of a chunk, on windows that begin one row after another:
// of inputs for the weights, and of dz for the inputs.

#include "cc_ops/core/kernels/backward.h"
#include "cc_ops/core/kernels/min_forward.h"
#include "cc_ops/core/kernels/min_kernels.h"

namespace addrnn {
namespace ADDRNN_ISA {

// Of the kernel at one position of the window, transposed.
template <typename C>
int64_t MinPackedTapSize(const MinSizes& p) {
  return VectorsOf<C>(p.input) * 2 * p.units * kLanes<C>;
}

template <typename C>
int64_t MinPackedBackwardSize(const MinSizes& p) {
  return p.window * MinPackedTapSize<C>(p);
}

// The newest input's weights first: an input meets them at its own step, and the others later.
template <typename S>
void MinPackBackward(const MinSizes& p, const MinBackwardTensors<S>& tensors, Compute<S>* packed) {
  for (int64_t tap = p.window - 1; tap >= 0; --tap) {
    packed =
        PackTransposed(tensors.kernel + tap * p.input * 2 * p.units, p.input, 2 * p.units, packed);
  }
}

template <typename S>
void MinCarry(const MinBackwardTask<S>& task, int64_t begin, int64_t end) {
  using C = Compute<S>;
  const MinSizes& p = task.sizes;
  for (int64_t t = task.t_end - 1; t >= task.t_begin; --t) {
    const int64_t row = (task.row_begin * p.time + t) * p.units;
    for (int64_t unit = begin; unit < end; unit += kLanes<C>) {
      const int64_t left = end - unit < kLanes<C> ? end - unit : kLanes<C>;
      const GateGradientInputs<S> in(task.tensors.reserve + row + unit,
                                     task.tensors.d_outputs + row + unit, nullptr, left);
      C* carry = task.carry + unit;
      Store<C>(carry, GateGradient<C>(in.bits, Load<C>(carry) + in.d_output, in.candidate).state);
    }
  }
}

template <typename S>
void MinGateGradient(const MinBackwardTask<S>& task) {
  using C = Compute<S>;
  const MinSizes& p = task.sizes;
  for (int64_t b = task.row_begin; b < task.row_end; ++b) {
    C* carry = task.carry + (b - task.row_begin) * task.gate_stride;
    C* dz = task.dz + (b - task.row_begin) * task.span * task.dz_stride;
    for (int64_t t = task.t_end - 1; t >= task.t_begin; --t) {
      RowGateGradient(task, (b * p.time + t) * p.units, carry,
                      dz + (t - task.t_begin) * task.dz_stride);
    }
  }
}

// The product of `taps` rows of dz, from the given one on, with as many positions of the kernel,
// for a tile of rows and a panel of inputs: added to sums.
template <typename C, int kRows, int kVectors>
ADDRNN_INLINE void MultiplyTaps(const MinSizes& p, int64_t gate_stride, int64_t dz_stride,
                                const C* dz, const C* packed, int64_t taps, C* sums) {
  constexpr int kColumns = kVectors * kLanes<C>;
  // Without padding between them the halves of a row are one.
  const int halves = gate_stride == p.units ? 1 : 2;
  const int64_t depth = 2 * p.units / halves;
  for (int64_t tap = 0; tap < taps; ++tap, dz += dz_stride, packed += MinPackedTapSize<C>(p)) {
    for (int half = 0; half < halves; ++half) {
      const C* weights = packed + half * depth * kColumns;
      MultiplyTile<C, kRows, kVectors>(sums, kColumns, sums, kColumns, dz + half * gate_stride,
                                       dz_stride, weights, depth, weights);
    }
  }
}

template <typename S>
void StoreInputGradient(const MinBackwardTask<S>& task, int64_t b, int64_t t, int64_t column,
                        int64_t n, const Compute<S>* sums) {
  const MinSizes& p = task.sizes;
  const uint8_t* mask = task.tensors.mask;
  const int64_t t_in = task.go_backwards ? p.time - 1 - t : t;
  S* to = task.tensors.d_inputs + (b * p.time + t_in) * p.input + column;
  if (mask != nullptr && !mask[b * p.time + t_in]) {  // it was not read
    for (int64_t i = 0; i < n; ++i) to[i] = ToStorage<S>(0);
  } else {
    StoreRow<S>(sums, n, to);
  }
}

// An input at step t was read by the steps t to t + w - 1. One before the first step by those of
// them that there are.
template <typename S>
void MinInputGradient(const MinBackwardTask<S>& task) {
  using C = Compute<S>;
  const MinSizes& p = task.sizes;
  const int64_t before = p.window - 1;
  const bool initial = task.tensors.d_initial_inputs != nullptr && task.t_begin == 0;
  ForEachPanel<kTileVectors>(
      VectorsOf<C>(p.input), [&](auto panel, int64_t vector) __attribute__((always_inline)) {
        constexpr int kVectors = decltype(panel)::value;
        constexpr int64_t kColumns = kVectors * kLanes<C>;
        const C* packed = task.packed + vector * 2 * p.units * kLanes<C>;
        const int64_t column = vector * kLanes<C>;
        const int64_t left = p.input - column < kColumns ? p.input - column : kColumns;
        for (int64_t b = task.row_begin; b < task.row_end; ++b) {
          const C* dz = task.dz + (b - task.row_begin) * task.span * task.dz_stride;
          if (task.tensors.d_inputs != nullptr) {
            ForEachPiece<kTileRows>(
                task.t_begin, task.t_end, [&](auto tile, int64_t t) __attribute__((always_inline)) {
                  constexpr int kRows = decltype(tile)::value;
                  C sums[kRows * kColumns] = {};
                  MultiplyTaps<C, kRows, kVectors>(p, task.gate_stride, task.dz_stride,
                                                   dz + (t - task.t_begin) * task.dz_stride, packed,
                                                   p.window, sums);
                  for (int r = 0; r < kRows; ++r) {
                    StoreInputGradient(task, b, t + r, column, left, sums + r * kColumns);
                  }
                });
          }
          for (int64_t i = 0; initial && i < before; ++i) {
            C sums[kColumns] = {};
            // Its first reader is step 0, for which it is `before - i` steps old.
            MultiplyTaps<C, 1, kVectors>(p, task.gate_stride, task.dz_stride, dz,
                                         packed + (before - i) * MinPackedTapSize<C>(p), i + 1,
                                         sums);
            StoreRow<S>(sums, left,
                        task.tensors.d_initial_inputs + (b * before + i) * p.input + column);
          }
        }
      });
}

template <typename S>
void MinWeightGradient(const MinBackwardTask<S>& task) {
  using C = Compute<S>;
  const MinSizes& p = task.sizes;
  const int64_t rows = task.row_end - task.row_begin, steps = task.t_end - task.t_begin;
  const int64_t weight_rows = p.window * p.input, stride = 2 * task.gate_stride;
  C* d_bias = task.d_weights + weight_rows * stride;
  for (int64_t row = 0; row < rows; ++row) {
    MinLoadInputs<S>(p, task.go_backwards, task.tensors, task.row_begin + row,
                     task.t_begin - (p.window - 1), task.t_end,
                     task.factors + row * task.span * p.input);
    for (int64_t t = 0; t < steps; ++t) {
      const C* dz = task.dz + (row * task.span + t) * task.dz_stride;
      for (int64_t i = 0; i < stride; ++i) d_bias[i] += dz[i];
    }
  }
  const int64_t whole = kStripRows / steps > 1 ? kStripRows / steps : 1;  // batch rows of a strip
  for (int64_t row = 0; row < rows; row += whole) {
    const Segments segments = {rows - row < whole ? rows - row : whole, task.span * p.input,
                               task.span * task.dz_stride};
    for (int64_t first = 0; first < steps; first += kStripRows) {
      const int64_t depth = steps - first < kStripRows ? steps - first : kStripRows;
      AddStrip(task.d_weights, weight_rows, stride,
               task.factors + (row * task.span + first) * p.input, p.input,
               task.dz + (row * task.span + first) * task.dz_stride, task.dz_stride, depth,
               segments);
    }
  }
}

template <typename S>
void MinLoadCarry(const MinBackwardTask<S>& task, int64_t begin, int64_t end) {
  for (int64_t b = task.row_begin; b < task.row_end; ++b) {
    LoadRow(task.tensors.d_final_state + b * task.sizes.units + begin, end - begin,
            task.carry + (b - task.row_begin) * task.gate_stride + begin);
  }
}

// The initial state counts where it is above 0.
template <typename S>
void MinStoreCarry(const MinBackwardTask<S>& task) {
  using C = Compute<S>;
  const int64_t units = task.sizes.units;
  for (int64_t b = task.row_begin; b < task.row_end; ++b) {
    const C* carry = task.carry + (b - task.row_begin) * task.gate_stride;
    const S* initial = task.tensors.initial_state;
    for (int64_t i = 0; i < units; ++i) {
      const bool counts = initial != nullptr && !(ToCompute(initial[b * units + i]) <= 0);
      task.tensors.d_initial_state[b * units + i] = ToStorage<S>(counts ? carry[i] : (C)0);
    }
  }
}

template <typename S>
void MinStoreWeights(const MinBackwardTask<S>& task, int64_t groups, int64_t group_stride,
                     int64_t k_begin, int64_t k_end) {
  const MinSizes& p = task.sizes;
  const int64_t stride = 2 * task.gate_stride;
  for (int64_t k = k_begin; k < k_end; ++k) {
    S* to = k < p.window * p.input ? task.tensors.d_kernel + k * 2 * p.units : task.tensors.d_bias;
    StoreWeightRow<S>(task.d_weights + k * stride, groups, group_stride, task.gate_stride, p.units,
                      to);
  }
}

}  // namespace ADDRNN_ISA
}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_CORE_KERNELS_MIN_BACKWARD_H_
