#include "cc_ops/lite/add_gru_kernel.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "cc_ops/core/add_gru.h"
#include "cc_ops/core/thread_pool.h"
#include "cc_ops/lite/flush_subnormals.h"
#include "cc_ops/lite/options.h"
#include "cc_ops/lite/registration.h"
#include "cc_ops/lite/tensors.h"

namespace addrnn {
namespace {

enum Input { kInputs, kKernel, kRecurrentKernel, kBias, kInitialState, kMask };
enum Output { kOutputs, kFinalState };

class Kernel {
 public:
  static constexpr const char* kOperator = "AddGru";
  static constexpr const char* kDelegateName = "AddGruDelegate";

  Kernel(TfLiteContext* context, const TfLiteDelegateParams& params)
      : settings_(*static_cast<const DelegateSettings*>(params.delegate->data)) {
    const TfLiteNode& node = ReplacedNode(context, params);
    tensors_ = NodeTensors(
        node, params, {"inputs", "kernel", "recurrent_kernel", "bias", "initial_state", "mask"},
        {"outputs", "final_state"});
    const char* wrong = ReadOptions(node.custom_initial_data,
                                    std::max(node.custom_initial_data_size, 0), &problem_);
    if (wrong != nullptr) throw Error{wrong};
  }

  void Prepare(TfLiteContext* context) {
    problem_ = Checked(context);
    const Problem& p = problem_;
    tensors_.ResizeOutput(context, kOutputs, kTfLiteFloat32, {p.batch, p.time, p.units});
    tensors_.ResizeOutput(context, kFinalState, kTfLiteFloat32, {p.batch, p.units});
  }

  void Invoke(TfLiteContext* context) {
    const Problem p = Checked(context);
    // An interpreter prepares anew what has got another shape; if one did not, its own memory would
    // be of the wrong size.
    if (p.batch != problem_.batch || p.time != problem_.time || p.units != problem_.units) {
      throw Error{"its inputs have changed their shape since it was prepared"};
    }
    const auto input = [&](Input i, int64_t n) {
      return tensors_.InputData<float>(context, i, kTfLiteFloat32, n);
    };
    const auto optional = [&](Input i, int64_t n) {
      return tensors_.OptionalInputData<float>(context, i, kTfLiteFloat32, n);
    };
    const auto output = [&](Output i, int64_t n) {
      return tensors_.OutputData<float>(context, i, kTfLiteFloat32, n);
    };
    const int64_t steps = p.batch * p.time;
    ForwardTensors<float> tensors = {};
    tensors.inputs = input(kInputs, steps * p.input);
    tensors.kernel = input(kKernel, p.input * 2 * p.units);
    tensors.recurrent_kernel = input(kRecurrentKernel, p.units * 2 * p.units);
    tensors.bias = optional(kBias, 2 * p.units);
    tensors.initial_state = optional(kInitialState, p.batch * p.units);
    tensors.mask = tensors_.OptionalInputData<uint8_t>(context, kMask, kTfLiteBool, steps);
    tensors.outputs = output(kOutputs, steps * p.units);
    tensors.final_state = output(kFinalState, p.batch * p.units);
    // The number is the library's, not the interpreter's: where two run at once, one may compute
    // with the other's. The results are the same with any.
    SetNumThreads(settings_.num_threads > 0 ? settings_.num_threads
                                            : std::max(context->recommended_num_threads, 1));
    const FlushSubnormals flush;
    AddGruForward(p, tensors);
  }

 private:
  Problem Checked(TfLiteContext* context) const {
    const TfLiteTensor& inputs = tensors_.Input(context, kInputs, kTfLiteFloat32);
    const TfLiteTensor& kernel = tensors_.Input(context, kKernel, kTfLiteFloat32);
    const TfLiteTensor& recurrent_kernel =
        tensors_.Input(context, kRecurrentKernel, kTfLiteFloat32);
    CheckRank(inputs, "inputs", 3, "[batch, time, input]");
    CheckRank(recurrent_kernel, "recurrent_kernel", 2, "[units, 2 * units]");
    Problem p = problem_;
    p.batch = inputs.dims->data[0];
    p.time = inputs.dims->data[1];
    p.input = inputs.dims->data[2];
    p.units = recurrent_kernel.dims->data[0];
    const std::string invalid = Invalid(p);
    if (!invalid.empty()) throw Error{invalid};
    CheckDims(recurrent_kernel, "recurrent_kernel", {p.units, 2 * p.units});
    CheckDims(kernel, "kernel", {p.input, 2 * p.units});
    const auto check_optional = [&](Input i, TfLiteType type, const char* name, const Dims& dims) {
      const TfLiteTensor* tensor = tensors_.OptionalInput(context, i, type);
      if (tensor != nullptr) CheckDims(*tensor, name, dims);
    };
    check_optional(kBias, kTfLiteFloat32, "bias", {2 * p.units});
    check_optional(kInitialState, kTfLiteFloat32, "initial_state", {p.batch, p.units});
    check_optional(kMask, kTfLiteBool, "mask", {p.batch, p.time});
    return p;
  }

  const DelegateSettings settings_;
  NodeTensors tensors_;
  Problem problem_ = {};  // its sizes are those of the last Prepare
};

}  // namespace

TfLiteRegistration AddGruKernel() { return Registration<Kernel>::Make(); }

}  // namespace addrnn
