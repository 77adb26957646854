#include "cc_ops/python/xla.h"

#include "cc_ops/jax/handlers.h"

namespace addrnn {
namespace {

namespace py = pybind11;

py::capsule Capsule(XLA_FFI_Handler* handler) {
  return py::capsule(reinterpret_cast<const void*>(handler));
}

}  // namespace

void DefineXla(py::module_& module) {
  py::dict handlers;
  handlers["addrnn_add_gru"] = Capsule(&AddGruHandler);
  handlers["addrnn_add_gru_grad"] = Capsule(&AddGruGradHandler);
  handlers["addrnn_add_gru_step_grad"] = Capsule(&AddGruStepGradHandler);
  handlers["addrnn_min_add_gru"] = Capsule(&MinAddGruHandler);
  handlers["addrnn_min_add_gru_grad"] = Capsule(&MinAddGruGradHandler);
  module.attr("xla_handlers") = handlers;
}

}  // namespace addrnn
