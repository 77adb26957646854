#ifndef KERAS_ADDRNN_CC_OPS_CORE_ADD_GRU_H_
#define KERAS_ADDRNN_CC_OPS_CORE_ADD_GRU_H_

// The addition-gated recurrence over whole sequences, and its gradient. Knows no framework: tensors
// are pointers to dense row-major buffers that the caller has checked to be of the sizes named in
// problem.h.

#include <string>

#include "cc_ops/core/problem.h"

namespace addrnn {

// Why the problem cannot be computed, or an empty string: negative sizes, sizes whose buffers would
// not fit an address, a state_shift that is negative or not finite, a state_max that is not above
// -state_shift.
std::string Invalid(const Problem& problem);

// Both throw std::bad_alloc where there is no memory for the working buffers. The result does not
// depend on the number of threads. S is float, double, Float16 or BFloat16.
template <typename S>
void AddGruForward(const Problem& problem, const Weights<S>& weights,
                   const ForwardTensors<S>& tensors);

template <typename S>
void AddGruBackward(const Problem& problem, const BackwardTensors<S>& tensors);

// The gradient of a step's gate alone. Its products are left to the framework: packing the weights
// at every step would not pay.
template <typename S>
void AddGruStepGradient(int64_t batch, int64_t units, const StepGradientTensors<S>& tensors);

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_CORE_ADD_GRU_H_
