// Takes the place of cc_ops/core/kernels/gate.h, whose include guard it defines: the same kernels
// around the conventional gate, h' = sigmoid(u) h + (1 - sigmoid(u)) c.

#ifndef KERAS_ADDRNN_CC_OPS_CORE_KERNELS_GATE_H_
#define KERAS_ADDRNN_CC_OPS_CORE_KERNELS_GATE_H_

#include "cc_ops/core/kernels/simd.h"
#include "cc_ops/core/problem.h"

namespace addrnn {
namespace ADDRNN_ISA {

// 1 / (1 + exp(-u)), where exp(x) = 2^n exp(r), |r| <= ln 2 / 2, by its Taylor series; to a few
// units in the last place.
template <typename C>
ADDRNN_INLINE Vector<C> SigmoidOf(Vector<C> u) {
  static_assert(sizeof(C) == 4);
  const Vector<C> limit = Broadcast<C>(80);
  const Vector<C> x = Max<C>(-limit, Min<C>(limit, -u));
  const Vector<C> shifted = x * 1.44269504f + 0x1.8p23f;  // the low bits hold n
  const Vector<C> n = shifted - 0x1.8p23f;
  const Vector<C> r = (x - n * 0x1.62e4p-1f) - n * 0x1.7f7d1cp-20f;
  Vector<C> series = Broadcast<C>(1);
#pragma GCC unroll 16
  for (int i = 6; i >= 1; --i) series = series * (r * (C)(1.0 / i)) + (C)1;
  const Mask<C> exponent = (Mask<C>)shifted - (Mask<C>)Broadcast<C>(0x1.8p23f) + 127;
  return (C)1 / (series * (Vector<C>)(exponent << 23) + (C)1);
}

template <typename C>
struct GateParameters {
  explicit GateParameters(const Problem&) {}
};

template <Activation, bool kShifted, bool kBits, typename C>
ADDRNN_INLINE Vector<C> Gate(const GateParameters<C>&, Vector<C> u, Vector<C>& z, Vector<C> state,
                             Mask<C>&) {
  z = Max<C>(Vector<C>{}, z);
  return z + SigmoidOf<C>(u) * (state - z);
}

}  // namespace ADDRNN_ISA
}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_CORE_KERNELS_GATE_H_
