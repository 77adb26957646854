#ifndef KERAS_ADDRNN_CC_OPS_LITE_MIN_ADD_GRU_KERNEL_H_
#define KERAS_ADDRNN_CC_OPS_LITE_MIN_ADD_GRU_KERNEL_H_

#include "cc_ops/lite/litert_c_api.h"

namespace addrnn {

// A delegate's kernel for one MinAddGru operator:
//
//   inputs   inputs [B, T, D], kernel [w, D, 2H]; or none, or empty: bias [2H],
//            initial_state [B, H], mask [B, T] of bool, initial_inputs [B, w - 1, D]
//   outputs  outputs [B, T, H], final_state [B, H]
//
// The kernel may be a constant of float16, or of int8 with a scale, or one for each column, and
// zero points of 0. All else is float32. Constant weights are packed once, and then no call
// allocates anything.
//
// Whatever the file says, the worst is a message to the interpreter and an error status.
TfLiteRegistration MinAddGruKernel();

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_LITE_MIN_ADD_GRU_KERNEL_H_
