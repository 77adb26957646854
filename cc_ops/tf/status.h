#ifndef KERAS_ADDRNN_CC_OPS_TF_STATUS_H_
#define KERAS_ADDRNN_CC_OPS_TF_STATUS_H_

#include <cstdio>
#include <cstdlib>
#include <string>

#include "cc_ops/tf/c_api.h"

namespace addrnn {

// Owns a TF_Status.
class Status {
 public:
  Status() : status_(TF_NewStatus()) {}
  ~Status() { TF_DeleteStatus(status_); }
  Status(const Status&) = delete;
  Status& operator=(const Status&) = delete;

  TF_Status* get() const { return status_; }
  bool ok() const { return TF_GetCode(status_) == TF_OK; }
  void Fail(TF_Code code, const std::string& message) const {
    TF_SetStatus(status_, code, message.c_str());
  }

  // For what can only go wrong if the library itself is broken, while it is loaded.
  void AbortUnlessOk(const char* doing) const {
    if (ok()) return;
    std::fprintf(stderr, "%s: %s\n", doing, TF_Message(status_));
    std::abort();
  }

 private:
  TF_Status* status_;
};

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_TF_STATUS_H_
