#ifndef KERAS_ADDRNN_CC_OPS_CORE_ADD_GRU_H_
#define KERAS_ADDRNN_CC_OPS_CORE_ADD_GRU_H_

// The addition-gated recurrence over whole sequences, and its gradient. Knows no framework: tensors
// are pointers to dense row-major buffers that the caller has checked to be of the sizes named in
// problem.h.

#include "cc_ops/core/problem.h"

namespace addrnn {

// Throws an Error unless the sizes can be computed: none is negative, and all buffers fit an
// address.
void Check(const Sizes& sizes);

// The same, and that state_shift is finite and not negative, and state_max above -state_shift
// by a normal number.
void Check(const Problem& problem);

// Both throw std::bad_alloc where there is no memory for the working buffers. The result does not
// depend on the number of threads. S is float, double, Float16 or BFloat16.
template <typename S>
void AddGruForward(const Problem& problem, const Weights<S>& weights,
                   const ForwardTensors<S>& tensors);

template <typename S>
void AddGruBackward(const Sizes& sizes, bool go_backwards, const BackwardTensors<S>& tensors);

// The gradient of a step's gate alone. Its products are left to the framework: packing the weights
// at every step would not pay.
template <typename S>
void AddGruStepGradient(int64_t batch, int64_t units, const StepGradientTensors<S>& tensors);

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_CORE_ADD_GRU_H_
