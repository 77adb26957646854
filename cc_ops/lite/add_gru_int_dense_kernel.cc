#include <algorithm>
#include <cstdint>

#include "cc_ops/core/integer.h"
#include "cc_ops/lite/add_gru_int_kernel.h"
#include "cc_ops/lite/integer_tensors.h"
#include "cc_ops/lite/options_int.h"
#include "cc_ops/lite/registration.h"
#include "cc_ops/lite/settings.h"

namespace addrnn {
namespace {

enum Input { kInputs, kKernel, kBias };
enum Output { kOutputs };

class Kernel {
 public:
  static constexpr const char* kOperator = "AddGruIntDense";
  static constexpr const char* kDelegateName = "AddGruIntDenseDelegate";

  Kernel(TfLiteContext* context, const TfLiteDelegateParams& params)
      : settings_(DelegateSettings::Of(params)) {
    const TfLiteNode& node = ReplacedNode(context, params);
    tensors_ = NodeTensors(node, params, {"inputs", "kernel", "bias"}, {"outputs"});
    ReadOptions(node.custom_initial_data, std::max(node.custom_initial_data_size, 0), &problem_);
  }

  void Prepare(TfLiteContext* context) {
    problem_ = Checked(context);
    const IntegerDenseProblem& p = problem_;
    IntegerDenseWeights weights = {};
    if (!prepared_.Holds(p)) weights = CheckedWeights(context);
    if (tensors_.Input(context, kInputs, kIntegerInputTypes).dims->size == 2) {
      tensors_.ResizeOutput(context, kOutputs, kTfLiteInt32, {p.rows, p.units});
    } else {
      const int* dims = tensors_.Input(context, kInputs, kIntegerInputTypes).dims->data;
      tensors_.ResizeOutput(context, kOutputs, kTfLiteInt32, {dims[0], dims[1], p.units});
    }
    settings_.SetThreads(context);
    prepared_.Prepare(p, weights);
  }

  void Invoke(TfLiteContext* context) {
    const IntegerDenseProblem p = Checked(context);
    // See AddGruKernel.
    if (p.rows != problem_.rows || p.input != problem_.input || p.units != problem_.units) {
      throw Error{"its inputs have changed their shape since it was prepared"};
    }
    IntegerDenseTensors tensors = {};
    tensors.inputs = IntegerInputsOf(tensors_, context, kInputs, p.rows * p.input);
    tensors.outputs =
        tensors_.OutputData<int32_t>(context, kOutputs, kTfLiteInt32, p.rows * p.units);
    settings_.SetThreads(context);
    prepared_.Run(tensors);
  }

 private:
  IntegerDenseProblem Checked(TfLiteContext* context) const {
    const TfLiteTensor& inputs = tensors_.Input(context, kInputs, kIntegerInputTypes);
    const TfLiteTensor& kernel = tensors_.Input(context, kKernel, kTfLiteInt8);
    if (inputs.dims->size != 2)
      CheckRank("inputs", ShapeOf(inputs), 3, "[..., input], of rank 2 or 3");
    CheckRank("kernel", ShapeOf(kernel), 2, "[input, units]");
    IntegerDenseProblem p = problem_;
    const int last = inputs.dims->size - 1;
    p.rows = 1;
    // Each factor is below 2^31, and there are two at most.
    for (int i = 0; i < last; ++i) p.rows *= std::max(inputs.dims->data[i], 0);
    p.input = inputs.dims->data[last];
    p.units = kernel.dims->data[1];
    Check(p);
    return p;
  }

  IntegerDenseWeights CheckedWeights(TfLiteContext* context) const {
    const IntegerDenseProblem& p = problem_;
    const IntegerDenseWeights weights = {
        ConstantData<int8_t>(tensors_, context, kKernel, kTfLiteInt8, {p.input, p.units}),
        ConstantData<int32_t>(tensors_, context, kBias, kTfLiteInt32, {p.units})};
    Check(p, weights);
    return weights;
  }

  const DelegateSettings settings_;
  NodeTensors tensors_;
  IntegerDenseProblem problem_ = {};  // its rows are those of the last Prepare
  PreparedIntegerDense prepared_;
};

}  // namespace

TfLiteRegistration AddGruIntDenseKernel() { return Registration<Kernel>::Make(); }

}  // namespace addrnn
