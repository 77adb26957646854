#ifndef KERAS_ADDRNN_CC_OPS_LITE_MIN_ADD_GRU_INT_KERNEL_H_
#define KERAS_ADDRNN_CC_OPS_LITE_MIN_ADD_GRU_INT_KERNEL_H_

#include "cc_ops/lite/litert_c_api.h"

namespace addrnn {

// A delegate's kernel for one MinAddGruInt operator, MinAddGRU of docs/explanation/integer.md:
//
//   inputs   inputs [B, T, D] of int8 or int16; constants: kernel [w, D, 2H] of int8, bias [2H] of
//            int32, shift [2H] of uint8; or none, or empty: multiplier [2H] of int32, a constant,
//            initial_state [B, H] of int16, mask [B, T] of bool, initial_inputs [B, w - 1, D] of
//            the inputs' type
//   outputs  outputs [B, T, H], final_state [B, H] of int16
//
// Inputs and states out of range are cut off at its ends. Whatever the file says, the worst is a
// message to the interpreter and an error status.
TfLiteRegistration MinAddGruIntKernel();

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_LITE_MIN_ADD_GRU_INT_KERNEL_H_
