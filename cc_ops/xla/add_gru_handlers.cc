// The XLA handlers of AddGRU: nothing but shapes, buffers and a call into the core.

#include "cc_ops/core/add_gru.h"
#include "cc_ops/xla/call.h"
#include "cc_ops/xla/handlers.h"

namespace addrnn {
namespace {

// Of outputs, reserve and candidates: [batch, time, units], without the time where the inputs have
// none.
Shape SequenceShape(const Shape& inputs, const Sizes& sizes) {
  if (inputs.size() == 2) return {sizes.batch, sizes.units};
  return {sizes.batch, sizes.time, sizes.units};
}

template <typename S>
void Forward(const Call& call) {
  const auto inputs = call.Argument<S>("inputs", 0), kernel = call.Argument<S>("kernel", 1),
             recurrent_kernel = call.Argument<S>("recurrent_kernel", 2),
             bias = call.Argument<S>("bias", 3),
             initial_state = call.Argument<S>("initial_state", 4);
  const auto mask = call.Argument<bool>("mask", 5);
  Problem p = {};
  static_cast<Sizes&>(p) = CheckedSizes(
      {inputs.shape(), kernel.shape(), recurrent_kernel.shape(), bias.optional_shape(1),
       initial_state.optional_shape(2), mask.optional_shape(2)},
      true);
  p.activation = call.ActivationAttribute();
  p.state_shift = call.Number("state_shift");
  p.state_max = call.Number("state_max");
  p.go_backwards = call.Flag("go_backwards");
  Check(p);
  const bool keeps_bits = call.results() > 2;
  const bool keeps_candidates = keeps_bits && p.activation == Activation::kTanh;
  if (keeps_bits) call.CheckResults(3 + keeps_candidates, 3 + keeps_candidates);

  const Shape sequence = SequenceShape(inputs.shape(), p);
  ForwardTensors<S> tensors = {};
  tensors.inputs = inputs.data();
  tensors.initial_state = initial_state.data_or_null();
  tensors.mask = reinterpret_cast<const uint8_t*>(mask.data_or_null());
  tensors.outputs = call.Result<S>("outputs", 0, sequence);
  tensors.final_state = call.Result<S>("final_state", 1, {p.batch, p.units});
  if (keeps_bits) tensors.reserve = call.Result<uint8_t>("reserve", 2, sequence);
  if (keeps_candidates) tensors.candidates = call.Result<S>("candidates", 3, sequence);
  AddGruForward<S>(p, {kernel.data(), recurrent_kernel.data(), bias.data_or_null()}, tensors);
}

template <typename S>
void Backward(const Call& call) {
  const auto inputs = call.Argument<S>("inputs", 0), kernel = call.Argument<S>("kernel", 1),
             recurrent_kernel = call.Argument<S>("recurrent_kernel", 2),
             initial_state = call.Argument<S>("initial_state", 3),
             outputs = call.Argument<S>("outputs", 4),
             candidates = call.Argument<S>("candidates", 6),
             d_outputs = call.Argument<S>("d_outputs", 7),
             d_final_state = call.Argument<S>("d_final_state", 8);
  const auto reserve = call.Argument<uint8_t>("reserve", 5);
  const Sizes p = CheckedSizes({inputs.shape(), kernel.shape(), recurrent_kernel.shape(),
                                std::nullopt, initial_state.optional_shape(2), std::nullopt});
  const Shape sequence = {p.batch, p.time, p.units};
  const bool tanh = call.ActivationAttribute() == Activation::kTanh;
  CheckShape("outputs", outputs.shape(), sequence);
  CheckShape("reserve", reserve.shape(), sequence);
  if (tanh) CheckShape("candidates", candidates.shape(), sequence);
  CheckShape("d_outputs", d_outputs.shape(), sequence);
  CheckShape("d_final_state", d_final_state.shape(), {p.batch, p.units});

  BackwardTensors<S> tensors = {};
  tensors.inputs = inputs.data();
  tensors.kernel = kernel.data();
  tensors.recurrent_kernel = recurrent_kernel.data();
  tensors.initial_state = initial_state.data_or_null();
  tensors.outputs = outputs.data();
  tensors.reserve = reserve.data();
  tensors.candidates = tanh ? candidates.data() : nullptr;
  tensors.d_outputs = d_outputs.data();
  tensors.d_final_state = d_final_state.data();
  tensors.d_kernel = call.Result<S>("d_kernel", 0, kernel.shape());
  tensors.d_recurrent_kernel = call.Result<S>("d_recurrent_kernel", 1, recurrent_kernel.shape());
  tensors.d_bias = call.Result<S>("d_bias", 2, {2 * p.units});
  tensors.d_initial_state = call.Result<S>("d_initial_state", 3, {p.batch, p.units});
  if (call.results() > 4) tensors.d_inputs = call.Result<S>("d_inputs", 4, inputs.shape());
  AddGruBackward<S>(p, call.Flag("go_backwards"), tensors);
}

template <typename S>
void StepBackward(const Call& call) {
  const auto reserve = call.Argument<uint8_t>("reserve", 0);
  const auto candidates = call.Argument<S>("candidates", 1),
             d_outputs = call.Argument<S>("d_outputs", 2),
             d_final_state = call.Argument<S>("d_final_state", 3);
  const Shape& dims = reserve.shape();
  CheckRank("reserve", dims, 2, "[batch, units]");
  Check(Sizes{dims[0], 1, 0, dims[1]});
  const bool tanh = call.ActivationAttribute() == Activation::kTanh;
  if (tanh) CheckShape("candidates", candidates.shape(), dims);
  CheckShape("d_outputs", d_outputs.shape(), dims);
  CheckShape("d_final_state", d_final_state.shape(), dims);
  S* const d_sums = call.Result<S>("d_sums", 0, {dims[0], 2 * dims[1]});
  S* const d_state = call.Result<S>("d_state", 1, dims);
  AddGruStepGradient<S>(dims[0], dims[1],
                        {reserve.data(), tanh ? candidates.data() : nullptr, d_outputs.data(),
                         d_final_state.data(), d_sums, d_state});
}

}  // namespace

XLA_FFI_Error* AddGruHandler(XLA_FFI_CallFrame* frame) {
  return Handle(frame, "AddGru", [](const Call& call) {
    call.CheckArguments(6);
    call.CheckResults(2, 4);
    WithStorage(call.FloatType("inputs", 0), [&](auto s) { Forward<decltype(s)>(call); });
  });
}

XLA_FFI_Error* AddGruGradHandler(XLA_FFI_CallFrame* frame) {
  return Handle(frame, "AddGruGrad", [](const Call& call) {
    call.CheckArguments(9);
    call.CheckResults(4, 5);
    WithStorage(call.FloatType("inputs", 0), [&](auto s) { Backward<decltype(s)>(call); });
  });
}

XLA_FFI_Error* AddGruStepGradHandler(XLA_FFI_CallFrame* frame) {
  return Handle(frame, "AddGruStepGrad", [](const Call& call) {
    call.CheckArguments(4);
    call.CheckResults(2, 2);
    WithStorage(call.FloatType("d_outputs", 2), [&](auto s) { StepBackward<decltype(s)>(call); });
  });
}

}  // namespace addrnn
