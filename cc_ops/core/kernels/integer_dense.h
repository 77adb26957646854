#ifndef KERAS_ADDRNN_CC_OPS_CORE_KERNELS_INTEGER_DENSE_H_
#define KERAS_ADDRNN_CC_OPS_CORE_KERNELS_INTEGER_DENSE_H_

// The dense layer in integers: one product, and the bias.

#include "cc_ops/core/kernels/integer_forward.h"

namespace addrnn {
namespace ADDRNN_ISA {

struct IntegerDensePacked {
  int64_t columns;  // whole pairs of vectors
  int32_t* bias;    // [columns]
  int8_t* data;
  IntegerMatrix kernel;
  int64_t size;

  IntegerDensePacked(const IntegerDenseProblem& p, const uint8_t* packed)
      : columns(RoundUp(p.units, 2 * kSumLanes)),
        kernel{nullptr, Groups(p.input), columns / (2 * kSumLanes)} {
    Pieces pieces(packed);
    bias = pieces.Take<int32_t>(columns);
    kernel.data = data = pieces.Take<int8_t>(kernel.size());
    size = pieces.taken();
  }
};

inline int64_t IntegerDensePackedSize(const IntegerDenseProblem& p) {
  return IntegerDensePacked(p, nullptr).size;
}

inline void PackIntegerDense(const IntegerDenseProblem& p, const IntegerDenseWeights& weights,
                             uint8_t* buffer) {
  const IntegerDensePacked packed(p, buffer);
  for (int64_t i = 0; i < packed.columns; ++i) packed.bias[i] = i < p.units ? weights.bias[i] : 0;
  const auto column = [&](int64_t i) { return i < p.units ? i : int64_t{-1}; };
  PackMatrix(weights.kernel, p.input, p.units, packed.kernel, column, packed.data);
}

struct IntegerDenseScratch {
  int64_t stride;
  int16_t* inputs;  // [rows, stride]
  int32_t* indices;
  int64_t size;

  IntegerDenseScratch(const IntegerDenseProblem& p, int64_t rows, const uint8_t* scratch)
      : stride(Groups(p.input) * kDepth) {
    Pieces pieces(scratch);
    inputs = pieces.Take<int16_t>((rows < kIntegerBlockRows ? rows : kIntegerBlockRows) * stride);
    indices = pieces.Take<int32_t>(Groups(p.input));
    size = pieces.taken();
  }
};

inline int64_t IntegerDenseScratchSize(const IntegerDenseProblem& p, int64_t rows) {
  return IntegerDenseScratch(p, rows, nullptr).size;
}

inline void IntegerDense(const IntegerDenseTask& task, int64_t row_begin, int64_t row_end,
                         uint8_t* buffer) {
  const IntegerDenseProblem& p = task.problem;
  const IntegerDensePacked packed(p, task.packed);
  const IntegerDenseScratch scratch(p, row_end - row_begin, buffer);
  for (int64_t first = row_begin; first < row_end; first += kIntegerBlockRows) {
    const int64_t rows = row_end - first < kIntegerBlockRows ? row_end - first : kIntegerBlockRows;
    for (int64_t r = 0; r < rows; ++r) {
      LoadInputs(task.tensors.inputs, (first + r) * p.input, p.input, p.input_bits,
                 scratch.inputs + r * scratch.stride);
    }
    const auto finish = [&](int tile, int64_t row, int pairs, int64_t pair, const Sums* sums) {
      for (int v = 0; v < 2 * pairs; ++v) {
        const int64_t at = (2 * pair + v) * kSumLanes, left = p.units - at;
        if (left <= 0) break;
        for (int r = 0; r < tile; ++r) {
          const Sums sum = sums[r * 2 * pairs + v] + LoadAs<Sums>(packed.bias + at);
          int32_t* output = task.tensors.outputs + (first + row + r) * p.units + at;
          __builtin_memcpy(output, &sum, (left < kSumLanes ? left : kSumLanes) * sizeof(int32_t));
        }
      }
    };
    MultiplyMatrix(scratch.inputs, rows, scratch.stride, packed.kernel, scratch.indices, finish);
  }
}

}  // namespace ADDRNN_ISA
}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_CORE_KERNELS_INTEGER_DENSE_H_
