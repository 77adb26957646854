#ifndef KERAS_ADDRNN_CC_OPS_PYTHON_ARRAYS_H_
#define KERAS_ADDRNN_CC_OPS_PYTHON_ARRAYS_H_

// NumPy arrays as the core takes them: C-contiguous, of the right type and shape.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace addrnn {

namespace py = pybind11;

template <typename S>
using Array = py::array_t<S, py::array::c_style>;
using Shape = std::vector<py::ssize_t>;

inline std::string Text(const Shape& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

inline void CheckShape(const py::array& array, const char* name, const Shape& expected) {
  const Shape actual(array.shape(), array.shape() + array.ndim());
  if (actual == expected) return;
  throw std::invalid_argument(std::string(name) + " must be of shape " + Text(expected) +
                              ", received " + Text(actual));
}

template <typename S>
const S* DataOrNull(const std::optional<Array<S>>& array) {
  return array ? array->data() : nullptr;
}

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_PYTHON_ARRAYS_H_
