#ifndef KERAS_ADDRNN_CC_OPS_CORE_KERNELS_BACKWARD_H_
#define KERAS_ADDRNN_CC_OPS_CORE_KERNELS_BACKWARD_H_

// The backward pass over one chunk of steps. First, row by row: dz from the bits, and the product
// dz [R; W]^T that gives dL/dh_{t-1} and dL/dx_t. Then, over all rows of the chunk at once:
// [x | h | 1]^T dz, the gradient of [W; R; b].

#include "cc_ops/core/kernels/gate.h"
#include "cc_ops/core/kernels/kernels.h"
#include "cc_ops/core/kernels/product.h"
#include "cc_ops/core/kernels/storage.h"

namespace addrnn {
namespace ADDRNN_ISA {

// How many vectors hold n.
template <typename C>
constexpr int64_t VectorsOf(int64_t n) {
  return (n + kLanes<C> - 1) / kLanes<C>;
}

template <typename C>
int64_t PackedBackwardSize(const Sizes& p, bool inputs_too) {
  const int64_t vectors = VectorsOf<C>(p.units) + (inputs_too ? VectorsOf<C>(p.input) : 0);
  return vectors * 2 * p.units * kLanes<C>;
}

// The matrix [rows, depth] transposed, panel after panel: a panel has n rows of the matrix, a few
// vectors, as columns. `depth` is 2H: first dL/du meets it, then dL/dz_c.
//
//              column 0 ....... column n - 1
//             +----------------------------+
//    row 0    | M[i, 0]    ..  M[i+n-1, 0] |
//      1      | M[i, 1]    ..  M[i+n-1, 1] |
//      :      |    :                :       |
//    2H - 1   | M[i, 2H-1] .. M[i+n-1,2H-1]|
//             +----------------------------+
//
// The next panel begins at row i + n of the matrix; rows beyond `rows` are zeros.
template <typename S>
Compute<S>* PackTransposed(const S* matrix, int64_t rows, int64_t depth, Compute<S>* packed) {
  using C = Compute<S>;
  ForEachPanel<kTileVectors>(VectorsOf<C>(rows), [&](auto panel, int64_t vector) {
    constexpr int64_t kColumns = decltype(panel)::value * kLanes<C>;
    const int64_t first = vector * kLanes<C>;
    const int64_t present = rows - first < kColumns ? rows - first : kColumns;
    // A line of each row at a time, as it comes from memory.
    constexpr int64_t kBlock = 64 / sizeof(S);
    for (int64_t k = 0; k < depth; k += kBlock) {
      const int64_t size = depth - k < kBlock ? depth - k : kBlock;
      for (int64_t i = 0; i < kColumns; ++i) {
        const S* from = matrix + (first + i) * depth + k;
        for (int64_t j = 0; j < size; ++j) {
          packed[j * kColumns + i] = i < present ? ToCompute(from[j]) : 0;
        }
      }
      packed += size * kColumns;
    }
  });
  return packed;
}

template <typename S>
void PackBackward(const Sizes& p, const BackwardTensors<S>& tensors, Compute<S>* packed) {
  packed = PackTransposed(tensors.recurrent_kernel, p.units, 2 * p.units, packed);
  if (tensors.d_inputs) PackTransposed(tensors.kernel, p.input, 2 * p.units, packed);
}

// Up to one vector of what the gradient of the gate reads.
template <typename S>
struct GateGradientInputs {
  using C = Compute<S>;
  Mask<C> bits;
  Vector<C> d_output = {}, candidate = {};

  ADDRNN_INLINE GateGradientInputs(const uint8_t* reserve, const S* d_outputs, const S* candidates,
                                   int64_t n) {
    if (n == kLanes<C>) {
      bits = LoadBytes<C>(reserve);
      d_output = LoadVector(d_outputs);
      if (candidates) candidate = LoadVector(candidates);
    } else {
      uint8_t bytes[kLanes<C>] = {};
      for (int64_t i = 0; i < n; ++i) bytes[i] = reserve[i];
      bits = LoadBytes<C>(bytes);
      LoadRow(d_outputs, n, (C*)&d_output);
      if (candidates) LoadRow(candidates, n, (C*)&candidate);
    }
  }
};

// g = dL/dh_t of one row -> dz of that row; the part of g that goes to h_{t-1} directly stays in
// `carry`.
template <typename Task, typename C>
ADDRNN_INLINE void RowGateGradient(const Task& task, int64_t at, C* carry, C* dz) {
  constexpr int kStep = kLanes<C>;
  const int64_t units = task.sizes.units;
  const auto& tensors = task.tensors;
  // The step before comes next, far away in the tensor: the hardware does not see that coming.
  const int64_t next = at >= units ? at - units : at;
  for (int64_t unit = 0; unit < units; unit += kStep) {
    const GateGradientInputs in(tensors.reserve + at + unit, tensors.d_outputs + at + unit,
                                tensors.candidates ? tensors.candidates + at + unit : nullptr,
                                units - unit < kStep ? units - unit : kStep);
    __builtin_prefetch(tensors.d_outputs + next + unit, 0, 2);
    const GateGradients<C> d =
        GateGradient<C>(in.bits, Load<C>(carry + unit) + in.d_output, in.candidate);
    Store<C>(carry + unit, d.state);
    Store<C>(dz + unit, d.update);
    Store<C>(dz + task.gate_stride + unit, d.candidate);
  }
}

template <typename S>
void StepGateGradient(const StepGradientTensors<S>& tensors, int64_t batch, int64_t units) {
  using C = Compute<S>;
  constexpr int kStep = kLanes<C>;
  for (int64_t row = 0; row < batch; ++row) {
    S* dz = tensors.d_sums + row * 2 * units;
    for (int64_t unit = 0; unit < units; unit += kStep) {
      const int64_t at = row * units + unit, n = units - unit < kStep ? units - unit : kStep;
      const GateGradientInputs<S> in(tensors.reserve + at, tensors.d_outputs + at,
                                     tensors.candidates ? tensors.candidates + at : nullptr, n);
      Vector<C> d_final_state = {};
      LoadRow(tensors.d_final_state + at, n, (C*)&d_final_state);
      const GateGradients<C> d =
          GateGradient<C>(in.bits, d_final_state + in.d_output, in.candidate);
      StoreVector<S>(d.state, n, tensors.d_state + at);
      StoreVector<S>(d.update, n, dz + unit);
      StoreVector<S>(d.candidate, n, dz + units + unit);
    }
  }
}

// The row [x_t | h_{t-1} | 1] that the gradient of the weights is a sum of products with.
template <typename S>
ADDRNN_INLINE void CopyFactors(const BackwardTask<S>& task, int64_t b, int64_t t, int64_t t_in,
                               Compute<S>* factors) {
  const Sizes& p = task.sizes;
  const BackwardTensors<S>& tensors = task.tensors;
  LoadRow(tensors.inputs + (b * p.time + t_in) * p.input, p.input, factors);
  factors += p.input;
  if (t > 0) {
    LoadRow(tensors.outputs + (b * p.time + t - 1) * p.units, p.units, factors);
  } else if (tensors.initial_state) {
    LoadRow(tensors.initial_state + b * p.units, p.units, factors);
  } else {
    for (int64_t i = 0; i < p.units; ++i) factors[i] = 0;
  }
  factors[p.units] = 1;
}

// dz [R; W]^T of one step: the state's part is added to the carry, the inputs' part written.
template <typename S>
void BackwardProduct(const BackwardTask<S>& task, int64_t t_in, const Compute<S>* dz) {
  using C = Compute<S>;
  const Sizes& p = task.sizes;
  const int64_t rows = task.row_end - task.row_begin;
  const int64_t packed_vector = 2 * p.units * kLanes<C>;
  const C* end = task.packed + PackedBackwardSize<C>(p, task.tensors.d_inputs != nullptr);
  // tile_of(panel, tile, column, row, add_product) gives each tile of sums to add_product.
  const auto multiply = [&](const C* matrix, int64_t columns,
                            auto tile_of) __attribute__((always_inline)) {
    ForEachPanel<kTileVectors>(
        VectorsOf<C>(columns), [&](auto panel, int64_t vector) __attribute__((always_inline)) {
          constexpr int kVectors = decltype(panel)::value;
          const C* packed = matrix + vector * packed_vector;
          const C* next = packed + kVectors * packed_vector;
          const C* ahead = next < end ? next : task.packed;
          ForEachPiece<kTileRows>(
              0, rows, [&](auto tile, int64_t row) __attribute__((always_inline)) {
                constexpr int kRows = decltype(tile)::value;
                const C* update = dz + row * task.dz_stride;
                tile_of(panel, tile, vector * kLanes<C>, row,
                        [&](C* sums, int64_t stride) __attribute__((always_inline)) {
                          ahead = MultiplyTile<C, kRows, kVectors>(sums, stride, sums, stride,
                                                                   update, task.dz_stride, packed,
                                                                   p.units, ahead);
                          ahead = MultiplyTile<C, kRows, kVectors>(
                              sums, stride, sums, stride, update + task.gate_stride, task.dz_stride,
                              packed + p.units * kVectors * kLanes<C>, p.units, ahead);
                        });
              });
        });
  };
  multiply(task.packed, p.units,
           [&](auto, auto, int64_t column, int64_t row, auto add_product)
               __attribute__((always_inline)) {
                 add_product(task.carry + row * task.carry_stride + column, task.carry_stride);
               });
  if (task.tensors.d_inputs == nullptr) return;
  multiply(task.packed + VectorsOf<C>(p.units) * packed_vector, p.input,
           [&](auto panel, auto tile, int64_t column, int64_t row, auto add_product)
               __attribute__((always_inline)) {
                 constexpr int kRows = decltype(tile)::value;
                 constexpr int64_t kColumns = decltype(panel)::value * kLanes<C>;
                 C sums[kRows * kColumns] = {};
                 add_product(sums, kColumns);
                 const int64_t left = p.input - column < kColumns ? p.input - column : kColumns;
                 for (int r = 0; r < kRows; ++r) {
                   const int64_t b = task.row_begin + row + r;
                   StoreRow<S>(sums + r * kColumns, left,
                               task.tensors.d_inputs + (b * p.time + t_in) * p.input + column);
                 }
               });
}

template <typename S>
void Backward(const BackwardTask<S>& task) {
  using C = Compute<S>;
  const Sizes& p = task.sizes;
  const int64_t rows = task.row_end - task.row_begin;
  for (int64_t t = task.t_end - 1; t >= task.t_begin; --t) {
    const int64_t t_in = task.go_backwards ? p.time - 1 - t : t;
    C* dz = task.dz + (t - task.t_begin) * rows * task.dz_stride;
    C* factors = task.factors + (t - task.t_begin) * rows * task.factor_stride;
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t b = task.row_begin + row;
      RowGateGradient(task, (b * p.time + t) * p.units, task.carry + row * task.carry_stride,
                      dz + row * task.dz_stride);
      CopyFactors(task, b, t, t_in, factors + row * task.factor_stride);
    }
    BackwardProduct(task, t_in, dz);
  }
}

// So many rows that a strip of dz and one of the factors stay in the nearest cache together.
constexpr int64_t kStripRows = 128;

// weights += factors^T dz, over the `depth` rows of a strip, or of each of its segments. The
// weights are as far apart as they are wide.
template <typename C>
void AddStrip(C* weights, int64_t weight_rows, int64_t width, const C* factors,
              int64_t factor_stride, const C* dz, int64_t dz_stride, int64_t depth,
              Segments segments = {}) {
  ForEachPanel<kTileVectors>(
      width / kLanes<C>, [&](auto panel, int64_t vector) __attribute__((always_inline)) {
        ForEachPiece<kTileRows>(
            0, weight_rows, [&](auto tile, int64_t k) __attribute__((always_inline)) {
              constexpr int kRows = decltype(tile)::value, kVectors = decltype(panel)::value;
              const int64_t column = vector * kLanes<C>;
              MultiplyTransposedTile<C, kRows, kVectors>(weights + k * width + column, width,
                                                         factors + k, factor_stride, dz + column,
                                                         dz_stride, depth, segments);
            });
      });
}

template <typename S>
void WeightGradient(const BackwardTask<S>& task) {
  const int64_t rows = (task.t_end - task.t_begin) * (task.row_end - task.row_begin);
  const int64_t weight_rows = task.sizes.input + task.sizes.units + 1;
  for (int64_t first = 0; first < rows; first += kStripRows) {
    const int64_t depth = rows - first < kStripRows ? rows - first : kStripRows;
    AddStrip(task.d_weights, weight_rows, task.weights_stride,
             task.factors + first * task.factor_stride, task.factor_stride,
             task.dz + first * task.dz_stride, task.dz_stride, depth);
  }
}

template <typename S>
void LoadCarry(const BackwardTask<S>& task) {
  const int64_t units = task.sizes.units;
  for (int64_t b = task.row_begin; b < task.row_end; ++b) {
    LoadRow(task.tensors.d_final_state + b * units, units,
            task.carry + (b - task.row_begin) * task.carry_stride);
  }
}

template <typename S>
void StoreCarry(const BackwardTask<S>& task) {
  const int64_t units = task.sizes.units;
  for (int64_t b = task.row_begin; b < task.row_end; ++b) {
    StoreRow<S>(task.carry + (b - task.row_begin) * task.carry_stride, units,
                task.tensors.d_initial_state + b * units);
  }
}

// A row of the groups' weights, group_stride apart, added up: [u | z], z from gate_stride on.
template <typename S>
void StoreWeightRow(Compute<S>* sums, int64_t groups, int64_t group_stride, int64_t gate_stride,
                    int64_t units, S* to) {
  for (int64_t group = 1; group < groups; ++group) {
    const Compute<S>* addends = sums + group * group_stride;
    for (int64_t i = 0; i < 2 * gate_stride; ++i) sums[i] += addends[i];
  }
  StoreRow<S>(sums, units, to);
  StoreRow<S>(sums + gate_stride, units, to + units);
}

template <typename S>
void StoreWeights(const BackwardTask<S>& task, int64_t groups, int64_t group_stride,
                  int64_t k_begin, int64_t k_end) {
  const Sizes& p = task.sizes;
  const BackwardTensors<S>& tensors = task.tensors;
  for (int64_t k = k_begin; k < k_end; ++k) {
    S* to = k < p.input             ? tensors.d_kernel + k * 2 * p.units
            : k < p.input + p.units ? tensors.d_recurrent_kernel + (k - p.input) * 2 * p.units
                                    : tensors.d_bias;
    StoreWeightRow<S>(task.d_weights + k * task.weights_stride, groups, group_stride,
                      task.gate_stride, p.units, to);
  }
}

}  // namespace ADDRNN_ISA
}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_CORE_KERNELS_BACKWARD_H_
