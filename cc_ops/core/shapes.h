#ifndef KERAS_ADDRNN_CC_OPS_CORE_SHAPES_H_
#define KERAS_ADDRNN_CC_OPS_CORE_SHAPES_H_

// Shapes of tensors, in whatever framework. What does not fit is thrown as an Error that names the
// tensor.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cc_ops/core/min_problem.h"
#include "cc_ops/core/problem.h"

namespace addrnn {

using Shape = std::vector<int64_t>;

// "[2, 3]".
std::string Text(const Shape& shape);

// `expected` is for the message.
void CheckRank(const char* name, const Shape& shape, size_t rank, const char* expected);
void CheckShape(const char* name, const Shape& shape, const Shape& expected);

// Of a call in floating point. An absent optional tensor has none.
struct TensorShapes {
  Shape inputs, kernel, recurrent_kernel;
  std::optional<Shape> bias, initial_state, mask;
};

// The sizes that the shapes agree on, as Check() admits them. `allow_step`: inputs [batch, input]
// are one step.
Sizes CheckedSizes(const TensorShapes& shapes, bool allow_step = false);

// The same for the recurrence with gates on inputs alone.
struct MinTensorShapes {
  Shape inputs, kernel;
  std::optional<Shape> bias, initial_state, mask, initial_inputs;
};

MinSizes CheckedMinSizes(const MinTensorShapes& shapes);

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_CORE_SHAPES_H_
