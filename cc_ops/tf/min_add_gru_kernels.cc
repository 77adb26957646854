// The CPU kernels of the TensorFlow ops of the recurrence with gates on inputs alone.

#include <cstdint>
#include <optional>

#include "cc_ops/core/min_add_gru.h"
#include "cc_ops/core/shapes.h"
#include "cc_ops/tf/op_kernel.h"

namespace addrnn {
namespace {

struct Attributes {
  MinProblem problem = {};  // its sizes are those of the tensors of a call
  bool with_reserve = false;
  bool with_d_inputs = false;
};

template <typename S>
void Forward(void* kernel_state, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<const Attributes*>(kernel_state);
  Call call(context);
  call.Run("MinAddGru", [&] {
    const Tensor inputs = call.Input(0), kernel = call.Input(1), bias = call.Input(2),
                 initial_state = call.Input(3), mask = call.Input(4),
                 initial_inputs = call.Input(5);
    MinProblem p = attributes.problem;
    static_cast<MinSizes&>(p) = CheckedMinSizes(
        {inputs.shape(), kernel.shape(), OptionalShape(bias, 1), OptionalShape(initial_state, 2),
         OptionalShape(mask, 2), OptionalShape(initial_inputs, 3)});

    const Shape sequence = {p.batch, p.time, p.units}, absent = {0};
    const bool keeps_candidates = attributes.with_reserve && p.activation == Activation::kTanh;
    const Tensor outputs = call.Output<S>(0, sequence);
    const Tensor final_state = call.Output<S>(1, {p.batch, p.units});
    const Tensor reserve = call.Output<uint8_t>(2, attributes.with_reserve ? sequence : absent);
    const Tensor candidates = call.Output<S>(3, keeps_candidates ? sequence : absent);

    MinForwardTensors<S> tensors = {};
    tensors.inputs = inputs.data<S>();
    tensors.initial_inputs = initial_inputs.data_or_null<S>();
    tensors.mask = mask.data_or_null<uint8_t>();
    tensors.initial_state = initial_state.data_or_null<S>();
    tensors.outputs = outputs.data<S>();
    tensors.final_state = final_state.data<S>();
    tensors.reserve = reserve.data_or_null<uint8_t>();
    tensors.candidates = candidates.data_or_null<S>();
    MinAddGruForward<S>(p, {kernel.data<S>(), bias.data_or_null<S>()}, tensors);
  });
}

template <typename S>
void Backward(void* kernel_state, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<const Attributes*>(kernel_state);
  Call call(context);
  call.Run("MinAddGruGrad", [&] {
    const Tensor inputs = call.Input(0), kernel = call.Input(1), initial_state = call.Input(2),
                 mask = call.Input(3), initial_inputs = call.Input(4), reserve = call.Input(5),
                 candidates = call.Input(6), d_outputs = call.Input(7),
                 d_final_state = call.Input(8);
    const MinSizes p = CheckedMinSizes({inputs.shape(), kernel.shape(), std::nullopt,
                                        OptionalShape(initial_state, 2), OptionalShape(mask, 2),
                                        OptionalShape(initial_inputs, 3)});
    const Shape sequence = {p.batch, p.time, p.units};
    const bool tanh = attributes.problem.activation == Activation::kTanh;
    CheckShape("reserve", reserve.shape(), sequence);
    if (tanh) CheckShape("candidates", candidates.shape(), sequence);
    CheckShape("d_outputs", d_outputs.shape(), sequence);
    CheckShape("d_final_state", d_final_state.shape(), {p.batch, p.units});

    const Tensor d_inputs = call.Output<S>(0, attributes.with_d_inputs ? inputs.shape() : Shape{0});
    const Tensor d_kernel = call.Output<S>(1, kernel.shape());
    const Tensor d_bias = call.Output<S>(2, {2 * p.units});
    const Tensor d_initial_state = call.Output<S>(3, {p.batch, p.units});
    const Tensor d_initial_inputs = call.Output<S>(4, initial_inputs.shape());

    MinBackwardTensors<S> tensors = {};
    tensors.inputs = inputs.data<S>();
    tensors.initial_inputs = initial_inputs.data_or_null<S>();
    tensors.mask = mask.data_or_null<uint8_t>();
    tensors.kernel = kernel.data<S>();
    tensors.initial_state = initial_state.data_or_null<S>();
    tensors.reserve = reserve.data<uint8_t>();
    tensors.candidates = tanh ? candidates.data<S>() : nullptr;
    tensors.d_outputs = d_outputs.data<S>();
    tensors.d_final_state = d_final_state.data<S>();
    tensors.d_inputs = d_inputs.data_or_null<S>();
    tensors.d_initial_inputs = d_initial_inputs.data_or_null<S>();
    tensors.d_kernel = d_kernel.data<S>();
    tensors.d_bias = d_bias.data<S>();
    tensors.d_initial_state = d_initial_state.data<S>();
    MinAddGruBackward(p, attributes.problem.go_backwards, tensors);
  });
}

void* CreateForward(TF_OpKernelConstruction* construction) {
  AttributeReader reader(construction);
  auto* attributes = new Attributes;
  attributes->problem.activation = reader.ActivationAttr();
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

void Delete(void* kernel_state) { delete static_cast<Attributes*>(kernel_state); }

template <typename S>
void RegisterKernels(TF_DataType type) {
  RegisterKernel({"MinAddGru", "MinAddGruCpu", &CreateForward, &Forward<S>, &Delete}, type);
  RegisterKernel({"MinAddGruGrad", "MinAddGruGradCpu", &CreateBackward, &Backward<S>, &Delete},
                 type);
}

[[maybe_unused]] const bool registered =
    (RegisterKernels<float>(TF_FLOAT), RegisterKernels<double>(TF_DOUBLE),
     RegisterKernels<Float16>(TF_HALF), RegisterKernels<BFloat16>(TF_BFLOAT16), true);

}  // namespace
}  // namespace addrnn
