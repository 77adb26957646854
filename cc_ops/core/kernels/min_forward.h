#ifndef KERAS_ADDRNN_CC_OPS_CORE_KERNELS_MIN_FORWARD_H_
#define KERAS_ADDRNN_CC_OPS_CORE_KERNELS_MIN_FORWARD_H_

// The forward pass of the recurrence with gates on inputs alone. The rows of a tile are consecutive
// steps of one sequence: the window of a step begins one input after that of the step before it,
// and needs no copy. A state goes through the tile's steps in a register.

#include "cc_ops/core/kernels/forward.h"
#include "cc_ops/core/kernels/min_gate_tile.h"
#include "cc_ops/core/kernels/min_kernels.h"
#include "cc_ops/core/kernels/product.h"

namespace addrnn {
namespace ADDRNN_ISA {

template <typename C>
struct MinForwardLayout {
  static constexpr int kGateVectors = kTileVectors / 2;  // of u in a panel, and as many of z

  int64_t depth, vectors, vector_size;  // vector_size: of what is packed, u and z
  int64_t steps;                        // of a block

  explicit MinForwardLayout(const MinSizes& p)
      : depth(p.window * p.input),
        vectors((p.units + kLanes<C> - 1) / kLanes<C>),
        vector_size((1 + depth) * 2 * kLanes<C>) {
    // A block's inputs should stay in the second cache while all panels of weights pass.
    constexpr int64_t kBlock = 32768, kLeast = 8 * kTileRows;
    const int64_t fit = kBlock / (p.input + 1) / kTileRows * kTileRows;
    const int64_t most = fit < kLeast ? kLeast : fit;
    steps = p.time < most ? p.time : most;
  }
};

template <typename C>
int64_t MinPackedForwardSize(const MinSizes& p) {
  const MinForwardLayout<C> layout(p);
  return layout.vectors * layout.vector_size;
}

// The states, and the inputs of a block with the w - 1 before it.
template <typename C>
int64_t MinForwardScratchSize(const MinSizes& p) {
  const MinForwardLayout<C> layout(p);
  const int64_t inputs = (layout.steps + p.window - 1) * p.input;
  return layout.vectors * kLanes<C> + RoundUp(inputs, 64 / sizeof(C));
}

// As PackForward, with the w * D rows of the kernel.
template <typename S>
void MinPackForward(const MinSizes& p, const MinWeights<S>& weights, Compute<S>* packed) {
  const int64_t depth = p.window * p.input;
  PackPanels<S>(p.units, depth, weights.bias, packed,
                [&](int64_t k)
                    __attribute__((always_inline)) { return weights.kernel + k * 2 * p.units; });
}

// The inputs [begin, end) of row b, in the order of processing; from -(w - 1) on they are those
// before the first step.
template <typename S>
void MinLoadInputs(const MinSizes& p, bool go_backwards, const MinInputs<S>& tensors, int64_t b,
                   int64_t begin, int64_t end, Compute<S>* to) {
  const int64_t input = p.input;
  for (; begin < end && begin < 0; ++begin, to += input) {
    if (tensors.initial_inputs != nullptr) {
      const int64_t row = b * (p.window - 1) + begin + p.window - 1;
      LoadRow(tensors.initial_inputs + row * input, input, to);
    } else {
      for (int64_t i = 0; i < input; ++i) to[i] = 0;
    }
  }
  const S* inputs = tensors.inputs + b * p.time * input;
  if (!go_backwards && tensors.mask == nullptr) {
    if (begin < end) LoadRow(inputs + begin * input, (end - begin) * input, to);
    return;
  }
  for (; begin < end; ++begin, to += input) {
    const int64_t t_in = go_backwards ? p.time - 1 - begin : begin;
    if (tensors.mask != nullptr && !tensors.mask[b * p.time + t_in]) {
      for (int64_t i = 0; i < input; ++i) to[i] = 0;
    } else {
      LoadRow(inputs + t_in * input, input, to);
    }
  }
}

template <typename S>
void MinForward(const MinForwardTask<S>& task, int64_t row_begin, int64_t row_end,
                int64_t vector_begin, int64_t vector_end, Compute<S>* scratch) {
  using C = Compute<S>;
  using Layout = MinForwardLayout<C>;
  const MinProblem& p = task.problem;
  const MinForwardTensors<S>& tensors = task.tensors;
  const Layout layout(p);
  const MinGateTileFunction<S> gate_tile = ChooseMinGateTile(p, tensors);
  const Vector<C> zero = {};
  C* state = scratch;
  C* inputs = scratch + layout.vectors * kLanes<C>;
  const int64_t unit_begin = vector_begin * kLanes<C>;
  const int64_t unit_end = vector_end * kLanes<C> < p.units ? vector_end * kLanes<C> : p.units;
  for (int64_t b = row_begin; b < row_end; ++b) {
    for (int64_t i = unit_begin; i < vector_end * kLanes<C>; ++i) state[i] = 0;
    if (tensors.initial_state) {
      LoadRow(tensors.initial_state + b * p.units + unit_begin, unit_end - unit_begin,
              state + unit_begin);
      for (int64_t i = unit_begin; i < unit_end; ++i) state[i] = state[i] <= 0 ? 0 : state[i];
    }
    for (int64_t t_begin = 0; t_begin < p.time; t_begin += layout.steps) {
      const int64_t t_end = t_begin + layout.steps < p.time ? t_begin + layout.steps : p.time;
      MinLoadInputs<S>(p, p.go_backwards, tensors, b, t_begin - (p.window - 1), t_end, inputs);
      // Panels outside, time inside: a panel of weights stays in the nearest cache.
      ForEachPanel<Layout::kGateVectors>(
          vector_end - vector_begin,
          [&](auto panel, int64_t offset) __attribute__((always_inline)) {
            constexpr int kGate = decltype(panel)::value, kRow = 2 * kGate * kLanes<C>;
            const int64_t vector = vector_begin + offset;
            const C* packed = task.packed + vector * layout.vector_size;
            const C* ahead =
                vector + kGate < vector_end ? packed + kGate * layout.vector_size : task.packed;
            ForEachPiece<kTileRows>(
                t_begin, t_end, [&](auto tile, int64_t t) __attribute__((always_inline)) {
                  constexpr int kRows = decltype(tile)::value;
                  Vector<C> sums[kRows][2 * kGate];
                  ahead = MultiplyTile<C, kRows, 2 * kGate>(
                      (C*)sums, kRow, packed, 0, inputs + (t - t_begin) * p.input, p.input,
                      packed + kRow, layout.depth, ahead);
                  gate_tile(p, tensors, {b, t, kRows, vector * kLanes<C>, kGate}, zero, sums[0],
                            state + vector * kLanes<C>);
                });
          });
    }
    StoreRow<S>(state + unit_begin, unit_end - unit_begin,
                tensors.final_state + b * p.units + unit_begin);
  }
}

}  // namespace ADDRNN_ISA
}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_CORE_KERNELS_MIN_FORWARD_H_
