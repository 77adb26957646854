#ifndef KERAS_ADDRNN_TESTS_CC_OPS_CORE_WHAT_IS_WRONG_H_
#define KERAS_ADDRNN_TESTS_CC_OPS_CORE_WHAT_IS_WRONG_H_

#include <string>

#include "cc_ops/core/error.h"

namespace addrnn {

// The message of the Error that Check() throws, or an empty string.
template <typename... T>
std::string WhatIsWrong(const T&... arguments) {
  try {
    Check(arguments...);
    return {};
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace addrnn

#endif  // KERAS_ADDRNN_TESTS_CC_OPS_CORE_WHAT_IS_WRONG_H_
