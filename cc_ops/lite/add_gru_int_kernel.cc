#include "cc_ops/lite/add_gru_int_kernel.h"

#include <algorithm>
#include <cstdint>

#include "cc_ops/core/integer.h"
#include "cc_ops/lite/integer_tensors.h"
#include "cc_ops/lite/options_int.h"
#include "cc_ops/lite/registration.h"
#include "cc_ops/lite/settings.h"

namespace addrnn {
namespace {

enum Input {
  kInputs,
  kKernel,
  kRecurrentKernel,
  kBias,
  kKernelShift,
  kRecurrentShift,
  kShift,
  kMultiplier,
  kInitialState,
  kMask
};
enum Output { kOutputs, kFinalState };

class Kernel {
 public:
  static constexpr const char* kOperator = "AddGruInt";
  static constexpr const char* kDelegateName = "AddGruIntDelegate";

  Kernel(TfLiteContext* context, const TfLiteDelegateParams& params)
      : settings_(DelegateSettings::Of(params)) {
    const TfLiteNode& node = ReplacedNode(context, params);
    tensors_ = NodeTensors(node, params,
                           {"inputs", "kernel", "recurrent_kernel", "bias", "kernel_shift",
                            "recurrent_shift", "shift", "multiplier", "initial_state", "mask"},
                           {"outputs", "final_state"});
    ReadOptions(node.custom_initial_data, std::max(node.custom_initial_data_size, 0), &problem_);
  }

  void Prepare(TfLiteContext* context) {
    problem_ = Checked(context);
    const IntegerProblem& p = problem_;
    IntegerWeights weights = {};
    if (!prepared_.Holds(p)) weights = CheckedWeights(context);
    tensors_.ResizeOutput(context, kOutputs, kTfLiteInt16, {p.batch, p.time, p.units});
    tensors_.ResizeOutput(context, kFinalState, kTfLiteInt16, {p.batch, p.units});
    settings_.SetThreads(context);
    prepared_.Prepare(p, weights);
  }

  void Invoke(TfLiteContext* context) {
    const IntegerProblem p = Checked(context);
    // See AddGruKernel.
    if (p.batch != problem_.batch || p.time != problem_.time || p.input != problem_.input ||
        p.units != problem_.units) {
      throw Error{"its inputs have changed their shape since it was prepared"};
    }
    const int64_t steps = p.batch * p.time;
    IntegerTensors tensors = {};
    tensors.inputs = IntegerInputsOf(tensors_, context, kInputs, steps * p.input);
    tensors.initial_state = tensors_.OptionalInputData<int16_t>(context, kInitialState,
                                                                kTfLiteInt16, p.batch * p.units);
    tensors.mask = tensors_.OptionalInputData<uint8_t>(context, kMask, kTfLiteBool, steps);
    tensors.outputs =
        tensors_.OutputData<int16_t>(context, kOutputs, kTfLiteInt16, steps * p.units);
    tensors.final_state =
        tensors_.OutputData<int16_t>(context, kFinalState, kTfLiteInt16, p.batch * p.units);
    settings_.SetThreads(context);
    prepared_.Run(tensors);
  }

 private:
  IntegerProblem Checked(TfLiteContext* context) const {
    const TfLiteTensor& inputs = tensors_.Input(context, kInputs, kIntegerInputTypes);
    const TfLiteTensor& recurrent_kernel = tensors_.Input(context, kRecurrentKernel, kTfLiteInt8);
    CheckRank("inputs", ShapeOf(inputs), 3, "[batch, time, input]");
    CheckRank("recurrent_kernel", ShapeOf(recurrent_kernel), 2, "[units, 2 * units]");
    IntegerProblem p = problem_;
    p.batch = inputs.dims->data[0];
    p.time = inputs.dims->data[1];
    p.input = inputs.dims->data[2];
    p.units = recurrent_kernel.dims->data[0];
    Check(p);
    const auto check_optional = [&](Input i, TfLiteType type, const char* name,
                                    const Shape& shape) {
      const auto given = tensors_.OptionalShape(context, i, type);
      if (given) CheckShape(name, *given, shape);
    };
    check_optional(kInitialState, kTfLiteInt16, "initial_state", {p.batch, p.units});
    check_optional(kMask, kTfLiteBool, "mask", {p.batch, p.time});
    return p;
  }

  // Of problem_, for which they are known to be sound.
  IntegerWeights CheckedWeights(TfLiteContext* context) const {
    const IntegerProblem& p = problem_;
    const int64_t columns = 2 * p.units;
    const auto shifts = [&](Input i) {
      return ConstantData<uint8_t>(tensors_, context, i, kTfLiteUInt8, {columns});
    };
    IntegerWeights weights = {};
    weights.kernel =
        ConstantData<int8_t>(tensors_, context, kKernel, kTfLiteInt8, {p.input, columns});
    weights.recurrent_kernel =
        ConstantData<int8_t>(tensors_, context, kRecurrentKernel, kTfLiteInt8, {p.units, columns});
    weights.bias = ConstantData<int32_t>(tensors_, context, kBias, kTfLiteInt32, {columns});
    weights.kernel_shift = shifts(kKernelShift);
    weights.recurrent_shift = shifts(kRecurrentShift);
    weights.shift = shifts(kShift);
    weights.multiplier =
        OptionalConstantData<int32_t>(tensors_, context, kMultiplier, kTfLiteInt32, {columns});
    Check(p, weights);
    return weights;
  }

  const DelegateSettings settings_;
  NodeTensors tensors_;
  IntegerProblem problem_ = {};  // its sizes are those of the last Prepare
  PreparedInteger prepared_;
};

}  // namespace

TfLiteRegistration AddGruIntKernel() { return Registration<Kernel>::Make(); }

}  // namespace addrnn
