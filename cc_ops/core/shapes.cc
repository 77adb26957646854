#include "cc_ops/core/shapes.h"

#include "cc_ops/core/add_gru.h"
#include "cc_ops/core/error.h"
#include "cc_ops/core/min_add_gru.h"

namespace addrnn {
namespace {

[[noreturn]] void WrongShape(const char* name, const Shape& shape, const std::string& expected) {
  throw Error(std::string(name) + " must be of shape " + expected + ", received " + Text(shape));
}

}  // namespace

std::string Text(const Shape& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

void CheckRank(const char* name, const Shape& shape, size_t rank, const char* expected) {
  if (shape.size() != rank) WrongShape(name, shape, expected);
}

void CheckShape(const char* name, const Shape& shape, const Shape& expected) {
  if (shape != expected) WrongShape(name, shape, Text(expected));
}

Sizes CheckedSizes(const TensorShapes& shapes, bool allow_step) {
  const Shape& inputs = shapes.inputs;
  const bool step = allow_step && inputs.size() == 2;
  if (!step) {
    CheckRank("inputs", inputs, 3,
              allow_step ? "[batch, time, input], or [batch, input] for one step"
                         : "[batch, time, input]");
  }
  CheckRank("recurrent_kernel", shapes.recurrent_kernel, 2, "[units, 2 * units]");
  const Sizes sizes = {inputs[0], step ? 1 : inputs[1], inputs.back(), shapes.recurrent_kernel[0]};
  Check(sizes);
  const int64_t columns = 2 * sizes.units;
  CheckShape("recurrent_kernel", shapes.recurrent_kernel, {sizes.units, columns});
  CheckShape("kernel", shapes.kernel, {sizes.input, columns});
  if (shapes.bias) CheckShape("bias", *shapes.bias, {columns});
  if (shapes.initial_state) {
    CheckShape("initial_state", *shapes.initial_state, {sizes.batch, sizes.units});
  }
  if (shapes.mask) CheckShape("mask", *shapes.mask, {sizes.batch, sizes.time});
  return sizes;
}

MinSizes CheckedMinSizes(const MinTensorShapes& shapes) {
  const Shape &inputs = shapes.inputs, &kernel = shapes.kernel;
  CheckRank("inputs", inputs, 3, "[batch, time, input]");
  if (kernel.size() != 3 || kernel[2] % 2 != 0) {
    WrongShape("kernel", kernel, "[kernel_size, input, 2 * units]");
  }
  const MinSizes sizes = {inputs[0], inputs[1], inputs[2], kernel[2] / 2, kernel[0]};
  Check(sizes);
  CheckShape("kernel", kernel, {sizes.window, sizes.input, kernel[2]});
  if (shapes.bias) CheckShape("bias", *shapes.bias, {kernel[2]});
  if (shapes.initial_state) {
    CheckShape("initial_state", *shapes.initial_state, {sizes.batch, sizes.units});
  }
  if (shapes.mask) CheckShape("mask", *shapes.mask, {sizes.batch, sizes.time});
  if (shapes.initial_inputs) {
    CheckShape("initial_inputs", *shapes.initial_inputs,
               {sizes.batch, sizes.window - 1, sizes.input});
  }
  return sizes;
}

}  // namespace addrnn
