#ifndef KERAS_ADDRNN_CC_OPS_PYTHON_INTEGER_H_
#define KERAS_ADDRNN_CC_OPS_PYTHON_INTEGER_H_

#include <pybind11/pybind11.h>

namespace addrnn {

// IntegerAddGru, IntegerMinAddGru and IntegerDense: weights, prepared once, with a method `run`.
void DefineInteger(pybind11::module_& module);

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_PYTHON_INTEGER_H_
