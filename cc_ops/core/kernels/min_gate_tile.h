#ifndef KERAS_ADDRNN_CC_OPS_CORE_KERNELS_MIN_GATE_TILE_H_
#define KERAS_ADDRNN_CC_OPS_CORE_KERNELS_MIN_GATE_TILE_H_

// The gate on inputs alone for a tile of sums, whose rows are consecutive steps: what follows their
// matrix product.

#include "cc_ops/core/kernels/gate.h"
#include "cc_ops/core/kernels/storage.h"
#include "cc_ops/core/min_problem.h"

namespace addrnn {
namespace ADDRNN_ISA {

// One step for one vector of units: u, the candidate's z (activated in place) and the state. A NaN
// stays a NaN.
template <Activation kActivation, bool kBits, typename C>
ADDRNN_INLINE Vector<C> MinGate(Vector<C> zero, Vector<C> u, Vector<C>& z, Vector<C> state,
                                Mask<C>& bits) {
  // A ReLU of z changes nothing, and kWrite implies its slope.
  constexpr bool kActivates = kActivation != Activation::kRelu;
  const Mask<C> slope = Activate<kActivates ? kActivation : Activation::kLinear, C>(z, zero);
  const Vector<C> faded = state + Min<C>(zero, u);
  const Vector<C> written = Max<C>(zero, z - Max<C>(zero, u));
  if constexpr (kBits) {
    const Mask<C> k = faded > written, w = (written > zero) & ~k;
    bits = (k & (int)kKeep) | (w & slope & (int)kWrite) | (k & (u < zero) & (int)kUpdateOpens) |
           (w & (u > zero) & (int)kUpdateCloses);
  }
  const Vector<C> next = Max<C>(faded, written);
  return faded == faded ? next : faded;
}

// Where a tile stands: steps [t, t + steps) of row b, units from `unit` on, as many as `vectors`
// hold.
struct MinTilePlace {
  int64_t b, t;
  int steps;
  int64_t unit;
  int vectors;
};

template <typename S>
using MinGateTileFunction = void (*)(const MinProblem&, const MinForwardTensors<S>&,
                                     const MinTilePlace&, const Vector<Compute<S>>& zero,
                                     const Vector<Compute<S>>* sums, Compute<S>* state);

// sums: for each step the vectors of u, then those of z. Takes `state` through the steps, and
// writes into the tensors. One function for all tile sizes, as GateTile. `zero` is in memory:
// against a constant GCC makes no use of the maximum instruction.
template <typename S, Activation kActivation, bool kTraining>
void MinGateTile(const MinProblem& p, const MinForwardTensors<S>& tensors,
                 const MinTilePlace& place, const Vector<Compute<S>>& zero_in_memory,
                 const Vector<Compute<S>>* sums, Compute<S>* state) {
  using C = Compute<S>;
  const Vector<C> zero = zero_in_memory;
  const int vectors = place.vectors;
  for (int v = 0; v < vectors; ++v) {
    const int64_t unit = place.unit + v * kLanes<C>;
    const auto steps = [&](int64_t left) __attribute__((always_inline)) {
      Vector<C> h = Load<C>(state + v * kLanes<C>);
      const Vector<C>* sum = sums + v;
      int64_t at = (place.b * p.time + place.t) * p.units + unit;
      for (int r = 0; r < place.steps; ++r, sum += 2 * vectors, at += p.units) {
        Vector<C> candidate = sum[vectors];
        Mask<C> bits = {};
        const Vector<C> before = h;
        h = MinGate<kActivation, kTraining, C>(zero, *sum, candidate, h, bits);
        if (tensors.mask != nullptr) {
          const int64_t t = place.t + r, t_in = p.go_backwards ? p.time - 1 - t : t;
          if (!tensors.mask[place.b * p.time + t_in]) {
            h = before;
            bits = Mask<C>{} + (int)kKeep;
          }
        }
        // The state itself is not rounded to 16 bits: it could not fade slowly.
        StoreVector<S>(h, left, tensors.outputs + at);
        if constexpr (kTraining) {
          StoreBytes<C>(bits, left, tensors.reserve + at);
          if constexpr (kActivation == Activation::kTanh) {
            StoreVector<S>(candidate, left, tensors.candidates + at);
          }
        }
      }
      Store<C>(state + v * kLanes<C>, h);
    };
    if (p.units - unit >= kLanes<C>) {
      steps(kLanes<C>);
    } else {
      steps(p.units - unit);
    }
  }
}

template <typename S, bool kTraining>
MinGateTileFunction<S> ChooseMinGateTile(Activation activation) {
  switch (activation) {
    case Activation::kLinear:
      return MinGateTile<S, Activation::kLinear, kTraining>;
    case Activation::kRelu:
      return MinGateTile<S, Activation::kRelu, kTraining>;
    case Activation::kHardTanh:
      return MinGateTile<S, Activation::kHardTanh, kTraining>;
    case Activation::kTanh:
      break;
  }
  return MinGateTile<S, Activation::kTanh, kTraining>;
}

template <typename S>
MinGateTileFunction<S> ChooseMinGateTile(const MinProblem& p, const MinForwardTensors<S>& tensors) {
  return tensors.reserve != nullptr ? ChooseMinGateTile<S, true>(p.activation)
                                    : ChooseMinGateTile<S, false>(p.activation);
}

}  // namespace ADDRNN_ISA
}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_CORE_KERNELS_MIN_GATE_TILE_H_
