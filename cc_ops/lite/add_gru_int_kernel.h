#ifndef KERAS_ADDRNN_CC_OPS_LITE_ADD_GRU_INT_KERNEL_H_
#define KERAS_ADDRNN_CC_OPS_LITE_ADD_GRU_INT_KERNEL_H_

#include "cc_ops/lite/litert_c_api.h"

namespace addrnn {

// A delegate's kernel for one AddGruInt operator, the layer of docs/explanation/integer.md:
//
//   inputs   inputs [B, T, D] of int8 or int16; constants: kernel [D, 2H] and
//            recurrent_kernel [H, 2H] of int8, bias [2H] of int32, kernel_shift, recurrent_shift
//            and shift [2H] of uint8; or none, or empty: multiplier [2H] of int32, a constant,
//            initial_state [B, H] of int16, mask [B, T] of bool
//   outputs  outputs [B, T, H], final_state [B, H] of int16
//
// and for one AddGruIntDense:
//
//   inputs   inputs [..., F] of int8 or int16; constants: kernel [F, C] of int8, bias [C] of int32
//   outputs  outputs [..., C] of int32
//
// Inputs and states out of range are cut off at its ends. Whatever the file says, the worst is a
// message to the interpreter and an error status.
TfLiteRegistration AddGruIntKernel();
TfLiteRegistration AddGruIntDenseKernel();

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_LITE_ADD_GRU_INT_KERNEL_H_
