#ifndef KERAS_ADDRNN_CC_OPS_LITE_ADD_GRU_KERNEL_H_
#define KERAS_ADDRNN_CC_OPS_LITE_ADD_GRU_KERNEL_H_

#include "cc_ops/lite/litert_c_api.h"

namespace addrnn {

// The `data` of our TfLiteDelegate.
struct DelegateSettings {
  int num_threads;  // 0: as many as the interpreter was told to use, one if it was told nothing
};

// A delegate's kernel for one AddGru operator:
//
//   inputs   inputs [B, T, D], kernel [D, 2H], recurrent_kernel [H, 2H]; or none, or empty:
//            bias [2H], initial_state [B, H], mask [B, T] of bool
//   outputs  outputs [B, T, H], final_state [B, H]
//
// The kernels may be constants of float16, or of int8 with a scale, or one for each column, and
// zero points of 0. All else is float32. Constant weights are packed once, and then no call
// allocates anything.
//
// Whatever the file says, the worst is a message to the interpreter and an error status.
TfLiteRegistration AddGruKernel();

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_LITE_ADD_GRU_KERNEL_H_
