// The definitions of the TensorFlow ops and their shape functions, on TensorFlow's C interface: one
// binary serves many versions of TensorFlow.

#include <cstdint>

#include "cc_ops/tf/op_definition.h"

namespace addrnn {
namespace {

using definition::kUnknown;
using definition::PresentDim;
using definition::Register;
using definition::Shape;
using definition::ShapeInference;

void AddGruShape(TF_ShapeInferenceContext* context, TF_Status* status) {
  ShapeInference s("AddGru", context, status);
  const Shape inputs = s.Input(0), kernel = s.Input(1), recurrent_kernel = s.Input(2),
              bias = s.Input(3), initial_state = s.Input(4), mask = s.Input(5);
  s.CheckRank(inputs, "inputs", 2, 3, "[batch, time, input], or [batch, input] for one step");
  s.CheckRank(kernel, "kernel", 2, 2, "[input, 2 * units]");
  s.CheckRank(recurrent_kernel, "recurrent_kernel", 2, 2, "[units, 2 * units]");
  s.CheckRank(bias, "bias", 1, 1, "[2 * units], or [0]");
  s.CheckRank(initial_state, "initial_state", 2, 2, "[batch, units], or [0, 0]");
  s.CheckRank(mask, "mask", 2, 2, "[batch, time], or [0, 0]");

  const int64_t rank = s.Rank(inputs);
  const int64_t units = s.Dim(recurrent_kernel, 0);
  const bool fits = units >= 0 && units < (int64_t{1} << 62);
  const int64_t gates = fits ? 2 * units : kUnknown;
  s.CheckDim(s.Dim(recurrent_kernel, 1), gates, "recurrent_kernel.shape[1], 2 * units,");
  s.CheckDim(s.Dim(kernel, 1), gates, "kernel.shape[1], 2 * units,");
  s.CheckDim(PresentDim(s, bias, 0), gates, "bias.shape[0], 2 * units,");
  s.CheckDim(PresentDim(s, initial_state, 1), units, "initial_state.shape[1], units,");
  if (rank != kUnknown) {
    s.CheckDim(s.Dim(kernel, 0), s.Dim(inputs, rank - 1), "kernel.shape[0], the input size,");
    s.CheckDim(PresentDim(s, initial_state, 0), s.Dim(inputs, 0),
               "initial_state.shape[0], the batch size,");
    s.CheckDim(PresentDim(s, mask, 0), s.Dim(inputs, 0), "mask.shape[0], the batch size,");
    s.CheckDim(PresentDim(s, mask, 1), rank == 3 ? s.Dim(inputs, 1) : 1,
               "mask.shape[1], the number of steps,");
    if (s.Rank(recurrent_kernel) == 2) {
      s.SetOutput(0, s.Join(inputs, 0, rank - 1, recurrent_kernel, 0, 1));
      s.SetOutput(1, s.Join(inputs, 0, 1, recurrent_kernel, 0, 1));
    }
  }
}

// Each gradient has the shape of what it is the gradient of.
void AddGruGradShape(TF_ShapeInferenceContext* context, TF_Status* status) {
  ShapeInference s("AddGruGrad", context, status);
  const Shape inputs = s.Input(0), kernel = s.Input(1), recurrent_kernel = s.Input(2);
  s.CheckRank(inputs, "inputs", 2, 3, "[batch, time, input], or [batch, input] for one step");
  s.CheckRank(kernel, "kernel", 2, 2, "[input, 2 * units]");
  s.CheckRank(recurrent_kernel, "recurrent_kernel", 2, 2, "[units, 2 * units]");
  s.SetOutput(1, kernel);
  s.SetOutput(2, recurrent_kernel);
  if (s.Rank(recurrent_kernel) == 2) {
    s.SetOutput(3, s.Join(recurrent_kernel, 1, 2, recurrent_kernel, 0, 0));
    if (s.Rank(inputs) >= 2) s.SetOutput(4, s.Join(inputs, 0, 1, recurrent_kernel, 0, 1));
  }
}

// d_sums is twice as wide as the reserve: there is no public way to say so.
void AddGruStepGradShape(TF_ShapeInferenceContext* context, TF_Status* status) {
  ShapeInference s("AddGruStepGrad", context, status);
  const Shape reserve = s.Input(0);
  s.CheckRank(reserve, "reserve", 2, 2, "[batch, units]");
  s.SetOutput(1, reserve);
}

void DefineAddGru() {
  TF_OpDefinitionBuilder* op = TF_NewOpDefinitionBuilder("AddGru");
  TF_OpDefinitionBuilderAddInput(op, "inputs: T");
  TF_OpDefinitionBuilderAddInput(op, "kernel: T");
  TF_OpDefinitionBuilderAddInput(op, "recurrent_kernel: T");
  TF_OpDefinitionBuilderAddInput(op, "bias: T");
  TF_OpDefinitionBuilderAddInput(op, "initial_state: T");
  TF_OpDefinitionBuilderAddInput(op, "mask: bool");
  TF_OpDefinitionBuilderAddOutput(op, "outputs: T");
  TF_OpDefinitionBuilderAddOutput(op, "final_state: T");
  TF_OpDefinitionBuilderAddOutput(op, "reserve: uint8");
  TF_OpDefinitionBuilderAddOutput(op, "candidates: T");
  TF_OpDefinitionBuilderAddAttr(op, "T: {half, bfloat16, float, double}");
  TF_OpDefinitionBuilderAddAttr(op, "activation: {'linear', 'relu', 'hard_tanh', 'tanh'} = 'relu'");
  TF_OpDefinitionBuilderAddAttr(op, "state_shift: float = 0.0");
  TF_OpDefinitionBuilderAddAttr(op, "state_max: float = inf");
  TF_OpDefinitionBuilderAddAttr(op, "go_backwards: bool = false");
  TF_OpDefinitionBuilderAddAttr(op, "with_reserve: bool = false");
  TF_OpDefinitionBuilderSetShapeInferenceFunction(op, &AddGruShape);
  Register(op);
}

void DefineAddGruGrad() {
  TF_OpDefinitionBuilder* op = TF_NewOpDefinitionBuilder("AddGruGrad");
  TF_OpDefinitionBuilderAddInput(op, "inputs: T");
  TF_OpDefinitionBuilderAddInput(op, "kernel: T");
  TF_OpDefinitionBuilderAddInput(op, "recurrent_kernel: T");
  TF_OpDefinitionBuilderAddInput(op, "initial_state: T");
  TF_OpDefinitionBuilderAddInput(op, "outputs: T");
  TF_OpDefinitionBuilderAddInput(op, "reserve: uint8");
  TF_OpDefinitionBuilderAddInput(op, "candidates: T");
  TF_OpDefinitionBuilderAddInput(op, "d_outputs: T");
  TF_OpDefinitionBuilderAddInput(op, "d_final_state: T");
  TF_OpDefinitionBuilderAddOutput(op, "d_inputs: T");
  TF_OpDefinitionBuilderAddOutput(op, "d_kernel: T");
  TF_OpDefinitionBuilderAddOutput(op, "d_recurrent_kernel: T");
  TF_OpDefinitionBuilderAddOutput(op, "d_bias: T");
  TF_OpDefinitionBuilderAddOutput(op, "d_initial_state: T");
  TF_OpDefinitionBuilderAddAttr(op, "T: {half, bfloat16, float, double}");
  TF_OpDefinitionBuilderAddAttr(op, "activation: {'linear', 'relu', 'hard_tanh', 'tanh'} = 'relu'");
  TF_OpDefinitionBuilderAddAttr(op, "go_backwards: bool = false");
  TF_OpDefinitionBuilderAddAttr(op, "with_d_inputs: bool = true");
  TF_OpDefinitionBuilderSetShapeInferenceFunction(op, &AddGruGradShape);
  Register(op);
}

void DefineAddGruStepGrad() {
  TF_OpDefinitionBuilder* op = TF_NewOpDefinitionBuilder("AddGruStepGrad");
  TF_OpDefinitionBuilderAddInput(op, "reserve: uint8");
  TF_OpDefinitionBuilderAddInput(op, "candidates: T");
  TF_OpDefinitionBuilderAddInput(op, "d_outputs: T");
  TF_OpDefinitionBuilderAddInput(op, "d_final_state: T");
  TF_OpDefinitionBuilderAddOutput(op, "d_sums: T");
  TF_OpDefinitionBuilderAddOutput(op, "d_state: T");
  TF_OpDefinitionBuilderAddAttr(op, "T: {half, bfloat16, float, double}");
  TF_OpDefinitionBuilderAddAttr(op, "activation: {'linear', 'relu', 'hard_tanh', 'tanh'} = 'relu'");
  TF_OpDefinitionBuilderSetShapeInferenceFunction(op, &AddGruStepGradShape);
  Register(op);
}

[[maybe_unused]] const bool defined =
    (DefineAddGru(), DefineAddGruGrad(), DefineAddGruStepGrad(), true);

}  // namespace
}  // namespace addrnn
