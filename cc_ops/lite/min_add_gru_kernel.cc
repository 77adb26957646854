#include "cc_ops/lite/min_add_gru_kernel.h"

#include <algorithm>
#include <cstdint>

#include "cc_ops/core/min_add_gru.h"
#include "cc_ops/core/shapes.h"
#include "cc_ops/lite/flush_subnormals.h"
#include "cc_ops/lite/options.h"
#include "cc_ops/lite/registration.h"
#include "cc_ops/lite/settings.h"
#include "cc_ops/lite/tensors.h"
#include "cc_ops/lite/weights.h"

namespace addrnn {
namespace {

enum Input { kInputs, kKernel, kBias, kInitialState, kMask, kInitialInputs };
enum Output { kOutputs, kFinalState };

class Kernel {
 public:
  static constexpr const char* kOperator = "MinAddGru";
  static constexpr const char* kDelegateName = "MinAddGruDelegate";

  Kernel(TfLiteContext* context, const TfLiteDelegateParams& params)
      : settings_(DelegateSettings::Of(params)) {
    const TfLiteNode& node = ReplacedNode(context, params);
    tensors_ = NodeTensors(node, params,
                           {"inputs", "kernel", "bias", "initial_state", "mask", "initial_inputs"},
                           {"outputs", "final_state"});
    ReadOptions(node.custom_initial_data, std::max(node.custom_initial_data_size, 0), &problem_);
  }

  void Prepare(TfLiteContext* context) {
    problem_ = Checked(context);
    const MinProblem& p = problem_;
    const TfLiteTensor* bias = tensors_.OptionalInput(context, kBias, kTfLiteFloat32);
    constant_ = IsConstant(KernelTensor(context)) && (bias == nullptr || IsConstant(*bias));
    tensors_.ResizeOutput(context, kOutputs, kTfLiteFloat32, {p.batch, p.time, p.units});
    tensors_.ResizeOutput(context, kFinalState, kTfLiteFloat32, {p.batch, p.units});
    // Weights that the model computes are not there yet.
    if (!constant_) return;
    settings_.SetThreads(context);
    forward_.Prepare(p, forward_.Holds(p) ? MinWeights<float>{} : WeightsOf(context));
    kernel_.Forget();
  }

  void Invoke(TfLiteContext* context) {
    const MinProblem p = Checked(context);
    // See AddGruKernel.
    if (p.batch != problem_.batch || p.time != problem_.time || p.input != problem_.input ||
        p.units != problem_.units || p.window != problem_.window) {
      throw Error{"its inputs have changed their shape since it was prepared"};
    }
    const auto output = [&](Output i, int64_t n) {
      return tensors_.OutputData<float>(context, i, kTfLiteFloat32, n);
    };
    const int64_t steps = p.batch * p.time;
    MinForwardTensors<float> tensors = {};
    tensors.inputs = tensors_.InputData<float>(context, kInputs, kTfLiteFloat32, steps * p.input);
    tensors.initial_state = tensors_.OptionalInputData<float>(context, kInitialState,
                                                              kTfLiteFloat32, p.batch * p.units);
    tensors.mask = tensors_.OptionalInputData<uint8_t>(context, kMask, kTfLiteBool, steps);
    tensors.initial_inputs = tensors_.OptionalInputData<float>(
        context, kInitialInputs, kTfLiteFloat32, p.batch * (p.window - 1) * p.input);
    tensors.outputs = output(kOutputs, steps * p.units);
    tensors.final_state = output(kFinalState, p.batch * p.units);
    settings_.SetThreads(context);
    const FlushSubnormals flush;
    if (constant_) {
      forward_.Run(tensors);
    } else {
      MinAddGruForward(p, WeightsOf(context), tensors);
    }
  }

 private:
  const TfLiteTensor& KernelTensor(TfLiteContext* context) const {
    return tensors_.Input(context, kKernel, WeightMatrix::kTypes);
  }

  MinWeights<float> WeightsOf(TfLiteContext* context) {
    return {kernel_.Values(KernelTensor(context), "kernel"),
            tensors_.OptionalInputData<float>(context, kBias, kTfLiteFloat32, 2 * problem_.units)};
  }

  MinProblem Checked(TfLiteContext* context) const {
    const TfLiteTensor& inputs = tensors_.Input(context, kInputs, kTfLiteFloat32);
    const TfLiteTensor& kernel = KernelTensor(context);
    const auto optional = [&](Input i, TfLiteType type) {
      return tensors_.OptionalShape(context, i, type);
    };
    MinProblem p = problem_;
    static_cast<MinSizes&>(p) =
        CheckedMinSizes({ShapeOf(inputs), ShapeOf(kernel), optional(kBias, kTfLiteFloat32),
                         optional(kInitialState, kTfLiteFloat32), optional(kMask, kTfLiteBool),
                         optional(kInitialInputs, kTfLiteFloat32)});
    CheckWeights(kernel, "kernel");
    return p;
  }

  const DelegateSettings settings_;
  NodeTensors tensors_;
  MinProblem problem_ = {};  // its sizes are those of the last Prepare
  bool constant_ = false;    // the weights
  PreparedMinForward<float> forward_;
  WeightMatrix kernel_;
};

}  // namespace

TfLiteRegistration MinAddGruKernel() { return Registration<Kernel>::Make(); }

}  // namespace addrnn
