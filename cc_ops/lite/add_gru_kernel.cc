#include "cc_ops/lite/add_gru_kernel.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <initializer_list>
#include <new>
#include <string>
#include <vector>

#include "cc_ops/core/add_gru.h"
#include "cc_ops/core/thread_pool.h"
#include "cc_ops/lite/flush_subnormals.h"
#include "cc_ops/lite/options.h"

namespace addrnn {
namespace {

struct Error {
  std::string message;
};

enum Input { kInputs, kKernel, kRecurrentKernel, kBias, kInitialState, kMask, kNumInputs };
constexpr const char* kInputNames[] = {"inputs", "kernel",        "recurrent_kernel",
                                       "bias",   "initial_state", "mask"};
enum Output { kOutputs, kFinalState, kNumOutputs };
constexpr const char* kOutputNames[] = {"outputs", "final_state"};

using Dims = std::initializer_list<int64_t>;

template <typename Iterator>
std::string ShapeText(Iterator begin, Iterator end) {
  std::string text = "[";
  for (Iterator i = begin; i != end; ++i) text += (i == begin ? "" : ", ") + std::to_string(*i);
  return text + "]";
}

std::string ShapeText(const TfLiteTensor& tensor) {
  return ShapeText(tensor.dims->data, tensor.dims->data + tensor.dims->size);
}

[[noreturn]] void WrongShape(const TfLiteTensor& tensor, const char* name,
                             const std::string& expected) {
  throw Error{std::string(name) + " must be of shape " + expected + ", received " +
              ShapeText(tensor)};
}

void CheckRank(const TfLiteTensor& tensor, const char* name, int rank, const char* expected) {
  if (tensor.dims->size != rank) WrongShape(tensor, name, expected);
}

void CheckDims(const TfLiteTensor& tensor, const char* name, const Dims& expected) {
  const TfLiteIntArray& dims = *tensor.dims;
  if (!std::equal(dims.data, dims.data + dims.size, expected.begin(), expected.end())) {
    WrongShape(tensor, name, ShapeText(expected.begin(), expected.end()));
  }
}

bool Empty(const TfLiteTensor& tensor) {
  const TfLiteIntArray& dims = *tensor.dims;
  return std::find(dims.data, dims.data + dims.size, 0) != dims.data + dims.size;
}

// The memory of n elements; it is the interpreter's, but what a file makes of it is checked.
template <typename S>
S* Data(const TfLiteTensor& tensor, const char* name, int64_t n) {
  if (n == 0) return nullptr;
  if (tensor.data == nullptr) throw Error{std::string(name) + " has no data"};
  if (tensor.bytes / sizeof(S) < static_cast<size_t>(n)) {
    throw Error{std::string(name) + " has fewer elements than its shape says"};
  }
  if (reinterpret_cast<uintptr_t>(tensor.data) % alignof(S) != 0) {
    throw Error{std::string(name) + " is not aligned"};
  }
  return static_cast<S*>(tensor.data);
}

class Kernel {
 public:
  // Only here can the interpreter be asked for the node that this kernel replaces.
  Kernel(TfLiteContext* context, const TfLiteDelegateParams& params)
      : settings_(*static_cast<const DelegateSettings*>(params.delegate->data)) {
    try {
      TfLiteNode* node = nullptr;
      TfLiteRegistration* registration = nullptr;
      if (context->GetNodeAndRegistration(context, params.nodes_to_replace->data[0], &node,
                                          &registration) != kTfLiteOk) {
        throw Error{"the interpreter does not give the operator away"};
      }
      ReadIndices(*node->inputs, inputs_, kNumInputs, "inputs");
      ReadIndices(*node->outputs, outputs_, kNumOutputs, "outputs");
      const TfLiteIntArray& read = *params.output_tensors;
      for (int i = 0; i < kNumOutputs; ++i) {
        const int* end = read.data + read.size;
        is_read_[i] = std::find(read.data, end, outputs_[i]) != end;
      }
      const char* wrong = ReadOptions(node->custom_initial_data,
                                      std::max(node->custom_initial_data_size, 0), &problem_);
      if (wrong != nullptr) throw Error{wrong};
    } catch (const Error& error) {
      wrong_ = error.message;
    }
  }

  // Checks the shapes, and brings the outputs to theirs.
  void Prepare(TfLiteContext* context) {
    if (!wrong_.empty()) throw Error{wrong_};
    problem_ = Checked(context);
    const Problem& p = problem_;
    const int batch = int(p.batch), time = int(p.time), units = int(p.units);
    Resize(context, kOutputs, {batch, time, units});
    Resize(context, kFinalState, {batch, units});
  }

  void Invoke(TfLiteContext* context) {
    if (!wrong_.empty()) throw Error{wrong_};
    const Problem p = Checked(context);
    // An interpreter prepares anew what has got another shape; if one did not, its own memory would
    // be of the wrong size.
    if (p.batch != problem_.batch || p.time != problem_.time || p.units != problem_.units) {
      throw Error{"its inputs have changed their shape since it was prepared"};
    }
    const int64_t steps = p.batch * p.time;
    ForwardTensors<float> tensors = {};
    tensors.inputs = In<float>(context, kInputs, steps * p.input);
    tensors.kernel = In<float>(context, kKernel, p.input * 2 * p.units);
    tensors.recurrent_kernel = In<float>(context, kRecurrentKernel, p.units * 2 * p.units);
    tensors.bias = In<float>(context, kBias, 2 * p.units);
    tensors.initial_state = In<float>(context, kInitialState, p.batch * p.units);
    tensors.mask = In<uint8_t>(context, kMask, steps);
    tensors.outputs = Out(context, kOutputs, steps * p.units);
    tensors.final_state = Out(context, kFinalState, p.batch * p.units);
    // The number is the library's, not the interpreter's: where two run at once, one may compute
    // with the other's. The results are the same with any.
    SetNumThreads(settings_.num_threads > 0 ? settings_.num_threads
                                            : std::max(context->recommended_num_threads, 1));
    const FlushSubnormals flush;
    AddGruForward(p, tensors);
  }

 private:
  static void ReadIndices(const TfLiteIntArray& from, int* to, int n, const char* what) {
    if (from.size != n) {
      throw Error{"it must have " + std::to_string(n) + " " + what + ", received " +
                  std::to_string(from.size)};
    }
    std::copy_n(from.data, n, to);
  }

  static TfLiteTensor& Tensor(TfLiteContext* context, int index, const char* name, int type) {
    if (index < 0 || static_cast<size_t>(index) >= context->tensors_size) {
      throw Error{std::string(name) + " is missing"};
    }
    TfLiteTensor& tensor = context->tensors[index];
    if (tensor.type != type) {
      throw Error{std::string(name) + " must be of type " +
                  (type == kTfLiteBool ? "bool" : "float32") + ", received type " +
                  std::to_string(tensor.type)};
    }
    if (tensor.dims == nullptr || tensor.sparsity != nullptr) {
      throw Error{std::string(name) + " must be dense and of known shape"};
    }
    return tensor;
  }

  const TfLiteTensor& InTensor(TfLiteContext* context, Input i) const {
    return Tensor(context, inputs_[i], kInputNames[i], i == kMask ? kTfLiteBool : kTfLiteFloat32);
  }

  // Null where an optional input is not there.
  const TfLiteTensor* Optional(TfLiteContext* context, Input i) const {
    if (inputs_[i] == kTfLiteOptionalTensor) return nullptr;
    const TfLiteTensor& tensor = InTensor(context, i);
    return Empty(tensor) ? nullptr : &tensor;
  }

  template <typename S>
  const S* In(TfLiteContext* context, Input i, int64_t n) const {
    const TfLiteTensor* tensor = i < kBias ? &InTensor(context, i) : Optional(context, i);
    return tensor == nullptr ? nullptr : Data<S>(*tensor, kInputNames[i], n);
  }

  TfLiteTensor& OutTensor(TfLiteContext* context, Output i) const {
    TfLiteTensor& tensor = Tensor(context, outputs_[i], kOutputNames[i], kTfLiteFloat32);
    const bool writable =
        tensor.allocation_type != kTfLiteMmapRo && tensor.allocation_type != kTfLitePersistentRo;
    const bool alone = std::count(inputs_, inputs_ + kNumInputs, outputs_[i]) == 0 &&
                       std::count(outputs_, outputs_ + kNumOutputs, outputs_[i]) == 1;
    if (!writable || !alone) {
      throw Error{std::string(kOutputNames[i]) + " must be a tensor of its own, not a constant"};
    }
    return tensor;
  }

  float* Out(TfLiteContext* context, Output i, int64_t n) {
    if (!is_read_[i]) return unread_[i].data();
    return Data<float>(OutTensor(context, i), kOutputNames[i], n);
  }

  // An output that nobody reads has no memory in the interpreter.
  void Resize(TfLiteContext* context, Output i, std::initializer_list<int> dims) {
    if (is_read_[i]) {
      TfLiteTensor& tensor = OutTensor(context, i);
      auto* owned = static_cast<TfLiteIntArray*>(
          std::malloc(sizeof(TfLiteIntArray) + dims.size() * sizeof(int)));
      if (owned == nullptr) throw std::bad_alloc();
      owned->size = static_cast<int>(dims.size());
      std::copy(dims.begin(), dims.end(), owned->data);
      if (context->ResizeTensor(context, &tensor, owned) != kTfLiteOk) {
        throw Error{std::string("the interpreter has no memory for ") + kOutputNames[i]};
      }
      return;
    }
    size_t size = 1;
    for (int dim : dims) size *= dim;  // Invalid() has bounded the product
    unread_[i].resize(size);
  }

  Problem Checked(TfLiteContext* context) const {
    const TfLiteTensor& inputs = InTensor(context, kInputs);
    const TfLiteTensor& kernel = InTensor(context, kKernel);
    const TfLiteTensor& recurrent_kernel = InTensor(context, kRecurrentKernel);
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
    if (const auto* bias = Optional(context, kBias)) CheckDims(*bias, "bias", {2 * p.units});
    if (const auto* state = Optional(context, kInitialState)) {
      CheckDims(*state, "initial_state", {p.batch, p.units});
    }
    if (const auto* mask = Optional(context, kMask)) CheckDims(*mask, "mask", {p.batch, p.time});
    return p;
  }

  const DelegateSettings settings_;
  int inputs_[kNumInputs] = {};
  int outputs_[kNumOutputs] = {};
  bool is_read_[kNumOutputs] = {};
  std::vector<float> unread_[kNumOutputs];
  Problem problem_ = {};  // its sizes are those of the last Prepare
  std::string wrong_;     // with the operator, whatever its tensors are
};

void* Init(TfLiteContext* context, const char* buffer, size_t) {
  try {
    return new Kernel(context, *reinterpret_cast<const TfLiteDelegateParams*>(buffer));
  } catch (const std::exception&) {
    return nullptr;  // an error in Prepare
  }
}

void Free(TfLiteContext*, void* kernel) { delete static_cast<Kernel*>(kernel); }

template <void (Kernel::*method)(TfLiteContext*)>
TfLiteStatus Run(TfLiteContext* context, TfLiteNode* node) {
  auto* kernel = static_cast<Kernel*>(node->user_data);
  try {
    if (kernel == nullptr) throw Error{"out of memory"};
    (kernel->*method)(context);
    return kTfLiteOk;
  } catch (const Error& error) {
    context->ReportError(context, "AddGru: %s", error.message.c_str());
  } catch (const std::exception& error) {
    context->ReportError(context, "AddGru: %s", error.what());
  }
  return kTfLiteError;
}

}  // namespace

TfLiteRegistration AddGruKernel() {
  TfLiteRegistration registration = {};
  registration.init = &Init;
  registration.free = &Free;
  registration.prepare = &Run<&Kernel::Prepare>;
  registration.invoke = &Run<&Kernel::Invoke>;
  registration.builtin_code = kTfLiteBuiltinDelegate;
  registration.custom_name = "AddGruDelegate";
  registration.version = 1;
  return registration;
}

}  // namespace addrnn
