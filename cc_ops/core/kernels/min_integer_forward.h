#ifndef KERAS_ADDRNN_CC_OPS_CORE_KERNELS_MIN_INTEGER_FORWARD_H_
#define KERAS_ADDRNN_CC_OPS_CORE_KERNELS_MIN_INTEGER_FORWARD_H_

// MinAddGRU in integers. No product reads the state, so consecutive steps are the rows of one
// product, and the state goes from row to row in its epilogue. The rows of all steps of a batch
// row, then of the next one, follow one another: blocks are full however few steps there are.

#include "cc_ops/core/kernels/integer_forward.h"

namespace addrnn {
namespace ADDRNN_ISA {

// What is packed. The columns of u and z alternate, a vector of each.
struct MinIntegerPacked {
  int64_t pairs, columns;
  int32_t *bias, *shift, *multiplier;  // [columns]
  int8_t* data;
  IntegerMatrix kernel;  // [w * D, columns]
  int64_t size;

  MinIntegerPacked(const MinIntegerProblem& p, const uint8_t* packed)
      : pairs((p.units + kSumLanes - 1) / kSumLanes),
        columns(pairs * 2 * kSumLanes),
        kernel{nullptr, Groups(p.window * p.input), pairs} {
    Pieces pieces(packed);
    bias = pieces.Take<int32_t>(columns);
    shift = pieces.Take<int32_t>(columns);
    multiplier = pieces.Take<int32_t>(columns);
    kernel.data = data = pieces.Take<int8_t>(kernel.size());
    size = pieces.taken();
  }
};

inline int64_t MinIntegerPackedSize(const MinIntegerProblem& p) {
  return MinIntegerPacked(p, nullptr).size;
}

inline void PackMinInteger(const MinIntegerProblem& p, const MinIntegerWeights& weights,
                           uint8_t* buffer) {
  const MinIntegerPacked packed(p, buffer);
  const auto column = [&](int64_t i) { return GateColumn(i, p.units); };
  for (int64_t i = 0; i < packed.columns; ++i) {
    const int64_t j = column(i);
    packed.shift[i] = j < 0 ? 0 : weights.shift[j];
    packed.bias[i] = j < 0 ? 0 : weights.bias[j];
    packed.multiplier[i] = j < 0 || weights.multiplier == nullptr ? 0 : weights.multiplier[j];
    // The half that rounds is part of the bias, but where a product comes before it.
    if (weights.multiplier == nullptr) packed.bias[i] += (int32_t)(1u << packed.shift[i] >> 1);
  }
  PackMatrix(weights.kernel, p.window * p.input, 2 * p.units, packed.kernel, column, packed.data);
}

inline int64_t MinIntegerPanels(const MinIntegerProblem& p) {
  constexpr int64_t kPanelPairs = IntegerMatrix::kPanelPairs;
  return (MinIntegerPacked(p, nullptr).pairs + kPanelPairs - 1) / kPanelPairs;
}

// The working memory of one thread.
struct MinIntegerScratch {
  int64_t stride;
  int16_t* windows;  // [rows, stride] the last w inputs of each row of a block
  int16_t* states;   // [pairs * kSumLanes] after the last row
  int32_t* indices;
  int64_t size;

  MinIntegerScratch(const MinIntegerProblem& p, const uint8_t* scratch)
      : stride(Groups(p.window * p.input) * kDepth) {
    const MinIntegerPacked packed(p, nullptr);
    const int64_t rows = p.batch * p.time;
    Pieces pieces(scratch);
    windows = pieces.Take<int16_t>((rows < kIntegerBlockRows ? rows : kIntegerBlockRows) * stride);
    states = pieces.Take<int16_t>(packed.pairs * kSumLanes);
    indices = pieces.Take<int32_t>(packed.kernel.groups);
    size = pieces.taken();
  }
};

inline int64_t MinIntegerScratchSize(const MinIntegerProblem& p) {
  return MinIntegerScratch(p, nullptr).size;
}

// How much the state fades, what is written, and their maximum. All is within the bounds of int16.
struct MinIntegerGate {
  Sums state_max, candidate_max;

  explicit MinIntegerGate(const MinIntegerProblem& p)
      : state_max(p.state_max - Sums{}), candidate_max(p.candidate_max - Sums{}) {}

  ADDRNN_INLINE States Step(Sums update, Sums candidate, States state) const {
    const States zero = {};
    const States u = __builtin_convertvector(Clamp(update, -state_max, state_max), States);
    const States c = __builtin_convertvector(Clamp(candidate, Sums{}, candidate_max), States);
    const States fades = -u > zero ? -u : zero, raises = u > zero ? u : zero;
    const States writes = c - raises > zero ? c - raises : zero, faded = state - fades;
    return faded > writes ? faded : writes;
  }
};

// What does not change from block to block. Row i is step i % T of batch row i / T.
struct MinIntegerRun {
  const MinIntegerTask& task;
  MinIntegerPacked packed;
  MinIntegerScratch scratch;
  MinIntegerGate gate;

  // Where the inputs and the mask of a step are.
  int64_t InputStep(int64_t b, int64_t t) const {
    const int64_t time = task.problem.time;
    return b * time + (task.problem.go_backwards ? time - 1 - t : t);
  }
  bool Skips(int64_t b, int64_t t) const {
    return task.tensors.mask != nullptr && !task.tensors.mask[InputStep(b, t)];
  }

  // At most one vector of units, from `unit` on, of batch row b; cut off, as the inputs are.
  ADDRNN_INLINE States InitialState(int64_t b, int64_t unit) const {
    const MinIntegerProblem& p = task.problem;
    States state = {};
    if (task.tensors.initial_state == nullptr) return state;
    const int64_t left = p.units - unit;
    __builtin_memcpy(&state, task.tensors.initial_state + b * p.units + unit,
                     (left < kSumLanes ? left : kSumLanes) * sizeof(int16_t));
    return Clamp(state, States{}, (int16_t)p.state_max - States{});
  }

  // At most one vector of units, from `unit` on, of row i of a matrix [rows, H].
  ADDRNN_INLINE void Store(States state, int16_t* matrix, int64_t i, int64_t unit) const {
    const int64_t left = task.problem.units - unit;
    int16_t* to = matrix + i * task.problem.units + unit;
    if (left >= kSumLanes) {
      __builtin_memcpy(to, &state, sizeof(state));
    } else {
      __builtin_memcpy(to, &state, left * sizeof(int16_t));
    }
  }

  void LoadZeroPoint(int16_t* to, int64_t n) const {
    for (int64_t i = 0; i < n; ++i) to[i] = (int16_t)task.problem.input_zero_point;
  }

  // The windows of the rows [begin, end). A window is the one before it without its oldest input,
  // and a new one; the window before the first is the last of a full block.
  void LoadWindows(int64_t begin, int64_t end) const {
    const MinIntegerProblem& p = task.problem;
    const MinIntegerTensors& tensors = task.tensors;
    const int64_t older = (p.window - 1) * p.input;
    int16_t* before = scratch.windows + (kIntegerBlockRows - 1) * scratch.stride;
    int16_t* to = scratch.windows;
    for (int64_t i = begin; i < end; ++i, before = to, to += scratch.stride) {
      const int64_t b = i / p.time, t = i % p.time;
      if (t > 0) {
        __builtin_memcpy(to, before + p.input, older * sizeof(int16_t));
      } else if (tensors.initial_inputs.int8 != nullptr ||
                 tensors.initial_inputs.int16 != nullptr) {
        CutOffInputs(tensors.initial_inputs, b * older, older, p.input_bits, to);
      } else {
        LoadZeroPoint(to, older);
      }
      int16_t* newest = to + older;
      if (Skips(b, t)) {
        LoadZeroPoint(newest, p.input);
      } else {
        CutOffInputs(tensors.inputs, InputStep(b, t) * p.input, p.input, p.input_bits, newest);
      }
      for (int64_t k = older + p.input; k < scratch.stride; ++k) to[k] = 0;
    }
  }

  // What follows the product of a tile of rows, of which `first` is the first of all.
  ADDRNN_INLINE void Finish(int64_t first, int rows, int pairs, int64_t pair,
                            const Sums* sums) const {
    const MinIntegerProblem& p = task.problem;
    const auto scaled = [&](int r, int v) __attribute__((always_inline)) {
      const int64_t at = (2 * pair + v) * kSumLanes;
      const Sums shift = LoadAs<Sums>(packed.shift + at);
      const Sums sum = sums[r * 2 * pairs + v] + LoadAs<Sums>(packed.bias + at);
      if (!task.rescale) return sum >> shift;
      return MultiplyAndShift(sum, LoadAs<Sums>(packed.multiplier + at), shift);
    };
    for (int v = 0; v < pairs; ++v) {
      const int64_t unit = (pair + v) * kSumLanes;
      int64_t b = first / p.time, t = first % p.time;
      States state = LoadAs<States>(scratch.states + unit);
      for (int r = 0; r < rows; ++r) {
        if (t == 0) state = InitialState(b, unit);
        if (!Skips(b, t)) state = gate.Step(scaled(r, 2 * v), scaled(r, 2 * v + 1), state);
        if (task.tensors.outputs != nullptr) Store(state, task.tensors.outputs, first + r, unit);
        if (++t == p.time) {
          Store(state, task.tensors.final_state, b, unit);
          ++b, t = 0;
        }
      }
      __builtin_memcpy(scratch.states + unit, &state, sizeof(state));
    }
  }
};

inline void ForwardMinInteger(const MinIntegerTask& task, int64_t row_begin, int64_t row_end,
                              int64_t panel_begin, int64_t panel_end, uint8_t* buffer) {
  const MinIntegerProblem& p = task.problem;
  const MinIntegerRun run = {task, MinIntegerPacked(p, task.packed), MinIntegerScratch(p, buffer),
                             MinIntegerGate(p)};
  constexpr int64_t kPanelPairs = IntegerMatrix::kPanelPairs;
  const int64_t pair_begin = panel_begin * kPanelPairs, all = run.packed.pairs;
  const int64_t pair_end = panel_end * kPanelPairs < all ? panel_end * kPanelPairs : all;
  if (p.time == 0) {
    for (int64_t b = row_begin; b < row_end; ++b) {
      for (int64_t unit = pair_begin * kSumLanes; unit < pair_end * kSumLanes; unit += kSumLanes) {
        run.Store(run.InitialState(b, unit), task.tensors.final_state, b, unit);
      }
    }
    return;
  }
  for (int64_t i = 0; i < run.packed.pairs * kSumLanes; ++i) run.scratch.states[i] = 0;
  IntegerMatrix kernel = run.packed.kernel;
  kernel.data += pair_begin * kernel.groups * kTwoVectorsOfWeights;
  kernel.pairs = pair_end - pair_begin;
  const int64_t end = row_end * p.time;
  for (int64_t first = row_begin * p.time; first < end; first += kIntegerBlockRows) {
    const int64_t rows = end - first < kIntegerBlockRows ? end - first : kIntegerBlockRows;
    run.LoadWindows(first, first + rows);
    MultiplyMatrix(run.scratch.windows, rows, run.scratch.stride, kernel, run.scratch.indices,
                   [&](int tile, int64_t row, int pairs, int64_t pair, const Sums* sums) {
                     run.Finish(first + row, tile, pairs, pair_begin + pair, sums);
                   });
  }
}

}  // namespace ADDRNN_ISA
}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_CORE_KERNELS_MIN_INTEGER_FORWARD_H_
