#ifndef KERAS_ADDRNN_CC_OPS_LITE_SETTINGS_H_
#define KERAS_ADDRNN_CC_OPS_LITE_SETTINGS_H_

#include <algorithm>

#include "cc_ops/core/thread_pool.h"
#include "cc_ops/lite/litert_c_api.h"

namespace addrnn {

// The `data` of our TfLiteDelegate.
struct DelegateSettings {
  int num_threads;  // 0: as many as the interpreter was told to use, one if it was told nothing

  static const DelegateSettings& Of(const TfLiteDelegateParams& params) {
    return *static_cast<const DelegateSettings*>(params.delegate->data);
  }

  // The number is the library's, not the interpreter's: where two run at once, one may compute
  // with the other's. The results are the same with any.
  void SetThreads(const TfLiteContext* context) const {
    SetNumThreads(num_threads > 0 ? num_threads : std::max(context->recommended_num_threads, 1));
  }
};

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_LITE_SETTINGS_H_
