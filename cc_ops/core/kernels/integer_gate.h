#ifndef KERAS_ADDRNN_CC_OPS_CORE_KERNELS_INTEGER_GATE_H_
#define KERAS_ADDRNN_CC_OPS_CORE_KERNELS_INTEGER_GATE_H_

// The rounding shift that brings an accumulator to the state's scale, and the gate, which knows no
// product and no other scale.

#include "cc_ops/core/integer_problem.h"
#include "cc_ops/core/kernels/integer_simd.h"

namespace addrnn {
namespace ADDRNN_ISA {

// (v * multiplier + half) >> shift in 64 bits, cut off where it leaves 32: the gate's bounds are
// far inside.
ADDRNN_INLINE Sums MultiplyAndShift(Sums v, Sums multiplier, Sums shift) {
  constexpr int kBytes = kVectorBytes / 2;
  typedef int64_t Wide __attribute__((vector_size(kVectorBytes)));
  typedef int32_t Narrow __attribute__((vector_size(kBytes)));
  const Wide least = INT32_MIN - Wide{}, greatest = INT32_MAX - Wide{}, one = 1 - Wide{};
  Sums result;
#pragma GCC unroll 2
  for (int half = 0; half < 2; ++half) {
    const auto widen = [&](const Sums& from) __attribute__((always_inline)) {
      return __builtin_convertvector(LoadAs<Narrow>((const char*)&from + half * kBytes), Wide);
    };
    const Wide bits = widen(shift);
    const Wide rounded = (widen(v) * widen(multiplier) + (one << bits >> 1)) >> bits;
    const Narrow narrow = __builtin_convertvector(Clamp<Wide>(rounded, least, greatest), Narrow);
    __builtin_memcpy((char*)&result + half * kBytes, &narrow, kBytes);
  }
  return result;
}

struct IntegerGate {
  Sums update_max, candidate_min, candidate_max;
  States state_shift, zero;
  UnsignedStates top;  // state_max + state_shift

  explicit IntegerGate(const IntegerProblem& p)
      : update_max(p.state_max + p.state_shift - Sums{}),
        candidate_min(p.candidate_min - Sums{}),
        candidate_max(p.candidate_max - Sums{}),
        state_shift((int16_t)p.state_shift - States{}),
        zero{},
        top((uint16_t)(p.state_max + p.state_shift) - UnsignedStates{}) {}

  // The next state of one vector of units. All but the last sum is within the bounds of int16, and
  // that, without a sign, of uint16.
  ADDRNN_INLINE States Step(Sums update, Sums candidate, States state) const {
    const States u = __builtin_convertvector(Clamp(update, -update_max, update_max), States);
    const States c =
        __builtin_convertvector(Clamp(candidate, candidate_min, candidate_max), States);
    const States opens = -u > zero ? -u : zero, closes = u > zero ? u : zero;
    const States keeps = state + state_shift - opens, writes = c + state_shift - closes;
    const UnsignedStates kept = (UnsignedStates)(keeps > zero ? keeps : zero);
    const UnsignedStates written = (UnsignedStates)(writes > zero ? writes : zero);
    const UnsignedStates sum = kept + written;
    return (States)(sum < top ? sum : top) - state_shift;
  }
};

}  // namespace ADDRNN_ISA
}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_CORE_KERNELS_INTEGER_GATE_H_
