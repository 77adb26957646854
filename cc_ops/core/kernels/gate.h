#ifndef KERAS_ADDRNN_CC_OPS_CORE_KERNELS_GATE_H_
#define KERAS_ADDRNN_CC_OPS_CORE_KERNELS_GATE_H_

// The gate on vectors, and the bits that its gradient needs (docs/explanation/recurrence.md).

#include "cc_ops/core/kernels/simd.h"
#include "cc_ops/core/problem.h"

namespace addrnn {
namespace ADDRNN_ISA {

template <typename C>
struct ExpConstants;
template <>
struct ExpConstants<float> {
  static constexpr float kRound =
      0x1.8p23f;  // adding it leaves the nearest integer in the low bits
  static constexpr float kLn2High = 0x1.62e4p-1f, kLn2Low = 0x1.7f7d1cp-20f;
  static constexpr float kSaturation = 10.0f;  // tanh is 1 in this precision from here on
  static constexpr int kTerms = 7, kMantissaBits = 23, kExponentBias = 127;
};
template <>
struct ExpConstants<double> {
  static constexpr double kRound = 0x1.8p52;
  static constexpr double kLn2High = 0x1.62e42fefap-1, kLn2Low = 0x1.cf79abc9e3b3ap-40;
  static constexpr double kSaturation = 20.0;
  static constexpr int kTerms = 13, kMantissaBits = 52, kExponentBias = 1023;
};

// tanh(x) = e / (e + 2) with e = exp(2x) - 1, where 2x = n ln 2 + r, |r| <= ln 2 / 2, and exp(r) -
// 1 is its Taylor series. Taking e and not exp(2x) keeps the relative precision near 0.
template <typename C>
ADDRNN_INLINE Vector<C> Tanh(Vector<C> x) {
  using K = ExpConstants<C>;
  const Vector<C> limit = Broadcast<C>(K::kSaturation);
  const Vector<C> cut = Max<C>(-limit, Min<C>(limit, x));
  const Vector<C> y = cut + cut;
  const Vector<C> shifted = y * (C)1.4426950408889634074 + K::kRound;
  const Vector<C> n = shifted - K::kRound;
  const Vector<C> r = (y - n * K::kLn2High) - n * K::kLn2Low;
  Vector<C> series = Broadcast<C>(1);
#pragma GCC unroll 16
  for (int i = K::kTerms; i > 1; --i) series = series * (r * (C)(1.0 / i)) + (C)1;
  series *= r;
  // 2^n: the low bits of `shifted` hold n.
  const Mask<C> exponent = (Mask<C>)shifted - (Mask<C>)Broadcast<C>(K::kRound) + K::kExponentBias;
  const Vector<C> power = (Vector<C>)(exponent << K::kMantissaBits);
  const Vector<C> e = power * series + (power - (C)1);
  return e / (e + (C)2);
}

// Activates z in place; returns where the derivative of a piecewise-linear activation is 1. For
// tanh that is everywhere: its derivative comes from the candidate itself.
template <Activation kActivation, typename C>
ADDRNN_INLINE Mask<C> Activate(Vector<C>& z, Vector<C> zero) {
  if constexpr (kActivation == Activation::kRelu) {
    z = Max<C>(zero, z);
    return z > zero;
  } else if constexpr (kActivation == Activation::kHardTanh) {
    const Vector<C> one = Broadcast<C>(1);
    const Mask<C> passes = (z > -one) & (z < one);
    z = Min<C>(one, Max<C>(-one, z));
    return passes;
  } else if constexpr (kActivation == Activation::kTanh) {
    z = Tanh<C>(z);
  }
  return zero == zero;
}

template <typename C>
struct GateParameters {
  Vector<C> shift, bound;
  Vector<C> zero;     // in memory: against a constant GCC makes no use of the maximum instruction
  Mask<C> unbounded;  // then a state that has overflown is not one that was cut off

  explicit GateParameters(const Problem& p)
      : shift(Broadcast<C>((C)p.state_shift)),
        bound(Broadcast<C>((C)p.state_max)),
        zero{},
        unbounded(bound == Broadcast<C>((C)__builtin_inf())) {}
};

// One step for one vector of units: the update gate u, the candidate's z (activated in place) and
// the state. A NaN stays a NaN: a broken training must be seen, not hidden.
//
// Without a shift a ReLU of z changes nothing (docs/explanation/recurrence.md), and kWrite implies
// its slope.
template <Activation kActivation, bool kShifted, bool kBits, typename C>
ADDRNN_INLINE Vector<C> Gate(const GateParameters<C>& p, Vector<C> u, Vector<C>& z, Vector<C> state,
                             Mask<C>& bits) {
  constexpr bool kActivates = kShifted || kActivation != Activation::kRelu;
  const Vector<C> zero = p.zero;
  const Mask<C> slope = Activate<kActivates ? kActivation : Activation::kLinear, C>(z, zero);
  Vector<C> before = state, candidate = z;
  if constexpr (kShifted) before += p.shift, candidate += p.shift;
  const Vector<C> kept = Max<C>(zero, before + Min<C>(zero, u));
  const Vector<C> written = Max<C>(zero, candidate - Max<C>(zero, u));
  Vector<C> sum = kept + written;
  if constexpr (kShifted) sum -= p.shift;
  if constexpr (kBits) {
    const Mask<C> k = kept > zero, w = written > zero;
    bits = ((k & (int)kKeep) | (w & slope & (int)kWrite) | (k & (u < zero) & (int)kUpdateOpens) |
            (w & (u > zero) & (int)kUpdateCloses)) &
           ((sum < p.bound) | p.unbounded);
  }
  return Min<C>(p.bound, sum);
}

template <typename C>
struct GateGradients {
  Vector<C> update, candidate, state;  // of u, z and h_{t-1}
};

// The gradient of Gate, from g = dL/dh_t and the bits. `candidate` is c_t for tanh, else 0.
template <typename C>
ADDRNN_INLINE GateGradients<C> GateGradient(Mask<C> bits, Vector<C> g, Vector<C> candidate) {
  const Mask<C> none = {};
  return {And<C>((bits & (int)kUpdateOpens) != none, g) -
              And<C>((bits & (int)kUpdateCloses) != none, g),
          And<C>((bits & (int)kWrite) != none, g * ((C)1 - candidate * candidate)),
          And<C>((bits & (int)kKeep) != none, g)};
}

}  // namespace ADDRNN_ISA
}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_CORE_KERNELS_GATE_H_
