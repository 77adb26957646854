#ifndef KERAS_ADDRNN_CC_OPS_CORE_KERNELS_INTEGER_FORWARD_H_
#define KERAS_ADDRNN_CC_OPS_CORE_KERNELS_INTEGER_FORWARD_H_

// The recurrence in integers, and the dense layer behind it. The inputs of some steps meet the
// kernel in one product; then, step by step, the states the recurrent kernel, with the gate as the
// epilogue.

#include "cc_ops/core/kernels/integer_gate.h"
#include "cc_ops/core/kernels/integer_kernels.h"
#include "cc_ops/core/kernels/integer_product.h"

namespace addrnn {
namespace ADDRNN_ISA {

// Rows of one product: batch rows times steps. Enough of them to read the kernel seldom, few
// enough for the results to stay near.
constexpr int64_t kIntegerBlockRows = 32;

constexpr int64_t Groups(int64_t rows) { return (rows + kDepth - 1) / kDepth; }

// Hands out pieces of a buffer, each at a multiple of 64 bytes. Without a buffer it only counts.
class Pieces {
 public:
  explicit Pieces(const uint8_t* buffer) : buffer_(buffer) {}

  template <typename T>
  T* Take(int64_t n) {
    const int64_t at = taken_;
    taken_ += RoundUp(n * (int64_t)sizeof(T), 64);
    return buffer_ == nullptr ? nullptr : (T*)(buffer_ + at);
  }
  int64_t taken() const { return taken_; }

 private:
  const uint8_t* buffer_;
  int64_t taken_ = 0;
};

// What is packed. The columns of u and z alternate, a vector of each.
struct IntegerPacked {
  int64_t pairs, columns;
  int32_t *bias, *kernel_shift, *recurrent_shift, *shift, *multiplier;  // [columns]
  int8_t *kernel_data, *recurrent_data;
  IntegerMatrix kernel, recurrent_kernel;
  int64_t size;

  IntegerPacked(const IntegerProblem& p, const uint8_t* packed)
      : pairs((p.units + kSumLanes - 1) / kSumLanes), columns(pairs * 2 * kSumLanes) {
    Pieces pieces(packed);
    bias = pieces.Take<int32_t>(columns);
    kernel_shift = pieces.Take<int32_t>(columns);
    recurrent_shift = pieces.Take<int32_t>(columns);
    shift = pieces.Take<int32_t>(columns);
    multiplier = pieces.Take<int32_t>(columns);
    kernel = {nullptr, Groups(p.input), pairs};
    recurrent_kernel = {nullptr, Groups(p.units), pairs};
    kernel.data = kernel_data = pieces.Take<int8_t>(kernel.size());
    recurrent_kernel.data = recurrent_data = pieces.Take<int8_t>(recurrent_kernel.size());
    size = pieces.taken();
  }
};

// Which column of a matrix [u | z] lies at i, where a vector of u and one of z alternate; -1: none.
constexpr int64_t GateColumn(int64_t i, int64_t units) {
  const int64_t unit = i / (2 * kSumLanes) * kSumLanes + i % kSumLanes;
  return unit >= units ? -1 : unit + (i / kSumLanes % 2) * units;
}

inline int64_t IntegerPackedSize(const IntegerProblem& p) { return IntegerPacked(p, nullptr).size; }

inline void PackInteger(const IntegerProblem& p, const IntegerWeights& weights, uint8_t* buffer) {
  const IntegerPacked packed(p, buffer);
  const auto column = [&](int64_t i) { return GateColumn(i, p.units); };
  for (int64_t i = 0; i < packed.columns; ++i) {
    const int64_t j = column(i);
    packed.kernel_shift[i] = j < 0 ? 0 : weights.kernel_shift[j];
    packed.recurrent_shift[i] = j < 0 ? 0 : weights.recurrent_shift[j];
    packed.shift[i] = j < 0 ? 0 : weights.shift[j];
    packed.bias[i] = j < 0 ? 0 : weights.bias[j];
    packed.multiplier[i] = j < 0 || weights.multiplier == nullptr ? 0 : weights.multiplier[j];
    // The half that rounds is part of the bias, but where a product comes before it.
    if (weights.multiplier == nullptr) packed.bias[i] += (int32_t)(1u << packed.shift[i] >> 1);
  }
  PackMatrix(weights.kernel, p.input, 2 * p.units, packed.kernel, column, packed.kernel_data);
  PackMatrix(weights.recurrent_kernel, p.units, 2 * p.units, packed.recurrent_kernel, column,
             packed.recurrent_data);
}

// The working memory of one thread.
struct IntegerScratch {
  int64_t steps;  // of a chunk, at most
  int64_t input_stride, state_stride;
  int16_t* inputs;      // [steps, rows, input_stride]
  int32_t* projected;   // [steps, rows, columns]
  int16_t *now, *next;  // [rows, state_stride]
  int32_t* indices;
  int64_t size;

  IntegerScratch(const IntegerProblem& p, int64_t rows, const uint8_t* scratch) {
    const IntegerPacked packed(p, nullptr);
    rows = rows < kIntegerBlockRows ? rows : kIntegerBlockRows;
    steps = kIntegerBlockRows / rows < p.time ? kIntegerBlockRows / rows : p.time;
    input_stride = packed.kernel.groups * kDepth;
    state_stride = packed.pairs * kSumLanes;
    const int64_t groups = packed.kernel.groups > packed.recurrent_kernel.groups
                               ? packed.kernel.groups
                               : packed.recurrent_kernel.groups;
    // No less for fewer rows, which go more steps at once: a thread may have fewer than all.
    const int64_t most = rows * p.time < kIntegerBlockRows ? rows * p.time : kIntegerBlockRows;
    Pieces pieces(scratch);
    projected = pieces.Take<int32_t>(most * packed.columns);
    now = pieces.Take<int16_t>(rows * state_stride);
    next = pieces.Take<int16_t>(rows * state_stride);
    inputs = pieces.Take<int16_t>(most * input_stride);
    indices = pieces.Take<int32_t>(groups);
    size = pieces.taken();
  }
};

inline int64_t IntegerScratchSize(const IntegerProblem& p, int64_t rows) {
  return IntegerScratch(p, rows, nullptr).size;
}

// What does not change while some rows go through time.
struct IntegerBlock {
  const IntegerTask& task;
  IntegerPacked packed;
  IntegerGate gate;
  int64_t row_begin, rows;

  int64_t InputStep(int64_t t) const {
    return task.problem.go_backwards ? task.problem.time - 1 - t : t;
  }
};

inline void LoadStates(const IntegerBlock& block, const IntegerScratch& scratch) {
  const IntegerProblem& p = block.task.problem;
  const int16_t least = (int16_t)-p.state_shift, greatest = (int16_t)p.state_max;
  for (int64_t r = 0; r < block.rows; ++r) {
    int16_t* state = scratch.now + r * scratch.state_stride;
    for (int64_t i = 0; i < scratch.state_stride; ++i) state[i] = 0;
    if (block.task.tensors.initial_state == nullptr) continue;
    const int16_t* from = block.task.tensors.initial_state + (block.row_begin + r) * p.units;
    for (int64_t i = 0; i < p.units; ++i) {  // cut off, as the inputs are
      const int16_t v = from[i] < least ? least : from[i];
      state[i] = v > greatest ? greatest : v;
    }
  }
}

// inputs x kernel, shifted, and the bias, for the steps [t_begin, t_end).
inline void ProjectInputs(const IntegerBlock& block, int64_t t_begin, int64_t t_end,
                          const IntegerScratch& scratch) {
  const IntegerProblem& p = block.task.problem;
  const IntegerPacked& packed = block.packed;
  int16_t* to = scratch.inputs;
  for (int64_t t = t_begin; t < t_end; ++t) {
    for (int64_t r = 0; r < block.rows; ++r, to += scratch.input_stride) {
      const int64_t at = ((block.row_begin + r) * p.time + block.InputStep(t)) * p.input;
      LoadInputs(block.task.tensors.inputs, at, p.input, p.input_bits, to);
    }
  }
  const auto finish = [&](int rows, int64_t row, int pairs, int64_t pair, const Sums* sums) {
    for (int v = 0; v < 2 * pairs; ++v) {
      const int64_t at = (2 * pair + v) * kSumLanes;
      const Sums shift = LoadAs<Sums>(packed.kernel_shift + at);
      const Sums bias = LoadAs<Sums>(packed.bias + at);
      for (int r = 0; r < rows; ++r) {
        const Sums sum = ShiftLeft(sums[r * 2 * pairs + v], shift) + bias;
        __builtin_memcpy(scratch.projected + (row + r) * packed.columns + at, &sum, sizeof(sum));
      }
    }
  };
  MultiplyMatrix(scratch.inputs, (t_end - t_begin) * block.rows, scratch.input_stride,
                 packed.kernel, scratch.indices, finish);
}

// What follows the product of a step, for a tile of sums: `now` to `next`, and the outputs.
inline void FinishStep(const IntegerBlock& block, const IntegerScratch& scratch, int64_t t,
                       const int32_t* projected, int rows, int64_t row, int pairs, int64_t pair,
                       const Sums* sums) {
  const IntegerProblem& p = block.task.problem;
  const IntegerTensors& tensors = block.task.tensors;
  const IntegerPacked& packed = block.packed;
  const IntegerGate gate = block.gate;
  const auto scaled = [&](int r, int v) __attribute__((always_inline)) {
    const int64_t at = (2 * pair + v) * kSumLanes;
    const Sums shift = LoadAs<Sums>(packed.shift + at);
    const Sums sum = ShiftLeft(sums[r * 2 * pairs + v], LoadAs<Sums>(packed.recurrent_shift + at)) +
                     LoadAs<Sums>(projected + (row + r) * packed.columns + at);
    if (!block.task.rescale) return sum >> shift;
    return MultiplyAndShift(sum, LoadAs<Sums>(packed.multiplier + at), shift);
  };
  for (int r = 0; r < rows; ++r) {
    const int64_t b = block.row_begin + row + r;
    const bool skip = tensors.mask != nullptr && !tensors.mask[b * p.time + block.InputStep(t)];
    const int64_t first = pair * kSumLanes;
    const int16_t* before = scratch.now + (row + r) * scratch.state_stride + first;
    int16_t* after = scratch.next + (row + r) * scratch.state_stride + first;
    int16_t* output =
        tensors.outputs == nullptr ? nullptr : tensors.outputs + (b * p.time + t) * p.units + first;
    for (int v = 0; v < pairs; ++v) {
      const int64_t unit = v * kSumLanes, left = p.units - first - unit;
      States state = LoadAs<States>(before + unit);
      if (!skip) state = gate.Step(scaled(r, 2 * v), scaled(r, 2 * v + 1), state);
      __builtin_memcpy(after + unit, &state, sizeof(state));
      if (output == nullptr) continue;
      if (left >= kSumLanes) {
        __builtin_memcpy(output + unit, &state, sizeof(state));
      } else {
        __builtin_memcpy(output + unit, &state, left * sizeof(int16_t));
      }
    }
  }
}

inline void ForwardIntegerBlock(const IntegerBlock& block, IntegerScratch scratch) {
  const IntegerProblem& p = block.task.problem;
  LoadStates(block, scratch);
  for (int64_t t_begin = 0; t_begin < p.time; t_begin += scratch.steps) {
    const int64_t t_end = t_begin + scratch.steps < p.time ? t_begin + scratch.steps : p.time;
    ProjectInputs(block, t_begin, t_end, scratch);
    for (int64_t t = t_begin; t < t_end; ++t) {
      const int32_t* projected =
          scratch.projected + (t - t_begin) * block.rows * block.packed.columns;
      MultiplyMatrix(scratch.now, block.rows, scratch.state_stride, block.packed.recurrent_kernel,
                     scratch.indices,
                     [&](int rows, int64_t row, int pairs, int64_t pair, const Sums* sums) {
                       FinishStep(block, scratch, t, projected, rows, row, pairs, pair, sums);
                     });
      int16_t* swap = scratch.now;
      scratch.now = scratch.next;
      scratch.next = swap;
    }
  }
  for (int64_t r = 0; r < block.rows; ++r) {
    __builtin_memcpy(block.task.tensors.final_state + (block.row_begin + r) * p.units,
                     scratch.now + r * scratch.state_stride, p.units * sizeof(int16_t));
  }
}

inline void ForwardInteger(const IntegerTask& task, int64_t row_begin, int64_t row_end,
                           uint8_t* buffer) {
  const IntegerScratch scratch(task.problem, row_end - row_begin, buffer);
  const IntegerPacked packed(task.problem, task.packed);
  const IntegerGate gate(task.problem);
  for (int64_t row = row_begin; row < row_end; row += kIntegerBlockRows) {
    const int64_t left = row_end - row;
    ForwardIntegerBlock(
        {task, packed, gate, row, left < kIntegerBlockRows ? left : kIntegerBlockRows}, scratch);
  }
}

}  // namespace ADDRNN_ISA
}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_CORE_KERNELS_INTEGER_FORWARD_H_
