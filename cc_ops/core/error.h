#ifndef KERAS_ADDRNN_CC_OPS_CORE_ERROR_H_
#define KERAS_ADDRNN_CC_OPS_CORE_ERROR_H_

#include <cstdio>
#include <stdexcept>
#include <string>

namespace addrnn {

// The arguments of a call do not fit. The TensorFlow op, the delegate and the Python module turn it
// into their frameworks' errors.
struct Error : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

// Nine digits tell any two floats apart.
inline std::string Text(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.9g", value);
  return text;
}

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_CORE_ERROR_H_
