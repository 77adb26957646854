#include "cc_ops/lite/tensors.h"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>

namespace addrnn {
namespace {

bool Empty(const TfLiteTensor& tensor) {
  const TfLiteIntArray& dims = *tensor.dims;
  return std::find(dims.data, dims.data + dims.size, 0) != dims.data + dims.size;
}

struct TypeFacts {
  int32_t type;
  const char* name;
  size_t bytes;
};
constexpr TypeFacts kTypes[] = {{kTfLiteFloat32, "float32", 4}, {kTfLiteFloat16, "float16", 2},
                                {kTfLiteInt32, "int32", 4},     {kTfLiteInt16, "int16", 2},
                                {kTfLiteInt8, "int8", 1},       {kTfLiteUInt8, "uint8", 1},
                                {kTfLiteBool, "bool", 1}};

std::string TypeText(int32_t type) {
  for (const TypeFacts& known : kTypes) {
    if (known.type == type) return known.name;
  }
  return "type " + std::to_string(type);
}

size_t BytesOf(TfLiteType type) {
  for (const TypeFacts& known : kTypes) {
    if (known.type == type) return known.bytes;
  }
  return 16;  // as many as the widest has
}

std::vector<int> Indices(const TfLiteIntArray& from, size_t n, const char* what) {
  if (from.size < 0 || static_cast<size_t>(from.size) != n) {
    throw Error{"it must have " + std::to_string(n) + " " + what + ", received " +
                std::to_string(from.size)};
  }
  return {from.data, from.data + n};
}

TfLiteTensor& Tensor(TfLiteContext* context, int index, const char* name,
                     std::initializer_list<TfLiteType> types) {
  if (index < 0 || static_cast<size_t>(index) >= context->tensors_size) {
    throw Error{std::string(name) + " is missing"};
  }
  TfLiteTensor& tensor = context->tensors[index];
  if (std::find(types.begin(), types.end(), tensor.type) == types.end()) {
    std::string expected;
    for (TfLiteType type : types) expected += (expected.empty() ? "" : " or ") + TypeText(type);
    throw Error{std::string(name) + " must be of type " + expected + ", received " +
                TypeText(tensor.type)};
  }
  if (tensor.dims == nullptr || tensor.sparsity != nullptr) {
    throw Error{std::string(name) + " must be dense and of known shape"};
  }
  return tensor;
}

}  // namespace

void CheckData(const TfLiteTensor& tensor, const char* name, int64_t n, size_t element) {
  if (tensor.data == nullptr) throw Error{std::string(name) + " has no data"};
  if (tensor.bytes / element < static_cast<size_t>(n)) {
    throw Error{std::string(name) + " has fewer elements than its shape says"};
  }
  if (reinterpret_cast<uintptr_t>(tensor.data) % element != 0) {
    throw Error{std::string(name) + " is not aligned"};
  }
}

const TfLiteNode& ReplacedNode(TfLiteContext* context, const TfLiteDelegateParams& params) {
  TfLiteNode* node = nullptr;
  TfLiteRegistration* registration = nullptr;
  if (context->GetNodeAndRegistration(context, params.nodes_to_replace->data[0], &node,
                                      &registration) != kTfLiteOk) {
    throw Error{"the interpreter does not give the operator away"};
  }
  return *node;
}

NodeTensors::NodeTensors(const TfLiteNode& node, const TfLiteDelegateParams& params, Names inputs,
                         Names outputs)
    : input_names_(std::move(inputs)),
      output_names_(std::move(outputs)),
      inputs_(Indices(*node.inputs, input_names_.size(), "inputs")),
      outputs_(Indices(*node.outputs, output_names_.size(), "outputs")),
      unread_(outputs_.size()) {
  const TfLiteIntArray& read = *params.output_tensors;
  const int* end = read.data + read.size;
  for (int index : outputs_) is_read_.push_back(std::find(read.data, end, index) != end);
}

const TfLiteTensor& NodeTensors::Input(TfLiteContext* context, int place,
                                       std::initializer_list<TfLiteType> types) const {
  return Tensor(context, inputs_[place], input_names_[place], types);
}

const TfLiteTensor* NodeTensors::OptionalInput(TfLiteContext* context, int place,
                                               TfLiteType type) const {
  if (inputs_[place] == kTfLiteOptionalTensor) return nullptr;
  const TfLiteTensor& tensor = Input(context, place, type);
  return Empty(tensor) ? nullptr : &tensor;
}

std::optional<Shape> NodeTensors::OptionalShape(TfLiteContext* context, int place,
                                                TfLiteType type) const {
  const TfLiteTensor* tensor = OptionalInput(context, place, type);
  if (tensor == nullptr) return std::nullopt;
  return ShapeOf(*tensor);
}

TfLiteTensor& NodeTensors::Output(TfLiteContext* context, int place, TfLiteType type) const {
  const int index = outputs_[place];
  TfLiteTensor& tensor = Tensor(context, index, output_names_[place], {type});
  const bool writable =
      tensor.allocation_type != kTfLiteMmapRo && tensor.allocation_type != kTfLitePersistentRo;
  const bool alone = std::count(inputs_.begin(), inputs_.end(), index) == 0 &&
                     std::count(outputs_.begin(), outputs_.end(), index) == 1;
  if (!writable || !alone) {
    throw Error{std::string(output_names_[place]) + " must be a tensor of its own, not a constant"};
  }
  return tensor;
}

void NodeTensors::ResizeOutput(TfLiteContext* context, int place, TfLiteType type,
                               const Shape& shape) {
  if (!is_read_[place]) {
    size_t bytes = BytesOf(type);
    for (int64_t size : shape) bytes *= size;
    unread_[place].resize(bytes);
    return;
  }
  TfLiteTensor& tensor = Output(context, place, type);
  auto* owned = static_cast<TfLiteIntArray*>(
      std::malloc(sizeof(TfLiteIntArray) + shape.size() * sizeof(int)));
  if (owned == nullptr) throw std::bad_alloc();
  owned->size = static_cast<int>(shape.size());
  std::copy(shape.begin(), shape.end(), owned->data);
  if (context->ResizeTensor(context, &tensor, owned) != kTfLiteOk) {
    throw Error{std::string("the interpreter has no memory for ") + output_names_[place]};
  }
}

}  // namespace addrnn
