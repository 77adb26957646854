#ifndef KERAS_ADDRNN_CC_OPS_PYTHON_FLOATING_H_
#define KERAS_ADDRNN_CC_OPS_PYTHON_FLOATING_H_

#include <pybind11/pybind11.h>

namespace addrnn {

// Adds the recurrences in floating point and their gradients to the module.
void DefineFloating(pybind11::module_& module);

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_PYTHON_FLOATING_H_
