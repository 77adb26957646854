// The XLA handlers of MinAddGRU, whose gates read inputs alone.

#include "cc_ops/core/min_add_gru.h"
#include "cc_ops/xla/call.h"
#include "cc_ops/xla/handlers.h"

namespace addrnn {
namespace {

template <typename S>
void Forward(const Call& call) {
  const auto inputs = call.Argument<S>("inputs", 0), kernel = call.Argument<S>("kernel", 1),
             bias = call.Argument<S>("bias", 2),
             initial_state = call.Argument<S>("initial_state", 3),
             initial_inputs = call.Argument<S>("initial_inputs", 5);
  const auto mask = call.Argument<bool>("mask", 4);
  MinProblem p = {};
  static_cast<MinSizes&>(p) = CheckedMinSizes(
      {inputs.shape(), kernel.shape(), bias.optional_shape(1), initial_state.optional_shape(2),
       mask.optional_shape(2), initial_inputs.optional_shape(3)});
  p.activation = call.ActivationAttribute();
  p.go_backwards = call.Flag("go_backwards");
  const bool keeps_bits = call.results() > 2;
  const bool keeps_candidates = keeps_bits && p.activation == Activation::kTanh;
  if (keeps_bits) call.CheckResults(3 + keeps_candidates, 3 + keeps_candidates);

  const Shape sequence = {p.batch, p.time, p.units};
  MinForwardTensors<S> tensors = {};
  tensors.inputs = inputs.data();
  tensors.initial_inputs = initial_inputs.data_or_null();
  tensors.mask = reinterpret_cast<const uint8_t*>(mask.data_or_null());
  tensors.initial_state = initial_state.data_or_null();
  tensors.outputs = call.Result<S>("outputs", 0, sequence);
  tensors.final_state = call.Result<S>("final_state", 1, {p.batch, p.units});
  if (keeps_bits) tensors.reserve = call.Result<uint8_t>("reserve", 2, sequence);
  if (keeps_candidates) tensors.candidates = call.Result<S>("candidates", 3, sequence);
  MinAddGruForward<S>(p, {kernel.data(), bias.data_or_null()}, tensors);
}

template <typename S>
void Backward(const Call& call) {
  const auto inputs = call.Argument<S>("inputs", 0), kernel = call.Argument<S>("kernel", 1),
             initial_state = call.Argument<S>("initial_state", 2),
             initial_inputs = call.Argument<S>("initial_inputs", 4),
             candidates = call.Argument<S>("candidates", 6),
             d_outputs = call.Argument<S>("d_outputs", 7),
             d_final_state = call.Argument<S>("d_final_state", 8);
  const auto mask = call.Argument<bool>("mask", 3);
  const auto reserve = call.Argument<uint8_t>("reserve", 5);
  const MinSizes p = CheckedMinSizes({inputs.shape(), kernel.shape(), std::nullopt,
                                      initial_state.optional_shape(2), mask.optional_shape(2),
                                      initial_inputs.optional_shape(3)});
  const Shape sequence = {p.batch, p.time, p.units};
  const bool tanh = call.ActivationAttribute() == Activation::kTanh;
  CheckShape("reserve", reserve.shape(), sequence);
  if (tanh) CheckShape("candidates", candidates.shape(), sequence);
  CheckShape("d_outputs", d_outputs.shape(), sequence);
  CheckShape("d_final_state", d_final_state.shape(), {p.batch, p.units});

  MinBackwardTensors<S> tensors = {};
  tensors.inputs = inputs.data();
  tensors.initial_inputs = initial_inputs.data_or_null();
  tensors.mask = reinterpret_cast<const uint8_t*>(mask.data_or_null());
  tensors.kernel = kernel.data();
  tensors.initial_state = initial_state.data_or_null();
  tensors.reserve = reserve.data();
  tensors.candidates = tanh ? candidates.data() : nullptr;
  tensors.d_outputs = d_outputs.data();
  tensors.d_final_state = d_final_state.data();
  tensors.d_kernel = call.Result<S>("d_kernel", 0, kernel.shape());
  tensors.d_bias = call.Result<S>("d_bias", 1, {2 * p.units});
  tensors.d_initial_state = call.Result<S>("d_initial_state", 2, {p.batch, p.units});
  S* const d_initial_inputs = call.Result<S>("d_initial_inputs", 3, initial_inputs.shape());
  tensors.d_initial_inputs = initial_inputs.empty() ? nullptr : d_initial_inputs;
  if (call.results() > 4) tensors.d_inputs = call.Result<S>("d_inputs", 4, inputs.shape());
  MinAddGruBackward<S>(p, call.Flag("go_backwards"), tensors);
}

}  // namespace

XLA_FFI_Error* MinAddGruHandler(XLA_FFI_CallFrame* frame) {
  return Handle(frame, "MinAddGru", [](const Call& call) {
    call.CheckArguments(6);
    call.CheckResults(2, 4);
    WithStorage(call.FloatType("inputs", 0), [&](auto s) { Forward<decltype(s)>(call); });
  });
}

XLA_FFI_Error* MinAddGruGradHandler(XLA_FFI_CallFrame* frame) {
  return Handle(frame, "MinAddGruGrad", [](const Call& call) {
    call.CheckArguments(9);
    call.CheckResults(4, 5);
    WithStorage(call.FloatType("inputs", 0), [&](auto s) { Backward<decltype(s)>(call); });
  });
}

}  // namespace addrnn
