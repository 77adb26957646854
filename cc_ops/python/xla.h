#ifndef KERAS_ADDRNN_CC_OPS_PYTHON_XLA_H_
#define KERAS_ADDRNN_CC_OPS_PYTHON_XLA_H_

#include <pybind11/pybind11.h>

namespace addrnn {

// `xla_handlers`: a capsule for each handler of cc_ops/jax, by the name of its target.
void DefineXla(pybind11::module_& module);

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_PYTHON_XLA_H_
