#include "cc_ops/lite/add_gru_kernel.h"

#include <algorithm>
#include <cstdint>

#include "cc_ops/core/add_gru.h"
#include "cc_ops/core/prepared_forward.h"
#include "cc_ops/lite/flush_subnormals.h"
#include "cc_ops/lite/options.h"
#include "cc_ops/lite/registration.h"
#include "cc_ops/lite/settings.h"
#include "cc_ops/lite/tensors.h"
#include "cc_ops/lite/weights.h"

namespace addrnn {
namespace {

enum Input { kInputs, kKernel, kRecurrentKernel, kBias, kInitialState, kMask };
enum Output { kOutputs, kFinalState };

class Kernel {
 public:
  static constexpr const char* kOperator = "AddGru";
  static constexpr const char* kDelegateName = "AddGruDelegate";

  Kernel(TfLiteContext* context, const TfLiteDelegateParams& params)
      : settings_(DelegateSettings::Of(params)) {
    const TfLiteNode& node = ReplacedNode(context, params);
    tensors_ = NodeTensors(
        node, params, {"inputs", "kernel", "recurrent_kernel", "bias", "initial_state", "mask"},
        {"outputs", "final_state"});
    ReadOptions(node.custom_initial_data, std::max(node.custom_initial_data_size, 0), &problem_);
  }

  void Prepare(TfLiteContext* context) {
    problem_ = Checked(context);
    const Problem& p = problem_;
    const TfLiteTensor* bias = tensors_.OptionalInput(context, kBias, kTfLiteFloat32);
    constant_ = IsConstant(Matrix(context, kKernel)) &&
                IsConstant(Matrix(context, kRecurrentKernel)) &&
                (bias == nullptr || IsConstant(*bias));
    tensors_.ResizeOutput(context, kOutputs, kTfLiteFloat32, {p.batch, p.time, p.units});
    tensors_.ResizeOutput(context, kFinalState, kTfLiteFloat32, {p.batch, p.units});
    // Weights that the model computes are not there yet.
    if (!constant_) return;
    settings_.SetThreads(context);
    forward_.Prepare(p, forward_.Holds(p) ? Weights<float>{} : WeightsOf(context));
    if (forward_.reads_weights()) return;
    kernel_.Forget();
    recurrent_kernel_.Forget();
  }

  void Invoke(TfLiteContext* context) {
    const Problem p = Checked(context);
    // An interpreter prepares anew what has got another shape; if one did not, its own memory would
    // be of the wrong size.
    if (p.batch != problem_.batch || p.time != problem_.time || p.units != problem_.units) {
      throw Error{"its inputs have changed their shape since it was prepared"};
    }
    const auto output = [&](Output i, int64_t n) {
      return tensors_.OutputData<float>(context, i, kTfLiteFloat32, n);
    };
    const int64_t steps = p.batch * p.time;
    ForwardTensors<float> tensors = {};
    tensors.inputs = tensors_.InputData<float>(context, kInputs, kTfLiteFloat32, steps * p.input);
    tensors.initial_state = tensors_.OptionalInputData<float>(context, kInitialState,
                                                              kTfLiteFloat32, p.batch * p.units);
    tensors.mask = tensors_.OptionalInputData<uint8_t>(context, kMask, kTfLiteBool, steps);
    tensors.outputs = output(kOutputs, steps * p.units);
    tensors.final_state = output(kFinalState, p.batch * p.units);
    settings_.SetThreads(context);
    const FlushSubnormals flush;
    if (constant_) {
      forward_.Run(tensors);
    } else {
      AddGruForward(p, WeightsOf(context), tensors);
    }
  }

 private:
  const TfLiteTensor& Matrix(TfLiteContext* context, Input i) const {
    return tensors_.Input(context, i, WeightMatrix::kTypes);
  }

  Weights<float> WeightsOf(TfLiteContext* context) {
    return {kernel_.Values(Matrix(context, kKernel), "kernel"),
            recurrent_kernel_.Values(Matrix(context, kRecurrentKernel), "recurrent_kernel"),
            tensors_.OptionalInputData<float>(context, kBias, kTfLiteFloat32, 2 * problem_.units)};
  }

  Problem Checked(TfLiteContext* context) const {
    const TfLiteTensor& inputs = tensors_.Input(context, kInputs, kTfLiteFloat32);
    const TfLiteTensor& kernel = Matrix(context, kKernel);
    const TfLiteTensor& recurrent_kernel = Matrix(context, kRecurrentKernel);
    const auto optional = [&](Input i, TfLiteType type) {
      return tensors_.OptionalShape(context, i, type);
    };
    Problem p = problem_;
    static_cast<Sizes&>(p) =
        CheckedSizes({ShapeOf(inputs), ShapeOf(kernel), ShapeOf(recurrent_kernel),
                      optional(kBias, kTfLiteFloat32), optional(kInitialState, kTfLiteFloat32),
                      optional(kMask, kTfLiteBool)});
    Check(p);
    CheckWeights(kernel, "kernel");
    CheckWeights(recurrent_kernel, "recurrent_kernel");
    return p;
  }

  const DelegateSettings settings_;
  NodeTensors tensors_;
  Problem problem_ = {};   // its sizes are those of the last Prepare
  bool constant_ = false;  // the weights
  PreparedForward<float> forward_;
  WeightMatrix kernel_, recurrent_kernel_;
};

}  // namespace

TfLiteRegistration AddGruKernel() { return Registration<Kernel>::Make(); }

}  // namespace addrnn
