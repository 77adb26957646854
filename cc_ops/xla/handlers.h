#ifndef KERAS_ADDRNN_CC_OPS_XLA_HANDLERS_H_
#define KERAS_ADDRNN_CC_OPS_XLA_HANDLERS_H_

// The handlers of XLA's custom calls on CPUs. Their arguments, results and attributes are those of
// the TensorFlow ops of the same names (docs/explanation/architecture.md), with these differences:
// results that a call does not want come last, and are left out; whether it wants them is told by
// their number.

#include "cc_ops/xla/ffi_c_api.h"

namespace addrnn {

// inputs, kernel, recurrent_kernel, bias, initial_state, mask
// -> outputs, final_state [, reserve [, candidates, with tanh]]
XLA_FFI_Handler AddGruHandler;

// inputs, kernel, recurrent_kernel, initial_state, outputs, reserve, candidates, d_outputs,
// d_final_state -> d_kernel, d_recurrent_kernel, d_bias, d_initial_state [, d_inputs]
XLA_FFI_Handler AddGruGradHandler;

// reserve, candidates, d_outputs, d_final_state -> d_sums, d_state
XLA_FFI_Handler AddGruStepGradHandler;

// inputs, kernel, bias, initial_state, mask, initial_inputs
// -> outputs, final_state [, reserve [, candidates, with tanh]]
XLA_FFI_Handler MinAddGruHandler;

// inputs, kernel, initial_state, mask, initial_inputs, reserve, candidates, d_outputs,
// d_final_state -> d_kernel, d_bias, d_initial_state, d_initial_inputs [, d_inputs]
XLA_FFI_Handler MinAddGruGradHandler;

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_XLA_HANDLERS_H_
