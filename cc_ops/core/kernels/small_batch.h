#ifndef KERAS_ADDRNN_CC_OPS_CORE_KERNELS_SMALL_BATCH_H_
#define KERAS_ADDRNN_CC_OPS_CORE_KERNELS_SMALL_BATCH_H_

// The forward pass of few rows, which reading the weights bounds and not the arithmetic. So no
// weight is read in vain: the inputs of many steps meet the kernel in one product, and a step reads
// only those rows of the recurrent kernel whose unit is not exactly zero, as most are behind a
// ReLU. Nor are the weights packed, but where they do not fit the vectors as they are.

#include "cc_ops/core/kernels/gate_tile.h"
#include "cc_ops/core/kernels/kernels.h"
#include "cc_ops/core/kernels/product.h"

namespace addrnn {
namespace ADDRNN_ISA {

// With more rows the dense product of many is faster where few states are zero.
constexpr int kSmallBatchRows = kManyRegisters ? 4 : 3;

// The vectors of units in a tile of so many rows: its sums, u and z, take most registers.
constexpr int SmallBatchVectors(int rows) {
  constexpr int kSums = kManyRegisters ? 24 : 12;
  const int vectors = kSums / (2 * rows);
  return vectors < 1 ? 1 : vectors > 8 ? 8 : vectors;
}

// sums[r][u | z] += sum over the n indices k of a[r * row_stride + k] * [u | z][k * b_stride +
// ...]. Never inlined: see MultiplyTile.
template <typename C, int kRows, int kVectors>
__attribute__((noinline)) void MultiplyListed(Vector<C>* sums, const C* a, ptrdiff_t row_stride,
                                              const C* u, const C* z, ptrdiff_t b_stride,
                                              const int32_t* indices, int64_t n) {
  constexpr int kAhead = 4, kLineVectors = 64 / kVectorBytes;
  Vector<C> acc[kRows][2 * kVectors];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < 2 * kVectors; ++v) acc[r][v] = sums[r * 2 * kVectors + v];
  }
  for (int64_t i = 0; i < n; ++i) {
    const ptrdiff_t k = indices[i], at = k * b_stride;
    if constexpr (kRows < kTileRows) {
      // Few multiply-adds do not hide the way to the next cache, and the list hides the pattern.
      const ptrdiff_t ahead = indices[i + kAhead < n ? i + kAhead : i] * b_stride;
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; v += kLineVectors) {
        __builtin_prefetch(u + ahead + v * kLanes<C>);
        __builtin_prefetch(z + ahead + v * kLanes<C>);
      }
    }
    Vector<C> x[kRows];
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) x[r] = Broadcast<C>(a[r * row_stride + k]);
#pragma GCC unroll 16
    for (int v = 0; v < 2 * kVectors; ++v) {
      const Vector<C> w = Load<C>((v < kVectors ? u : z) + at + v % kVectors * kLanes<C>);
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) acc[r][v] += x[r] * w;
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < 2 * kVectors; ++v) sums[r * 2 * kVectors + v] = acc[r][v];
  }
}

// The indices k < n at which a row of a is not zero, in order; returns how many. (A product with an
// exact zero adds nothing, but where a weight is infinite or NaN.)
template <typename C>
ADDRNN_INLINE int64_t ListNonzero(const C* a, int rows, ptrdiff_t row_stride, int64_t n,
                                  int32_t* indices) {
  int64_t found = 0, k = 0;
  for (; k + kLanes<C> <= n; k += kLanes<C>) {
    Mask<C> nonzero = {};
    for (int r = 0; r < rows; ++r) nonzero |= Load<C>(a + r * row_stride + k) != Vector<C>{};
    for (int lane = 0; lane < kLanes<C>; ++lane) {
      indices[found] = k + lane;
      found -= nonzero[lane];
    }
  }
  for (; k < n; ++k) {
    bool nonzero = false;
    for (int r = 0; r < rows; ++r) nonzero |= a[r * row_stride + k] != 0;
    indices[found] = k;
    found += nonzero;
  }
  return found;
}

// The weights are read where they lie if they are what is computed with, and copied with both
// halves of a row padded to whole vectors if not; also where the copy pays, in a long sequence. A
// vector that reads past the end of a half reads the next, but in the last row: that is copied at
// least.
template <typename S>
SmallBatchSizes SizesOfSmallBatch(const Problem& p) {
  // So many steps that the product over them is efficient, and their results stay in the cache.
  constexpr int64_t kSteps = 8 * kTileRows, kLanesHere = kLanes<Compute<S>>;
  const int64_t padded = RoundUp(p.units, kLanesHere);
  const bool in_place = sizeof(S) == sizeof(Compute<S>) && p.units >= kLanesHere &&
                        (padded == p.units || p.time < kSteps);
  return {padded / kLanesHere, padded, p.time < kSteps ? p.time : kSteps,
          in_place ? 3 : 1 + p.input + p.units, in_place};
}

// A copy of [rows, 2H] with both halves of a row padded with zeros; null: of zeros. Returns its
// end.
template <typename S>
Compute<S>* PadRows(const S* matrix, int64_t rows, int64_t units, int64_t padded,
                    Compute<S>* copy) {
  for (int64_t half = 0; half < 2 * rows; ++half, copy += padded) {
    for (int64_t i = 0; i < padded; ++i) copy[i] = 0;
    if (matrix != nullptr) LoadRow(matrix + half * units, units, copy);
  }
  return copy;
}

// The rows that are copied: of a matrix of so many rows all, or the last.
ADDRNN_INLINE int64_t FirstCopied(int64_t rows, const SmallBatchSizes& sizes) {
  return sizes.in_place && rows > 0 ? rows - 1 : 0;
}

// copies: the bias, then what is copied of the kernel, then of the recurrent kernel.
template <typename S>
void PackSmallBatch(const Problem& p, const SmallBatchSizes& sizes, const Weights<S>& weights,
                    Compute<S>* copies) {
  const int64_t padded = sizes.padded_units;
  copies = PadRows(weights.bias, 1, p.units, padded, copies);
  const auto pack = [&](const S* matrix, int64_t rows) {
    const int64_t first = FirstCopied(rows, sizes);
    copies = PadRows(matrix + first * 2 * p.units, rows - first, p.units, padded, copies);
  };
  if (p.input > 0) pack(weights.kernel, p.input);
  pack(weights.recurrent_kernel, p.units);
}

template <typename S>
void BeginSmallBatch(const Weights<S>& weights, const Compute<S>* copies, SmallBatchTask<S>& task) {
  using C = Compute<S>;
  const Problem& p = task.problem;
  const int64_t row = 2 * task.sizes.padded_units;
  task.bias = copies;
  copies += row;
  const auto arrange = [&](const S* matrix, int64_t rows) -> SmallBatchMatrix<C> {
    const C* copy = copies;
    copies += (rows - FirstCopied(rows, task.sizes)) * row;
    if (!task.sizes.in_place) return {copy, copy, rows, row, row / 2};
    return {(const C*)matrix, copy, rows, 2 * p.units, p.units};  // S is C
  };
  task.kernel = arrange(weights.kernel, p.input);
  task.recurrent_kernel = arrange(weights.recurrent_kernel, p.units);

  const int64_t padded = task.sizes.padded_units;
  const S* states = task.tensors.initial_state;
  for (int64_t i = 0; i < p.batch * padded; ++i) task.now[i] = 0;
  if (states == nullptr) return;
  for (int64_t b = 0; b < p.batch; ++b) {
    LoadRow(states + b * p.units, p.units, task.now + b * padded);
  }
}

// sums += a x b for the units from `unit` on, over the n indices of the rows of b.
template <typename C, int kRows, int kVectors>
ADDRNN_INLINE void MultiplyMatrix(Vector<C>* sums, const C* a, ptrdiff_t row_stride,
                                  const SmallBatchMatrix<C>& b, int64_t padded, int64_t unit,
                                  const int32_t* indices, int64_t n) {
  if (n == 0) return;  // without inputs there is not even a matrix
  const bool last_apart = b.stride < 2 * padded && indices[n - 1] == b.rows - 1;
  MultiplyListed<C, kRows, kVectors>(sums, a, row_stride, b.data + unit, b.data + b.z_offset + unit,
                                     b.stride, indices, n - last_apart);
  if (last_apart) {
    MultiplyListed<C, kRows, kVectors>(sums, a, row_stride, b.last + unit, b.last + padded + unit,
                                       0, indices + n - 1, 1);
  }
}

// Where the v-th of a tile's vectors, u and then z, stands in a row of two halves.
template <typename C, int kVectors>
ADDRNN_INLINE int64_t InHalves(int64_t unit, int64_t padded, int v) {
  return unit + v % kVectors * kLanes<C> + (v < kVectors ? 0 : padded);
}

// The sums of a tile before the product, from rows of two halves, row_stride apart.
template <typename C, int kRows, int kVectors>
ADDRNN_INLINE void LoadSums(const C* from, int64_t row_stride, int64_t unit, int64_t padded,
                            Vector<C> (&sums)[kRows][2 * kVectors]) {
  for (int v = 0; v < 2 * kVectors; ++v) {
    const int64_t at = InHalves<C, kVectors>(unit, padded, v);
    for (int r = 0; r < kRows; ++r) sums[r][v] = Load<C>(from + r * row_stride + at);
  }
}

// The inputs of the chunk's steps, in the order of processing.
template <typename S>
void LoadSmallBatch(const SmallBatchTask<S>& task, int64_t t_begin, int64_t t_end) {
  const Problem& p = task.problem;
  for (int64_t b = 0; b < p.batch; ++b) {
    for (int64_t t = t_begin; t < t_end; ++t) {
      const int64_t t_in = p.go_backwards ? p.time - 1 - t : t;
      LoadRow(task.tensors.inputs + (b * p.time + t_in) * p.input, p.input,
              task.inputs + ((t - t_begin) * p.batch + b) * p.input);
    }
  }
}

// inputs x kernel + bias of the chunk's steps, for the units [begin, end) in vectors.
template <typename S>
void ProjectSmallBatch(const SmallBatchTask<S>& task, int64_t steps, int64_t begin, int64_t end,
                       int32_t* indices) {
  using C = Compute<S>;
  const Problem& p = task.problem;
  const int64_t padded = task.sizes.padded_units;
  ForEachPiece<kTileRows>(
      0, steps * p.batch, [&](auto tile, int64_t row) __attribute__((always_inline)) {
        constexpr int kRows = decltype(tile)::value;
        const C* inputs = task.inputs + row * p.input;
        const int64_t n = ListNonzero(inputs, kRows, p.input, p.input, indices);
        ForEachPiece<SmallBatchVectors(kRows)>(
            begin, end, [&](auto piece, int64_t vector) __attribute__((always_inline)) {
              constexpr int kVectors = decltype(piece)::value;
              const int64_t unit = vector * kLanes<C>;
              Vector<C> sums[kRows][2 * kVectors];
              LoadSums<C, kRows, kVectors>(task.bias, 0, unit, padded, sums);
              MultiplyMatrix<C, kRows, kVectors>(sums[0], inputs, p.input, task.kernel, padded,
                                                 unit, indices, n);
              for (int v = 0; v < 2 * kVectors; ++v) {
                const int64_t at = InHalves<C, kVectors>(unit, padded, v);
                for (int r = 0; r < kRows; ++r) {
                  Store<C>(task.projected + (row + r) * 2 * padded + at, sums[r][v]);
                }
              }
            });
      });
}

template <typename S>
int64_t ActiveInSmallBatch(const SmallBatchTask<S>& task, int32_t* indices) {
  const Problem& p = task.problem;
  return ListNonzero(task.now, p.batch, task.sizes.padded_units, p.units, indices);
}

// Step t, the `step`-th of the chunk, for the units [begin, end) in vectors: `now` to `next`.
template <typename S>
void SmallBatchStep(const SmallBatchTask<S>& task, int64_t t, int64_t step, const int32_t* active,
                    int64_t n, int64_t begin, int64_t end) {
  using C = Compute<S>;
  const Problem& p = task.problem;
  const int64_t padded = task.sizes.padded_units;
  const int64_t t_in = p.go_backwards ? p.time - 1 - t : t;
  const GateParameters<C> gate(p);
  const GateTileFunction<S> gate_tile = ChooseGateTile(p, task.tensors);
  ForEachPiece<kSmallBatchRows>(
      0, p.batch, [&](auto tile, int64_t row) __attribute__((always_inline)) {
        constexpr int kRows = decltype(tile)::value;
        const C* projected = task.projected + (step * p.batch + row) * 2 * padded;
        ForEachPiece<SmallBatchVectors(kRows)>(
            begin, end, [&](auto piece, int64_t vector) __attribute__((always_inline)) {
              constexpr int kVectors = decltype(piece)::value;
              const int64_t unit = vector * kLanes<C>;
              Vector<C> sums[kRows][2 * kVectors];
              LoadSums<C, kRows, kVectors>(projected, 2 * padded, unit, padded, sums);
              MultiplyMatrix<C, kRows, kVectors>(sums[0], task.now + row * padded, padded,
                                                 task.recurrent_kernel, padded, unit, active, n);
              gate_tile(p, task.tensors, gate, {row, kRows, t, t_in, unit, kVectors}, sums[0],
                        task.now + row * padded, task.next + row * padded, padded);
            });
      });
}

template <typename S>
void EndSmallBatch(const SmallBatchTask<S>& task) {
  const Problem& p = task.problem;
  for (int64_t b = 0; b < p.batch; ++b) {
    StoreRow<S>(task.now + b * task.sizes.padded_units, p.units,
                task.tensors.final_state + b * p.units);
  }
}

}  // namespace ADDRNN_ISA
}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_CORE_KERNELS_SMALL_BATCH_H_
