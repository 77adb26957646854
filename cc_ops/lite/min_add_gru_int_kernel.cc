#include "cc_ops/lite/min_add_gru_int_kernel.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "cc_ops/core/min_integer.h"
#include "cc_ops/core/shapes.h"
#include "cc_ops/lite/integer_tensors.h"
#include "cc_ops/lite/options_int.h"
#include "cc_ops/lite/registration.h"
#include "cc_ops/lite/settings.h"

namespace addrnn {
namespace {

enum Input { kInputs, kKernel, kBias, kShift, kMultiplier, kInitialState, kMask, kInitialInputs };
enum Output { kOutputs, kFinalState };

class Kernel {
 public:
  static constexpr const char* kOperator = "MinAddGruInt";
  static constexpr const char* kDelegateName = "MinAddGruIntDelegate";

  Kernel(TfLiteContext* context, const TfLiteDelegateParams& params)
      : settings_(DelegateSettings::Of(params)) {
    const TfLiteNode& node = ReplacedNode(context, params);
    tensors_ = NodeTensors(node, params,
                           {"inputs", "kernel", "bias", "shift", "multiplier", "initial_state",
                            "mask", "initial_inputs"},
                           {"outputs", "final_state"});
    ReadOptions(node.custom_initial_data, std::max(node.custom_initial_data_size, 0), &problem_);
  }

  void Prepare(TfLiteContext* context) {
    problem_ = Checked(context);
    const MinIntegerProblem& p = problem_;
    MinIntegerWeights weights = {};
    if (!prepared_.Holds(p)) weights = CheckedWeights(context);
    tensors_.ResizeOutput(context, kOutputs, kTfLiteInt16, {p.batch, p.time, p.units});
    tensors_.ResizeOutput(context, kFinalState, kTfLiteInt16, {p.batch, p.units});
    settings_.SetThreads(context);
    prepared_.Prepare(p, weights);
  }

  void Invoke(TfLiteContext* context) {
    const MinIntegerProblem p = Checked(context);
    // See AddGruKernel.
    if (p.batch != problem_.batch || p.time != problem_.time || p.input != problem_.input ||
        p.units != problem_.units || p.window != problem_.window) {
      throw Error{"its inputs have changed their shape since it was prepared"};
    }
    const int64_t steps = p.batch * p.time;
    MinIntegerTensors tensors = {};
    tensors.inputs = IntegerInputsOf(tensors_, context, kInputs, steps * p.input);
    if (tensors_.OptionalInput(context, kInitialInputs, InputsType(context)) != nullptr) {
      tensors.initial_inputs =
          IntegerInputsOf(tensors_, context, kInitialInputs, p.batch * (p.window - 1) * p.input);
    }
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
  TfLiteType InputsType(TfLiteContext* context) const {
    const bool bytes = tensors_.Input(context, kInputs, kIntegerInputTypes).type == kTfLiteInt8;
    return bytes ? kTfLiteInt8 : kTfLiteInt16;
  }

  MinIntegerProblem Checked(TfLiteContext* context) const {
    const TfLiteTensor& inputs = tensors_.Input(context, kInputs, kIntegerInputTypes);
    const TfLiteTensor& kernel = tensors_.Input(context, kKernel, kTfLiteInt8);
    // The bias is one of the weights, and checked with them.
    const MinSizes sizes =
        CheckedMinSizes({ShapeOf(inputs), ShapeOf(kernel), std::nullopt,
                         tensors_.OptionalShape(context, kInitialState, kTfLiteInt16),
                         tensors_.OptionalShape(context, kMask, kTfLiteBool),
                         tensors_.OptionalShape(context, kInitialInputs, InputsType(context))});
    MinIntegerProblem p = problem_;
    p.batch = sizes.batch;
    p.time = sizes.time;
    p.input = sizes.input;
    p.units = sizes.units;
    p.window = sizes.window;
    Check(p);
    return p;
  }

  // Of problem_, for which they are known to be sound.
  MinIntegerWeights CheckedWeights(TfLiteContext* context) const {
    const MinIntegerProblem& p = problem_;
    const int64_t columns = 2 * p.units;
    MinIntegerWeights weights = {};
    weights.kernel =
        ConstantData<int8_t>(tensors_, context, kKernel, kTfLiteInt8, {p.window, p.input, columns});
    weights.bias = ConstantData<int32_t>(tensors_, context, kBias, kTfLiteInt32, {columns});
    weights.shift = ConstantData<uint8_t>(tensors_, context, kShift, kTfLiteUInt8, {columns});
    weights.multiplier =
        OptionalConstantData<int32_t>(tensors_, context, kMultiplier, kTfLiteInt32, {columns});
    Check(p, weights);
    return weights;
  }

  const DelegateSettings settings_;
  NodeTensors tensors_;
  MinIntegerProblem problem_ = {};  // its sizes are those of the last Prepare
  PreparedMinInteger prepared_;
};

}  // namespace

TfLiteRegistration MinAddGruIntKernel() { return Registration<Kernel>::Make(); }

}  // namespace addrnn
