#ifndef KERAS_ADDRNN_CC_OPS_PYTHON_XLA_H_
#define KERAS_ADDRNN_CC_OPS_PYTHON_XLA_H_

#include <pybind11/pybind11.h>

namespace addrnn {

// The handlers of cc_ops/xla, by the names of their targets. `xla_handlers` is a capsule for each,
// which JAX takes. `register_xla_handlers` tells them to an XLA whose struct of functions has that
// address, as TensorFlow has one.
void DefineXla(pybind11::module_& module);

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_PYTHON_XLA_H_
