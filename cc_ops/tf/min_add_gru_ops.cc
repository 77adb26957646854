// The definitions of the TensorFlow ops of the recurrence with gates on inputs alone.

#include <cstdint>

#include "cc_ops/tf/op_definition.h"

namespace addrnn {
namespace {

using definition::kUnknown;
using definition::PresentDim;
using definition::Register;
using definition::Shape;
using definition::ShapeInference;

// Of inputs and kernel; returns the number of units, or -1.
int64_t CheckInputsAndKernel(ShapeInference& s, const Shape& inputs, const Shape& kernel) {
  s.CheckRank(inputs, "inputs", 3, 3, "[batch, time, input]");
  s.CheckRank(kernel, "kernel", 3, 3, "[kernel_size, input, 2 * units]");
  s.CheckDim(s.Dim(kernel, 1), s.Dim(inputs, 2), "kernel.shape[1], the input size,");
  const int64_t gates = s.Dim(kernel, 2);
  if (gates == kUnknown) return kUnknown;
  s.CheckDim(gates % 2, 0, "kernel.shape[2] modulo 2");
  return gates / 2;
}

void MinAddGruShape(TF_ShapeInferenceContext* context, TF_Status* status) {
  ShapeInference s("MinAddGru", context, status);
  const Shape inputs = s.Input(0), kernel = s.Input(1), bias = s.Input(2),
              initial_state = s.Input(3), mask = s.Input(4), initial_inputs = s.Input(5);
  const int64_t units = CheckInputsAndKernel(s, inputs, kernel);
  s.CheckRank(bias, "bias", 1, 1, "[2 * units], or [0]");
  s.CheckRank(initial_state, "initial_state", 2, 2, "[batch, units], or [0, 0]");
  s.CheckRank(mask, "mask", 2, 2, "[batch, time], or [0, 0]");
  s.CheckRank(initial_inputs, "initial_inputs", 3, 3,
              "[batch, kernel_size - 1, input], or [0, 0, 0]");

  const int64_t batch = s.Dim(inputs, 0), window = s.Dim(kernel, 0);
  s.CheckDim(PresentDim(s, bias, 0), s.Dim(kernel, 2), "bias.shape[0], 2 * units,");
  s.CheckDim(PresentDim(s, initial_state, 0), batch, "initial_state.shape[0], the batch size,");
  s.CheckDim(PresentDim(s, initial_state, 1), units, "initial_state.shape[1], units,");
  s.CheckDim(PresentDim(s, mask, 0), batch, "mask.shape[0], the batch size,");
  s.CheckDim(PresentDim(s, mask, 1), s.Dim(inputs, 1), "mask.shape[1], the number of steps,");
  s.CheckDim(PresentDim(s, initial_inputs, 0), batch, "initial_inputs.shape[0], the batch size,");
  s.CheckDim(PresentDim(s, initial_inputs, 1), window == kUnknown ? kUnknown : window - 1,
             "initial_inputs.shape[1], kernel_size - 1,");
  s.CheckDim(PresentDim(s, initial_inputs, 2), s.Dim(inputs, 2),
             "initial_inputs.shape[2], the input size,");
  if (units != kUnknown && s.Rank(inputs) == 3) {
    const Shape of_units = s.Vector(units);
    s.SetOutput(0, s.Join(inputs, 0, 2, of_units, 0, 1));
    s.SetOutput(1, s.Join(inputs, 0, 1, of_units, 0, 1));
  }
}

// Each gradient has the shape of what it is the gradient of.
void MinAddGruGradShape(TF_ShapeInferenceContext* context, TF_Status* status) {
  ShapeInference s("MinAddGruGrad", context, status);
  const Shape inputs = s.Input(0), kernel = s.Input(1), initial_inputs = s.Input(4);
  const int64_t units = CheckInputsAndKernel(s, inputs, kernel);
  s.SetOutput(1, kernel);
  if (s.Rank(kernel) == 3) s.SetOutput(2, s.Join(kernel, 2, 3, kernel, 0, 0));
  if (units != kUnknown && s.Rank(inputs) == 3) {
    s.SetOutput(3, s.Join(inputs, 0, 1, s.Vector(units), 0, 1));
  }
  s.SetOutput(4, initial_inputs);
}

void DefineMinAddGru() {
  TF_OpDefinitionBuilder* op = TF_NewOpDefinitionBuilder("MinAddGru");
  TF_OpDefinitionBuilderAddInput(op, "inputs: T");
  TF_OpDefinitionBuilderAddInput(op, "kernel: T");
  TF_OpDefinitionBuilderAddInput(op, "bias: T");
  TF_OpDefinitionBuilderAddInput(op, "initial_state: T");
  TF_OpDefinitionBuilderAddInput(op, "mask: bool");
  TF_OpDefinitionBuilderAddInput(op, "initial_inputs: T");
  TF_OpDefinitionBuilderAddOutput(op, "outputs: T");
  TF_OpDefinitionBuilderAddOutput(op, "final_state: T");
  TF_OpDefinitionBuilderAddOutput(op, "reserve: uint8");
  TF_OpDefinitionBuilderAddOutput(op, "candidates: T");
  TF_OpDefinitionBuilderAddAttr(op, "T: {half, bfloat16, float, double}");
  TF_OpDefinitionBuilderAddAttr(op, "activation: {'linear', 'relu', 'hard_tanh', 'tanh'} = 'relu'");
  TF_OpDefinitionBuilderAddAttr(op, "go_backwards: bool = false");
  TF_OpDefinitionBuilderAddAttr(op, "with_reserve: bool = false");
  TF_OpDefinitionBuilderSetShapeInferenceFunction(op, &MinAddGruShape);
  Register(op);
}

void DefineMinAddGruGrad() {
  TF_OpDefinitionBuilder* op = TF_NewOpDefinitionBuilder("MinAddGruGrad");
  TF_OpDefinitionBuilderAddInput(op, "inputs: T");
  TF_OpDefinitionBuilderAddInput(op, "kernel: T");
  TF_OpDefinitionBuilderAddInput(op, "initial_state: T");
  TF_OpDefinitionBuilderAddInput(op, "mask: bool");
  TF_OpDefinitionBuilderAddInput(op, "initial_inputs: T");
  TF_OpDefinitionBuilderAddInput(op, "reserve: uint8");
  TF_OpDefinitionBuilderAddInput(op, "candidates: T");
  TF_OpDefinitionBuilderAddInput(op, "d_outputs: T");
  TF_OpDefinitionBuilderAddInput(op, "d_final_state: T");
  TF_OpDefinitionBuilderAddOutput(op, "d_inputs: T");
  TF_OpDefinitionBuilderAddOutput(op, "d_kernel: T");
  TF_OpDefinitionBuilderAddOutput(op, "d_bias: T");
  TF_OpDefinitionBuilderAddOutput(op, "d_initial_state: T");
  TF_OpDefinitionBuilderAddOutput(op, "d_initial_inputs: T");
  TF_OpDefinitionBuilderAddAttr(op, "T: {half, bfloat16, float, double}");
  TF_OpDefinitionBuilderAddAttr(op, "activation: {'linear', 'relu', 'hard_tanh', 'tanh'} = 'relu'");
  TF_OpDefinitionBuilderAddAttr(op, "go_backwards: bool = false");
  TF_OpDefinitionBuilderAddAttr(op, "with_d_inputs: bool = true");
  TF_OpDefinitionBuilderSetShapeInferenceFunction(op, &MinAddGruGradShape);
  Register(op);
}

[[maybe_unused]] const bool defined = (DefineMinAddGru(), DefineMinAddGruGrad(), true);

}  // namespace
}  // namespace addrnn
