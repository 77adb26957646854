// The core on NumPy arrays, without TensorFlow: addrnn._core.

#include <limits>
#include <optional>
#include <string>

#include "cc_ops/core/activation.h"
#include "cc_ops/core/add_gru.h"
#include "cc_ops/core/dispatch.h"
#include "cc_ops/core/min_add_gru.h"
#include "cc_ops/core/thread_pool.h"
#include "cc_ops/python/arrays.h"
#include "cc_ops/python/integer.h"
#include "cc_ops/python/release_gil.h"
#include "cc_ops/python/xla.h"

namespace addrnn {
namespace {

template <typename S>
py::tuple AddGru(const Array<S>& inputs, const Array<S>& kernel, const Array<S>& recurrent_kernel,
                 const std::optional<Array<S>>& bias, const std::optional<Array<S>>& initial_state,
                 const std::optional<Array<bool>>& mask, const std::string& activation,
                 double state_shift, double state_max, bool go_backwards) {
  const Sizes sizes =
      CheckedSizes({ShapeOf(inputs), ShapeOf(kernel), ShapeOf(recurrent_kernel), ShapeOrNone(bias),
                    ShapeOrNone(initial_state), ShapeOrNone(mask)});
  const Problem p = {sizes, ActivationFromName(activation), state_shift, state_max, go_backwards};
  Check(p);

  Array<S> outputs(Shape{p.batch, p.time, p.units}), state(Shape{p.batch, p.units});
  ForwardTensors<S> tensors = {};
  tensors.inputs = inputs.data();
  tensors.initial_state = DataOrNull(initial_state);
  tensors.mask = reinterpret_cast<const uint8_t*>(DataOrNull(mask));
  tensors.outputs = outputs.mutable_data();
  tensors.final_state = state.mutable_data();
  {
    const ReleaseGil released;
    AddGruForward<S>(p, {kernel.data(), recurrent_kernel.data(), DataOrNull(bias)}, tensors);
  }
  return py::make_tuple(outputs, state);
}

template <typename S>
py::tuple MinAddGru(const Array<S>& inputs, const Array<S>& kernel,
                    const std::optional<Array<S>>& bias,
                    const std::optional<Array<S>>& initial_state,
                    const std::optional<Array<bool>>& mask,
                    const std::optional<Array<S>>& initial_inputs, const std::string& activation,
                    bool go_backwards) {
  const MinSizes sizes =
      CheckedMinSizes({ShapeOf(inputs), ShapeOf(kernel), ShapeOrNone(bias),
                       ShapeOrNone(initial_state), ShapeOrNone(mask), ShapeOrNone(initial_inputs)});
  const MinProblem p = {sizes, ActivationFromName(activation), go_backwards};

  Array<S> outputs(Shape{p.batch, p.time, p.units}), state(Shape{p.batch, p.units});
  MinForwardTensors<S> tensors = {};
  tensors.inputs = inputs.data();
  tensors.initial_inputs = DataOrNull(initial_inputs);
  tensors.mask = reinterpret_cast<const uint8_t*>(DataOrNull(mask));
  tensors.initial_state = DataOrNull(initial_state);
  tensors.outputs = outputs.mutable_data();
  tensors.final_state = state.mutable_data();
  {
    const ReleaseGil released;
    MinAddGruForward<S>(p, {kernel.data(), DataOrNull(bias)}, tensors);
  }
  return py::make_tuple(outputs, state);
}

template <typename S>
void Define(py::module_& module) {
  module.def(
      "add_gru", &AddGru<S>, py::arg("inputs").noconvert(), py::arg("kernel").noconvert(),
      py::arg("recurrent_kernel").noconvert(), py::arg("bias").noconvert() = py::none(),
      py::arg("initial_state").noconvert() = py::none(), py::arg("mask").noconvert() = py::none(),
      py::kw_only(), py::arg("activation") = "relu", py::arg("state_shift") = 0.0,
      py::arg("state_max") = std::numeric_limits<double>::infinity(),
      py::arg("go_backwards") = false,
      "The recurrence on C-contiguous float32 or float64 arrays: returns (outputs, final state).");
  module.def(
      "min_add_gru", &MinAddGru<S>, py::arg("inputs").noconvert(), py::arg("kernel").noconvert(),
      py::arg("bias").noconvert() = py::none(), py::arg("initial_state").noconvert() = py::none(),
      py::arg("mask").noconvert() = py::none(), py::arg("initial_inputs").noconvert() = py::none(),
      py::kw_only(), py::arg("activation") = "relu", py::arg("go_backwards") = false,
      "The recurrence with gates on inputs alone; as add_gru.");
}

PYBIND11_MODULE(_core, module) {
  module.doc() = "The C++ core of keras_addrnn on NumPy arrays.";
  module.attr("version") = ADDRNN_VERSION;
  Define<float>(module);
  Define<double>(module);
  DefineInteger(module);
  DefineXla(module);
  module.def("instruction_set", &InstructionSet, "The instruction set in use.");
  module.def("available_instruction_sets", &AvailableInstructionSets,
             "Those this machine can run, best first.");
  module.def("num_threads", &NumThreads, "The number of threads a call may use.");
  module.def("set_num_threads", &SetNumThreads, py::arg("n"),
             "Sets it; 0: one for each processor.");
}

}  // namespace
}  // namespace addrnn
