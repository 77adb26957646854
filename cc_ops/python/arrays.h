#ifndef KERAS_ADDRNN_CC_OPS_PYTHON_ARRAYS_H_
#define KERAS_ADDRNN_CC_OPS_PYTHON_ARRAYS_H_

// NumPy arrays as the core takes them: C-contiguous, of the right type and shape.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <optional>

#include "cc_ops/core/shapes.h"

namespace addrnn {

namespace py = pybind11;

template <typename S>
using Array = py::array_t<S, py::array::c_style>;

inline Shape ShapeOf(const py::array& array) {
  return {array.shape(), array.shape() + array.ndim()};
}

template <typename S>
const S* DataOrNull(const std::optional<Array<S>>& array) {
  return array ? array->data() : nullptr;
}

template <typename S>
std::optional<Shape> ShapeOrNone(const std::optional<Array<S>>& array) {
  if (!array) return std::nullopt;
  return ShapeOf(*array);
}

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_PYTHON_ARRAYS_H_
