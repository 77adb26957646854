#ifndef KERAS_ADDRNN_CC_OPS_XLA_CALL_H_
#define KERAS_ADDRNN_CC_OPS_XLA_CALL_H_

// What the handlers have in common: a call with its arguments, results and attributes, and how its
// errors reach XLA.

#include <cstdint>
#include <string>

#include "cc_ops/core/activation.h"
#include "cc_ops/core/error.h"
#include "cc_ops/core/problem.h"
#include "cc_ops/core/shapes.h"
#include "cc_ops/xla/ffi_c_api.h"
#include "cc_ops/xla/tensor.h"

namespace addrnn {

// One call of a handler. Everything that does not fit is thrown as an Error.
class Call {
 public:
  explicit Call(const XLA_FFI_CallFrame& frame) : frame_(frame) {}

  void CheckArguments(int64_t expected) const;
  void CheckResults(int64_t least, int64_t most) const;
  int64_t results() const { return frame_.rets.size; }

  // The type of an argument that is of a floating-point type.
  XLA_FFI_DataType FloatType(const char* name, int64_t index) const;

  template <typename S>
  Tensor<const S> Argument(const char* name, int64_t index) const {
    return Tensor<const S>(name, ArgumentBuffer(name, index));
  }
  // The memory of a result, which must be of that shape.
  template <typename S>
  S* Result(const char* name, int64_t index, const Shape& shape) const {
    const Tensor<S> tensor(name, ResultBuffer(name, index));
    CheckShape(name, tensor.shape(), shape);
    return tensor.data();
  }

  Activation ActivationAttribute() const;
  double Number(const char* name) const;
  bool Flag(const char* name) const;

 private:
  const XLA_FFI_Buffer& ArgumentBuffer(const char* name, int64_t index) const;
  const XLA_FFI_Buffer& ResultBuffer(const char* name, int64_t index) const;
  const void* Attribute(const char* name, XLA_FFI_AttrType type) const;
  const void* Scalar(const char* name, XLA_FFI_DataType type) const;

  const XLA_FFI_CallFrame& frame_;
};

// Answers a question for metadata, or runs the body on the call. Whatever goes wrong in it becomes
// an error of XLA, with the name of the op before it.
XLA_FFI_Error* Handle(XLA_FFI_CallFrame* frame, const char* op, void (*body)(const Call&)) noexcept;

// Calls the function with a value of the storage type that a type of XLA stands for.
template <typename Function>
void WithStorage(XLA_FFI_DataType type, const Function& function) {
  switch (type) {
    case XLA_FFI_DataType_F16:
      return function(Float16());
    case XLA_FFI_DataType_BF16:
      return function(BFloat16());
    case XLA_FFI_DataType_F64:
      return function(double());
    default:
      return function(float());
  }
}

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_XLA_CALL_H_
