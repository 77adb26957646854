#ifndef KERAS_ADDRNN_CC_OPS_PYTHON_TENSORS_H_
#define KERAS_ADDRNN_CC_OPS_PYTHON_TENSORS_H_

// Tensors of any framework as the core takes them, from their DLPack capsules: on the CPU, dense,
// of the right type and shape.

#include <pybind11/pybind11.h>

#include <optional>

#include "cc_ops/core/problem.h"
#include "cc_ops/core/shapes.h"
#include "cc_ops/python/dlpack.h"

namespace addrnn {

namespace py = pybind11;

// The DLPack type of numbers of the type S. A mask is of bool.
template <typename S>
struct DataType;
template <>
struct DataType<float> {
  static constexpr DLDataType value = {kDLFloat, 32, 1};
};
template <>
struct DataType<double> {
  static constexpr DLDataType value = {kDLFloat, 64, 1};
};
template <>
struct DataType<Float16> {
  static constexpr DLDataType value = {kDLFloat, 16, 1};
};
template <>
struct DataType<BFloat16> {
  static constexpr DLDataType value = {kDLBfloat, 16, 1};
};
template <>
struct DataType<uint8_t> {
  static constexpr DLDataType value = {kDLUInt, 8, 1};
};
template <>
struct DataType<bool> {
  static constexpr DLDataType value = {kDLBool, 8, 1};
};

// An argument of a Python function: the capsule of a tensor, or None for an absent one. The capsule
// is not taken over: it lives as long as the call, and so does the memory. Names are for messages.
class TensorArgument {
 public:
  TensorArgument() = default;  // absent
  // Throws an Error where the capsule is of a DLPack that has another layout. Absent too where the
  // object is no capsule of DLPack's.
  explicit TensorArgument(py::handle object);

  bool present() const { return tensor_ != nullptr; }

  Shape shape(const char* name) const;
  std::optional<Shape> optional_shape(const char* name) const;

  template <typename S>
  bool holds() const {
    return present() && HasType(DataType<S>::value);
  }

  // The elements to be read, of a tensor whose shape has been checked; null where it is absent.
  template <typename S>
  const S* read(const char* name) const {
    return present() ? static_cast<const S*>(data(name, DataType<S>::value)) : nullptr;
  }
  // Those of a tensor that must be there and have that shape.
  template <typename S>
  const S* read(const char* name, const Shape& expected) const {
    CheckShape(name, shape(name), expected);
    return read<S>(name);
  }

  // The elements to be written, likewise.
  template <typename S>
  S* write(const char* name, const Shape& expected) const {
    CheckShape(name, shape(name), expected);
    CheckWritable(name);
    return static_cast<S*>(data(name, DataType<S>::value));
  }
  template <typename S>
  S* write_if_present(const char* name, const Shape& expected) const {
    return present() ? write<S>(name, expected) : nullptr;
  }

 private:
  bool HasType(DLDataType expected) const;
  void CheckWritable(const char* name) const;
  void* data(const char* name, DLDataType expected) const;

  const DLTensor* tensor_ = nullptr;
  bool read_only_ = false;
};

}  // namespace addrnn

namespace pybind11::detail {

template <>
struct type_caster<addrnn::TensorArgument> {
  PYBIND11_TYPE_CASTER(addrnn::TensorArgument, const_name("CapsuleType | None"));

  bool load(handle object, bool) {
    value = addrnn::TensorArgument(object);
    return value.present() || object.is_none();
  }
};

}  // namespace pybind11::detail

#endif  // KERAS_ADDRNN_CC_OPS_PYTHON_TENSORS_H_
