#ifndef KERAS_ADDRNN_CC_OPS_LITE_TENSORS_H_
#define KERAS_ADDRNN_CC_OPS_LITE_TENSORS_H_

// The tensors of an operator in LiteRT. Files come from anywhere, so nothing is taken for granted:
// what is not as it should be is thrown as an Error, before any memory is touched.

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "cc_ops/core/error.h"
#include "cc_ops/core/shapes.h"
#include "cc_ops/lite/litert_c_api.h"

namespace addrnn {

// Whether the tensor is part of the file, and so the same in every call.
inline bool IsConstant(const TfLiteTensor& tensor) {
  return tensor.allocation_type == kTfLiteMmapRo;
}

inline Shape ShapeOf(const TfLiteTensor& tensor) {
  return {tensor.dims->data, tensor.dims->data + tensor.dims->size};
}

// Throws unless the tensor has memory for so many elements of such a size, aligned to it.
void CheckData(const TfLiteTensor& tensor, const char* name, int64_t n, size_t element);

// The memory of n elements; null where n is 0.
template <typename S>
S* Data(const TfLiteTensor& tensor, const char* name, int64_t n) {
  if (n == 0) return nullptr;
  CheckData(tensor, name, n, sizeof(S));
  return static_cast<S*>(tensor.data);
}

// The node that a delegate's kernel replaces. The interpreter can be asked for it only in the
// kernel's `init`.
const TfLiteNode& ReplacedNode(TfLiteContext* context, const TfLiteDelegateParams& params);

// The tensors of a node, by their places in its lists of inputs and outputs. Each function checks
// the index, the type and that the tensor is dense, each time: an interpreter may move its tensors.
class NodeTensors {
 public:
  using Names = std::vector<const char*>;

  NodeTensors() = default;
  // As many as there are names.
  NodeTensors(const TfLiteNode& node, const TfLiteDelegateParams& params, Names inputs,
              Names outputs);

  const char* input_name(int place) const { return input_names_[place]; }

  const TfLiteTensor& Input(TfLiteContext* context, int place, TfLiteType type) const {
    return Input(context, place, {type});
  }
  // Of one of several types.
  const TfLiteTensor& Input(TfLiteContext* context, int place,
                            std::initializer_list<TfLiteType> types) const;
  // Null, or no shape, where an optional input is not there, or empty.
  const TfLiteTensor* OptionalInput(TfLiteContext* context, int place, TfLiteType type) const;
  std::optional<Shape> OptionalShape(TfLiteContext* context, int place, TfLiteType type) const;

  // n elements of an input; null where an optional one is not there.
  template <typename S>
  const S* InputData(TfLiteContext* context, int place, TfLiteType type, int64_t n) const {
    return Data<S>(Input(context, place, type), input_names_[place], n);
  }
  template <typename S>
  const S* OptionalInputData(TfLiteContext* context, int place, TfLiteType type, int64_t n) const {
    const TfLiteTensor* tensor = OptionalInput(context, place, type);
    return tensor == nullptr ? nullptr : Data<S>(*tensor, input_names_[place], n);
  }

  // An output that nobody reads has no memory in the interpreter; then there is memory here. The
  // product of its sizes must be known not to overflow.
  void ResizeOutput(TfLiteContext* context, int place, TfLiteType type, const Shape& shape);
  template <typename S>
  S* OutputData(TfLiteContext* context, int place, TfLiteType type, int64_t n) {
    if (!is_read_[place]) return reinterpret_cast<S*>(unread_[place].data());
    return Data<S>(Output(context, place, type), output_names_[place], n);
  }

 private:
  TfLiteTensor& Output(TfLiteContext* context, int place, TfLiteType type) const;

  Names input_names_, output_names_;
  std::vector<int> inputs_, outputs_;  // indices of the interpreter's tensors
  std::vector<bool> is_read_;          // of the outputs
  std::vector<std::vector<char>> unread_;
};

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_LITE_TENSORS_H_
