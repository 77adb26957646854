// The CPU kernels of the TensorFlow ops: nothing but shapes, buffers and a call into the core.

#include <cstdint>
#include <optional>

#include "cc_ops/core/add_gru.h"
#include "cc_ops/core/shapes.h"
#include "cc_ops/tf/op_kernel.h"

namespace addrnn {
namespace {

struct Attributes {
  Problem problem = {};  // its sizes are those of the tensors of a call
  bool with_reserve = false;
  bool with_d_inputs = false;
};

// Of outputs, reserve and candidates: [batch, time, units], without the time where the inputs have
// none.
Shape SequenceShape(const Tensor& inputs, const Sizes& sizes) {
  if (inputs.shape().size() == 2) return {sizes.batch, sizes.units};
  return {sizes.batch, sizes.time, sizes.units};
}

template <typename S>
void Forward(void* kernel_state, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<const Attributes*>(kernel_state);
  Call call(context);
  call.Run("AddGru", [&] {
    const Tensor inputs = call.Input(0), kernel = call.Input(1), recurrent_kernel = call.Input(2),
                 bias = call.Input(3), initial_state = call.Input(4), mask = call.Input(5);
    Problem p = attributes.problem;
    static_cast<Sizes&>(p) = CheckedSizes(
        {inputs.shape(), kernel.shape(), recurrent_kernel.shape(), OptionalShape(bias, 1),
         OptionalShape(initial_state, 2), OptionalShape(mask, 2)},
        true);
    Check(p);

    const Shape sequence = SequenceShape(inputs, p), absent = {0};
    // A single step keeps its byte per unit in any case: it costs nothing.
    const bool keeps_bits = attributes.with_reserve || sequence.size() == 2;
    const bool keeps_candidates = keeps_bits && p.activation == Activation::kTanh;
    const Tensor outputs = call.Output<S>(0, sequence);
    const Tensor final_state = call.Output<S>(1, {p.batch, p.units});
    const Tensor reserve = call.Output<uint8_t>(2, keeps_bits ? sequence : absent);
    const Tensor candidates = call.Output<S>(3, keeps_candidates ? sequence : absent);

    ForwardTensors<S> tensors = {};
    tensors.inputs = inputs.data<S>();
    tensors.initial_state = initial_state.data_or_null<S>();
    tensors.mask = mask.data_or_null<uint8_t>();
    tensors.outputs = outputs.data<S>();
    tensors.final_state = final_state.data<S>();
    tensors.reserve = reserve.data_or_null<uint8_t>();
    tensors.candidates = candidates.data_or_null<S>();
    AddGruForward<S>(p, {kernel.data<S>(), recurrent_kernel.data<S>(), bias.data_or_null<S>()},
                     tensors);
  });
}

template <typename S>
void Backward(void* kernel_state, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<const Attributes*>(kernel_state);
  Call call(context);
  call.Run("AddGruGrad", [&] {
    const Tensor inputs = call.Input(0), kernel = call.Input(1), recurrent_kernel = call.Input(2),
                 initial_state = call.Input(3), outputs = call.Input(4), reserve = call.Input(5),
                 candidates = call.Input(6), d_outputs = call.Input(7),
                 d_final_state = call.Input(8);
    const Sizes p = CheckedSizes({inputs.shape(), kernel.shape(), recurrent_kernel.shape(),
                                  std::nullopt, OptionalShape(initial_state, 2), std::nullopt},
                                 true);
    const Shape sequence = SequenceShape(inputs, p);
    const bool tanh = attributes.problem.activation == Activation::kTanh;
    CheckShape("outputs", outputs.shape(), sequence);
    CheckShape("reserve", reserve.shape(), sequence);
    if (tanh) CheckShape("candidates", candidates.shape(), sequence);
    CheckShape("d_outputs", d_outputs.shape(), sequence);
    CheckShape("d_final_state", d_final_state.shape(), {p.batch, p.units});

    const Tensor d_inputs = call.Output<S>(0, attributes.with_d_inputs ? inputs.shape() : Shape{0});
    const Tensor d_kernel = call.Output<S>(1, kernel.shape());
    const Tensor d_recurrent_kernel = call.Output<S>(2, recurrent_kernel.shape());
    const Tensor d_bias = call.Output<S>(3, {2 * p.units});
    const Tensor d_initial_state = call.Output<S>(4, {p.batch, p.units});

    BackwardTensors<S> tensors = {};
    tensors.inputs = inputs.data<S>();
    tensors.kernel = kernel.data<S>();
    tensors.recurrent_kernel = recurrent_kernel.data<S>();
    tensors.initial_state = initial_state.data_or_null<S>();
    tensors.outputs = outputs.data<S>();
    tensors.reserve = reserve.data<uint8_t>();
    tensors.candidates = tanh ? candidates.data<S>() : nullptr;
    tensors.d_outputs = d_outputs.data<S>();
    tensors.d_final_state = d_final_state.data<S>();
    tensors.d_inputs = d_inputs.data_or_null<S>();
    tensors.d_kernel = d_kernel.data<S>();
    tensors.d_recurrent_kernel = d_recurrent_kernel.data<S>();
    tensors.d_bias = d_bias.data<S>();
    tensors.d_initial_state = d_initial_state.data<S>();
    AddGruBackward(p, attributes.problem.go_backwards, tensors);
  });
}

template <typename S>
void StepBackward(void* kernel_state, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<const Attributes*>(kernel_state);
  Call call(context);
  call.Run("AddGruStepGrad", [&] {
    const Tensor reserve = call.Input(0), candidates = call.Input(1), d_outputs = call.Input(2),
                 d_final_state = call.Input(3);
    const Shape dims = reserve.shape();
    CheckRank("reserve", dims, 2, "[batch, units]");
    Check(Sizes{dims[0], 1, 0, dims[1]});
    const bool tanh = attributes.problem.activation == Activation::kTanh;
    if (tanh) CheckShape("candidates", candidates.shape(), dims);
    CheckShape("d_outputs", d_outputs.shape(), dims);
    CheckShape("d_final_state", d_final_state.shape(), dims);
    const Tensor d_sums = call.Output<S>(0, {dims[0], 2 * dims[1]});
    const Tensor d_state = call.Output<S>(1, dims);
    AddGruStepGradient<S>(
        dims[0], dims[1],
        {reserve.data<uint8_t>(), tanh ? candidates.data<S>() : nullptr, d_outputs.data<S>(),
         d_final_state.data<S>(), d_sums.data<S>(), d_state.data<S>()});
  });
}

void* CreateForward(TF_OpKernelConstruction* construction) {
  AttributeReader reader(construction);
  auto* attributes = new Attributes;
  attributes->problem.activation = reader.ActivationAttr();
  attributes->problem.state_shift = reader.Number("state_shift");
  attributes->problem.state_max = reader.Number("state_max");
  attributes->problem.go_backwards = reader.Bool("go_backwards");
  attributes->with_reserve = reader.Bool("with_reserve");
  return attributes;
}

void* CreateBackward(TF_OpKernelConstruction* construction) {
  AttributeReader reader(construction);
  auto* attributes = new Attributes;
  attributes->problem.activation = reader.ActivationAttr();
  attributes->problem.go_backwards = reader.Bool("go_backwards");
  attributes->with_d_inputs = reader.Bool("with_d_inputs");
  return attributes;
}

void* CreateStepBackward(TF_OpKernelConstruction* construction) {
  AttributeReader reader(construction);
  auto* attributes = new Attributes;
  attributes->problem.activation = reader.ActivationAttr();
  return attributes;
}

void Delete(void* kernel_state) { delete static_cast<Attributes*>(kernel_state); }

template <typename S>
void RegisterKernels(TF_DataType type) {
  RegisterKernel({"AddGru", "AddGruCpu", &CreateForward, &Forward<S>, &Delete}, type);
  RegisterKernel({"AddGruGrad", "AddGruGradCpu", &CreateBackward, &Backward<S>, &Delete}, type);
  RegisterKernel(
      {"AddGruStepGrad", "AddGruStepGradCpu", &CreateStepBackward, &StepBackward<S>, &Delete},
      type);
}

[[maybe_unused]] const bool registered =
    (RegisterKernels<float>(TF_FLOAT), RegisterKernels<double>(TF_DOUBLE),
     RegisterKernels<Float16>(TF_HALF), RegisterKernels<BFloat16>(TF_BFLOAT16), true);

}  // namespace
}  // namespace addrnn
