#include "cc_ops/python/xla.h"

#include <cstdint>
#include <cstring>
#include <string>

#include "cc_ops/core/error.h"
#include "cc_ops/xla/handlers.h"

namespace addrnn {
namespace {

namespace py = pybind11;

struct Target {
  const char* name;
  XLA_FFI_Handler* handler;
};

constexpr Target kTargets[] = {
    {"addrnn_add_gru", &AddGruHandler},
    {"addrnn_add_gru_grad", &AddGruGradHandler},
    {"addrnn_add_gru_step_grad", &AddGruStepGradHandler},
    {"addrnn_min_add_gru", &MinAddGruHandler},
    {"addrnn_min_add_gru_grad", &MinAddGruGradHandler},
};

XLA_FFI_ByteSpan Span(const char* text) { return {text, std::strlen(text)}; }

// The message of an error, which is gone afterwards.
std::string Message(const XLA_FFI_Api& api, XLA_FFI_Error* error) {
  XLA_FFI_Error_GetMessage_Args asked = {sizeof(asked), nullptr, error, nullptr};
  api.XLA_FFI_Error_GetMessage(&asked);
  const std::string message = asked.message;
  XLA_FFI_Error_Destroy_Args destroyed = {sizeof(destroyed), nullptr, error};
  api.XLA_FFI_Error_Destroy(&destroyed);
  return message;
}

void RegisterHandlers(uintptr_t address) {
  if (address == 0) throw Error("XLA's struct of functions has no address");
  const XLA_FFI_Api& api = *reinterpret_cast<const XLA_FFI_Api*>(address);
  if (api.struct_size < sizeof(api) || api.api_version.major_version != XLA_FFI_API_MAJOR) {
    throw Error("XLA's FFI is of another version, " +
                std::to_string(api.api_version.major_version));
  }
  for (const Target& target : kTargets) {
    XLA_FFI_Handler_Register_Args args = {sizeof(args),
                                          nullptr,
                                          Span(target.name),
                                          Span("Host"),
                                          {nullptr, nullptr, nullptr, target.handler},
                                          0};
    if (XLA_FFI_Error* const error = api.XLA_FFI_Handler_Register(&args)) {
      throw Error(Message(api, error));
    }
  }
}

}  // namespace

void DefineXla(py::module_& module) {
  py::dict handlers;
  for (const Target& target : kTargets) {
    handlers[target.name] = py::capsule(reinterpret_cast<const void*>(target.handler));
  }
  module.attr("xla_handlers") = handlers;
  module.def("register_xla_handlers", &RegisterHandlers, py::arg("address"));
}

}  // namespace addrnn
