#ifndef KERAS_ADDRNN_CC_OPS_XLA_TENSOR_H_
#define KERAS_ADDRNN_CC_OPS_XLA_TENSOR_H_

// XLA's buffers as the handlers read them, by type and shape.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>

#include "cc_ops/core/error.h"
#include "cc_ops/core/problem.h"
#include "cc_ops/core/shapes.h"
#include "cc_ops/xla/ffi_c_api.h"

namespace addrnn {

// The type of XLA in which a type of the core comes.
template <typename S>
struct XlaType;
template <>
struct XlaType<float> {
  static constexpr XLA_FFI_DataType value = XLA_FFI_DataType_F32;
};
template <>
struct XlaType<double> {
  static constexpr XLA_FFI_DataType value = XLA_FFI_DataType_F64;
};
template <>
struct XlaType<Float16> {
  static constexpr XLA_FFI_DataType value = XLA_FFI_DataType_F16;
};
template <>
struct XlaType<BFloat16> {
  static constexpr XLA_FFI_DataType value = XLA_FFI_DataType_BF16;
};
template <>
struct XlaType<uint8_t> {
  static constexpr XLA_FFI_DataType value = XLA_FFI_DataType_U8;
};
template <>
struct XlaType<bool> {
  static constexpr XLA_FFI_DataType value = XLA_FFI_DataType_PRED;
};

inline std::string Text(XLA_FFI_DataType type) {
  switch (type) {
    case XLA_FFI_DataType_PRED:
      return "bool";
    case XLA_FFI_DataType_U8:
      return "uint8";
    case XLA_FFI_DataType_F16:
      return "float16";
    case XLA_FFI_DataType_F32:
      return "float32";
    case XLA_FFI_DataType_F64:
      return "float64";
    case XLA_FFI_DataType_BF16:
      return "bfloat16";
  }
  return "XLA's type " + std::to_string(static_cast<unsigned>(type));
}

// A buffer that has been checked to be of the type.
template <typename S>
class Tensor {
 public:
  Tensor(const char* name, const XLA_FFI_Buffer& buffer)
      : shape_(buffer.dims, buffer.dims + buffer.rank), data_(static_cast<S*>(buffer.data)) {
    constexpr XLA_FFI_DataType expected = XlaType<std::remove_const_t<S>>::value;
    if (buffer.dtype == expected) return;
    throw Error(std::string(name) + " must be of type " + Text(expected) + ", received " +
                Text(buffer.dtype));
  }

  const Shape& shape() const { return shape_; }
  S* data() const { return data_; }

  bool empty() const { return std::count(shape_.begin(), shape_.end(), 0) > 0; }

  // An optional argument without elements is absent.
  S* data_or_null() const { return empty() ? nullptr : data_; }
  std::optional<Shape> optional_shape(size_t rank) const {
    if (empty() && shape_.size() == rank) return std::nullopt;
    return shape_;
  }

 private:
  Shape shape_;
  S* data_;
};

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_XLA_TENSOR_H_
