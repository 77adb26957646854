#ifndef KERAS_ADDRNN_CC_OPS_CORE_ACTIVATION_H_
#define KERAS_ADDRNN_CC_OPS_CORE_ACTIVATION_H_

#include <string>

#include "cc_ops/core/error.h"
#include "cc_ops/core/problem.h"

namespace addrnn {

// Throws an Error for a name that no kernel knows.
inline Activation ActivationFromName(const std::string& name) {
  if (name == "linear") return Activation::kLinear;
  if (name == "relu") return Activation::kRelu;
  if (name == "hard_tanh") return Activation::kHardTanh;
  if (name == "tanh") return Activation::kTanh;
  throw Error("activation must be linear, relu, hard_tanh or tanh, received " + name);
}

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_CORE_ACTIVATION_H_
