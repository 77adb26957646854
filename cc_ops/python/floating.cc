// The recurrences in floating point, and their gradients, on tensors of any framework. The results
// are written into tensors that the caller has made.

#include "cc_ops/python/floating.h"

#include <pybind11/stl.h>

#include <limits>
#include <optional>
#include <string>

#include "cc_ops/core/activation.h"
#include "cc_ops/core/add_gru.h"
#include "cc_ops/core/error.h"
#include "cc_ops/core/min_add_gru.h"
#include "cc_ops/python/release_gil.h"
#include "cc_ops/python/tensors.h"

namespace addrnn {
namespace {

template <typename S>
struct Type {
  using type = S;
};

// Calls the function with the Type of the tensor's numbers.
template <typename Function>
void ForTypeOf(const TensorArgument& tensor, const char* name, const Function& function) {
  tensor.shape(name);  // there must be one
  if (tensor.holds<float>()) return function(Type<float>());
  if (tensor.holds<double>()) return function(Type<double>());
  if (tensor.holds<Float16>()) return function(Type<Float16>());
  if (tensor.holds<BFloat16>()) return function(Type<BFloat16>());
  throw py::type_error(std::string(name) + " must hold float16, bfloat16, float32 or float64");
}

const uint8_t* ReadMask(const TensorArgument& mask) {
  return reinterpret_cast<const uint8_t*>(mask.read<bool>("mask"));
}

void AddGru(const TensorArgument& inputs, const TensorArgument& kernel,
            const TensorArgument& recurrent_kernel, const TensorArgument& bias,
            const TensorArgument& initial_state, const TensorArgument& mask,
            const TensorArgument& outputs, const TensorArgument& final_state,
            const TensorArgument& reserve, const TensorArgument& candidates,
            const std::string& activation, double state_shift, std::optional<double> state_max,
            bool go_backwards) {
  Shape sequence = inputs.shape("inputs");  // of outputs, reserve and candidates
  const Sizes sizes =
      CheckedSizes({sequence, kernel.shape("kernel"), recurrent_kernel.shape("recurrent_kernel"),
                    bias.optional_shape("bias"), initial_state.optional_shape("initial_state"),
                    mask.optional_shape("mask")},
                   true);
  const double infinity = std::numeric_limits<double>::infinity();
  const Problem p = {sizes, ActivationFromName(activation), state_shift,
                     state_max.value_or(infinity), go_backwards};
  Check(p);
  sequence.back() = p.units;
  ForTypeOf(inputs, "inputs", [&](auto type) {
    using S = typename decltype(type)::type;
    const Weights<S> weights = {kernel.read<S>("kernel"),
                                recurrent_kernel.read<S>("recurrent_kernel"), bias.read<S>("bias")};
    ForwardTensors<S> tensors = {};
    tensors.inputs = inputs.read<S>("inputs");
    tensors.initial_state = initial_state.read<S>("initial_state");
    tensors.mask = ReadMask(mask);
    tensors.outputs = outputs.write<S>("outputs", sequence);
    tensors.final_state = final_state.write<S>("final_state", {p.batch, p.units});
    tensors.reserve = reserve.write_if_present<uint8_t>("reserve", sequence);
    if (reserve.present() && p.activation == Activation::kTanh) {
      tensors.candidates = candidates.write<S>("candidates", sequence);
    }
    const ReleaseGil released;
    AddGruForward<S>(p, weights, tensors);
  });
}

void AddGruGrad(const TensorArgument& inputs, const TensorArgument& kernel,
                const TensorArgument& recurrent_kernel, const TensorArgument& initial_state,
                const TensorArgument& outputs, const TensorArgument& reserve,
                const TensorArgument& candidates, const TensorArgument& d_outputs,
                const TensorArgument& d_final_state, const TensorArgument& d_inputs,
                const TensorArgument& d_kernel, const TensorArgument& d_recurrent_kernel,
                const TensorArgument& d_bias, const TensorArgument& d_initial_state,
                const std::string& activation, bool go_backwards) {
  const Shape shape = inputs.shape("inputs");
  const Sizes p =
      CheckedSizes({shape, kernel.shape("kernel"), recurrent_kernel.shape("recurrent_kernel"),
                    std::nullopt, initial_state.optional_shape("initial_state"), std::nullopt});
  const Shape sequence = {p.batch, p.time, p.units}, state = {p.batch, p.units};
  const bool tanh = ActivationFromName(activation) == Activation::kTanh;
  ForTypeOf(inputs, "inputs", [&](auto type) {
    using S = typename decltype(type)::type;
    BackwardTensors<S> tensors = {};
    tensors.inputs = inputs.read<S>("inputs");
    tensors.kernel = kernel.read<S>("kernel");
    tensors.recurrent_kernel = recurrent_kernel.read<S>("recurrent_kernel");
    tensors.initial_state = initial_state.read<S>("initial_state");
    tensors.outputs = outputs.read<S>("outputs", sequence);
    tensors.reserve = reserve.read<uint8_t>("reserve", sequence);
    if (tanh) tensors.candidates = candidates.read<S>("candidates", sequence);
    tensors.d_outputs = d_outputs.read<S>("d_outputs", sequence);
    tensors.d_final_state = d_final_state.read<S>("d_final_state", state);
    tensors.d_inputs = d_inputs.write_if_present<S>("d_inputs", shape);
    tensors.d_kernel = d_kernel.write<S>("d_kernel", {p.input, 2 * p.units});
    tensors.d_recurrent_kernel =
        d_recurrent_kernel.write<S>("d_recurrent_kernel", {p.units, 2 * p.units});
    tensors.d_bias = d_bias.write<S>("d_bias", {2 * p.units});
    tensors.d_initial_state = d_initial_state.write<S>("d_initial_state", state);
    const ReleaseGil released;
    AddGruBackward<S>(p, go_backwards, tensors);
  });
}

void AddGruStepGrad(const TensorArgument& reserve, const TensorArgument& candidates,
                    const TensorArgument& d_outputs, const TensorArgument& d_final_state,
                    const TensorArgument& d_sums, const TensorArgument& d_state,
                    const std::string& activation) {
  const Shape state = reserve.shape("reserve");
  CheckRank("reserve", state, 2, "[batch, units]");
  const int64_t batch = state[0], units = state[1];
  Check(Sizes{batch, 1, 0, units});
  const bool tanh = ActivationFromName(activation) == Activation::kTanh;
  ForTypeOf(d_outputs, "d_outputs", [&](auto type) {
    using S = typename decltype(type)::type;
    StepGradientTensors<S> tensors = {};
    tensors.reserve = reserve.read<uint8_t>("reserve");
    if (tanh) tensors.candidates = candidates.read<S>("candidates", state);
    tensors.d_outputs = d_outputs.read<S>("d_outputs", state);
    tensors.d_final_state = d_final_state.read<S>("d_final_state", state);
    tensors.d_sums = d_sums.write<S>("d_sums", {batch, 2 * units});
    tensors.d_state = d_state.write<S>("d_state", state);
    const ReleaseGil released;
    AddGruStepGradient<S>(batch, units, tensors);
  });
}

void MinAddGru(const TensorArgument& inputs, const TensorArgument& kernel,
               const TensorArgument& bias, const TensorArgument& initial_state,
               const TensorArgument& mask, const TensorArgument& initial_inputs,
               const TensorArgument& outputs, const TensorArgument& final_state,
               const TensorArgument& reserve, const TensorArgument& candidates,
               const std::string& activation, bool go_backwards) {
  const MinSizes sizes =
      CheckedMinSizes({inputs.shape("inputs"), kernel.shape("kernel"), bias.optional_shape("bias"),
                       initial_state.optional_shape("initial_state"), mask.optional_shape("mask"),
                       initial_inputs.optional_shape("initial_inputs")});
  const MinProblem p = {sizes, ActivationFromName(activation), go_backwards};
  const Shape sequence = {p.batch, p.time, p.units};
  ForTypeOf(inputs, "inputs", [&](auto type) {
    using S = typename decltype(type)::type;
    const MinWeights<S> weights = {kernel.read<S>("kernel"), bias.read<S>("bias")};
    MinForwardTensors<S> tensors = {};
    tensors.inputs = inputs.read<S>("inputs");
    tensors.initial_inputs = initial_inputs.read<S>("initial_inputs");
    tensors.mask = ReadMask(mask);
    tensors.initial_state = initial_state.read<S>("initial_state");
    tensors.outputs = outputs.write<S>("outputs", sequence);
    tensors.final_state = final_state.write<S>("final_state", {p.batch, p.units});
    tensors.reserve = reserve.write_if_present<uint8_t>("reserve", sequence);
    if (reserve.present() && p.activation == Activation::kTanh) {
      tensors.candidates = candidates.write<S>("candidates", sequence);
    }
    const ReleaseGil released;
    MinAddGruForward<S>(p, weights, tensors);
  });
}

void MinAddGruGrad(const TensorArgument& inputs, const TensorArgument& kernel,
                   const TensorArgument& initial_state, const TensorArgument& mask,
                   const TensorArgument& initial_inputs, const TensorArgument& reserve,
                   const TensorArgument& candidates, const TensorArgument& d_outputs,
                   const TensorArgument& d_final_state, const TensorArgument& d_inputs,
                   const TensorArgument& d_kernel, const TensorArgument& d_bias,
                   const TensorArgument& d_initial_state, const TensorArgument& d_initial_inputs,
                   const std::string& activation, bool go_backwards) {
  const Shape shape = inputs.shape("inputs");
  const MinSizes p = CheckedMinSizes(
      {shape, kernel.shape("kernel"), std::nullopt, initial_state.optional_shape("initial_state"),
       mask.optional_shape("mask"), initial_inputs.optional_shape("initial_inputs")});
  const Shape sequence = {p.batch, p.time, p.units}, state = {p.batch, p.units};
  const bool tanh = ActivationFromName(activation) == Activation::kTanh;
  ForTypeOf(inputs, "inputs", [&](auto type) {
    using S = typename decltype(type)::type;
    MinBackwardTensors<S> tensors = {};
    tensors.inputs = inputs.read<S>("inputs");
    tensors.initial_inputs = initial_inputs.read<S>("initial_inputs");
    tensors.mask = ReadMask(mask);
    tensors.kernel = kernel.read<S>("kernel");
    tensors.initial_state = initial_state.read<S>("initial_state");
    tensors.reserve = reserve.read<uint8_t>("reserve", sequence);
    if (tanh) tensors.candidates = candidates.read<S>("candidates", sequence);
    tensors.d_outputs = d_outputs.read<S>("d_outputs", sequence);
    tensors.d_final_state = d_final_state.read<S>("d_final_state", state);
    tensors.d_inputs = d_inputs.write_if_present<S>("d_inputs", shape);
    tensors.d_initial_inputs =
        d_initial_inputs.write_if_present<S>("d_initial_inputs", {p.batch, p.window - 1, p.input});
    tensors.d_kernel = d_kernel.write<S>("d_kernel", {p.window, p.input, 2 * p.units});
    tensors.d_bias = d_bias.write<S>("d_bias", {2 * p.units});
    tensors.d_initial_state = d_initial_state.write<S>("d_initial_state", state);
    const ReleaseGil released;
    MinAddGruBackward<S>(p, go_backwards, tensors);
  });
}

}  // namespace

void DefineFloating(py::module_& module) {
  using py::arg;
  const auto absent = py::none();
  module.def(
      "add_gru", &AddGru, arg("inputs"), arg("kernel"), arg("recurrent_kernel"), arg("bias"),
      arg("initial_state"), arg("mask"), arg("outputs"), arg("final_state"),
      arg("reserve") = absent, arg("candidates") = absent, py::kw_only(), arg("activation"),
      arg("state_shift"), arg("state_max"), arg("go_backwards"),
      "The recurrence, on DLPack capsules of dense tensors on the CPU. Writes the last four, "
      "of which the reserve, and with tanh the candidates, are for the gradient. Inputs "
      "[batch, input] are one step.");
  module.def("add_gru_grad", &AddGruGrad, arg("inputs"), arg("kernel"), arg("recurrent_kernel"),
             arg("initial_state"), arg("outputs"), arg("reserve"), arg("candidates"),
             arg("d_outputs"), arg("d_final_state"), arg("d_inputs"), arg("d_kernel"),
             arg("d_recurrent_kernel"), arg("d_bias"), arg("d_initial_state"), py::kw_only(),
             arg("activation"), arg("go_backwards"),
             "The gradient of a sequence: writes the last five, d_inputs only if it is given.");
  module.def("add_gru_step_grad", &AddGruStepGrad, arg("reserve"), arg("candidates"),
             arg("d_outputs"), arg("d_final_state"), arg("d_sums"), arg("d_state"), py::kw_only(),
             arg("activation"),
             "The gradient of a step without its products: writes the last two.");
  module.def("min_add_gru", &MinAddGru, arg("inputs"), arg("kernel"), arg("bias"),
             arg("initial_state"), arg("mask"), arg("initial_inputs"), arg("outputs"),
             arg("final_state"), arg("reserve") = absent, arg("candidates") = absent, py::kw_only(),
             arg("activation"), arg("go_backwards"),
             "The recurrence with gates on inputs alone; as add_gru.");
  module.def("min_add_gru_grad", &MinAddGruGrad, arg("inputs"), arg("kernel"), arg("initial_state"),
             arg("mask"), arg("initial_inputs"), arg("reserve"), arg("candidates"),
             arg("d_outputs"), arg("d_final_state"), arg("d_inputs"), arg("d_kernel"),
             arg("d_bias"), arg("d_initial_state"), arg("d_initial_inputs"), py::kw_only(),
             arg("activation"), arg("go_backwards"),
             "Its gradient: writes the last five, d_inputs and d_initial_inputs only if given.");
}

}  // namespace addrnn
