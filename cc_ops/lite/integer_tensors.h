#ifndef KERAS_ADDRNN_CC_OPS_LITE_INTEGER_TENSORS_H_
#define KERAS_ADDRNN_CC_OPS_LITE_INTEGER_TENSORS_H_

// What the integer operators ask of their tensors, beside what every operator does.

#include "cc_ops/core/integer_problem.h"
#include "cc_ops/lite/tensors.h"

namespace addrnn {

constexpr std::initializer_list<TfLiteType> kIntegerInputTypes = {kTfLiteInt8, kTfLiteInt16};

// The memory of n inputs.
inline IntegerInputs IntegerInputsOf(const NodeTensors& tensors, TfLiteContext* context, int place,
                                     int64_t n) {
  if (tensors.Input(context, place, kIntegerInputTypes).type == kTfLiteInt8) {
    return {tensors.InputData<int8_t>(context, place, kTfLiteInt8, n), nullptr};
  }
  return {nullptr, tensors.InputData<int16_t>(context, place, kTfLiteInt16, n)};
}

// The elements of an input that must be a constant of the file, and of that shape, none of whose
// sizes is 0. The product of the sizes must be known not to overflow.
template <typename S>
const S* ConstantData(const NodeTensors& tensors, TfLiteContext* context, int place,
                      TfLiteType type, const Shape& shape) {
  const TfLiteTensor& tensor = tensors.Input(context, place, type);
  const char* name = tensors.input_name(place);
  if (!IsConstant(tensor)) throw Error{std::string(name) + " must be a constant"};
  CheckShape(name, ShapeOf(tensor), shape);
  int64_t n = 1;
  for (int64_t size : shape) n *= size;
  return Data<S>(tensor, name, n);
}

// The same for one that may be absent, or empty: then null.
template <typename S>
const S* OptionalConstantData(const NodeTensors& tensors, TfLiteContext* context, int place,
                              TfLiteType type, const Shape& shape) {
  if (tensors.OptionalInput(context, place, type) == nullptr) return nullptr;
  return ConstantData<S>(tensors, context, place, type, shape);
}

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_LITE_INTEGER_TENSORS_H_
