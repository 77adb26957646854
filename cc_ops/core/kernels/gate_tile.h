#ifndef KERAS_ADDRNN_CC_OPS_CORE_KERNELS_GATE_TILE_H_
#define KERAS_ADDRNN_CC_OPS_CORE_KERNELS_GATE_TILE_H_

// The gate for a tile of sums: what follows the matrix product of a step.

#include "cc_ops/core/kernels/gate.h"
#include "cc_ops/core/kernels/storage.h"

namespace addrnn {
namespace ADDRNN_ISA {

// Where a tile stands: rows [row, row + rows) of step t, which reads the inputs and the mask at
// t_in; units from `unit` on, as many as `vectors` hold.
struct TilePlace {
  int64_t row;
  int rows;
  int64_t t, t_in, unit;
  int vectors;
};

template <typename S>
using GateTileFunction = void (*)(const Problem&, const ForwardTensors<S>&,
                                  const GateParameters<Compute<S>>&, const TilePlace&,
                                  const Vector<Compute<S>>* sums, const Compute<S>* now,
                                  Compute<S>* next, int64_t row_stride);

// sums: for each row the vectors of u, then those of z. Writes h_t into `next`, whose rows are as
// far apart as those of `now`, and into the tensors. One function for all tile sizes: inlined in
// each, it would be most of the library.
template <typename S, Activation kActivation, bool kShifted, bool kTraining>
void GateTile(const Problem& p, const ForwardTensors<S>& tensors,
              const GateParameters<Compute<S>>& parameters, const TilePlace& place,
              const Vector<Compute<S>>* sums, const Compute<S>* now, Compute<S>* next,
              int64_t row_stride) {
  using C = Compute<S>;
  constexpr int64_t kLanesHere = kLanes<C>;
  const GateParameters<C> gate = parameters;
  const int64_t present = p.units - place.unit;
  const int vectors = place.vectors;
  for (int r = 0; r < place.rows; ++r) {
    const int64_t b = place.row + r;
    const bool skip = tensors.mask != nullptr && !tensors.mask[b * p.time + place.t_in];
    int64_t at = (b * p.time + place.t) * p.units + place.unit;
    const C* before = now + r * row_stride + place.unit;
    C* after = next + r * row_stride + place.unit;
    const Vector<C>* sum = sums + r * 2 * vectors;

    const auto step = [&](int64_t left) __attribute__((always_inline)) {
      const Vector<C> old = Load<C>(before);
      Vector<C> candidate = sum[vectors];
      Mask<C> bits = {};
      Vector<C> state = Gate<kActivation, kShifted, kTraining, C>(gate, *sum, candidate, old, bits);
      if (skip) {
        state = old;
        bits = Mask<C>{} + (int)kKeep;
      }
      // Stored as the outputs are, and so rounded at every step.
      Store<C>(after, StoreVector<S>(state, left, tensors.outputs + at));
      if constexpr (kTraining) {
        StoreBytes<C>(bits, left, tensors.reserve + at);
        if constexpr (kActivation == Activation::kTanh) {
          StoreVector<S>(candidate, left, tensors.candidates + at);
        }
      }
    };
    int64_t left = present < vectors * kLanesHere ? present : vectors * kLanesHere;
    for (; left >= kLanesHere; left -= kLanesHere) {
      step(kLanesHere);
      at += kLanesHere, before += kLanesHere, after += kLanesHere, ++sum;
    }
    if (left > 0) step(left);
  }
}

template <typename S, bool kShifted, bool kTraining>
GateTileFunction<S> ChooseGateTile(Activation activation) {
  switch (activation) {
    case Activation::kLinear:
      return GateTile<S, Activation::kLinear, kShifted, kTraining>;
    case Activation::kRelu:
      return GateTile<S, Activation::kRelu, kShifted, kTraining>;
    case Activation::kHardTanh:
      return GateTile<S, Activation::kHardTanh, kShifted, kTraining>;
    case Activation::kTanh:
      break;
  }
  return GateTile<S, Activation::kTanh, kShifted, kTraining>;
}

template <typename S, bool kShifted>
GateTileFunction<S> ChooseGateTile(const Problem& p, const ForwardTensors<S>& tensors) {
  return tensors.reserve != nullptr ? ChooseGateTile<S, kShifted, true>(p.activation)
                                    : ChooseGateTile<S, kShifted, false>(p.activation);
}

template <typename S>
GateTileFunction<S> ChooseGateTile(const Problem& p, const ForwardTensors<S>& tensors) {
  return p.state_shift != 0 ? ChooseGateTile<S, true>(p, tensors)
                            : ChooseGateTile<S, false>(p, tensors);
}

}  // namespace ADDRNN_ISA
}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_CORE_KERNELS_GATE_TILE_H_
