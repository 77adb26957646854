#ifndef KERAS_ADDRNN_CC_OPS_TF_OP_KERNEL_H_
#define KERAS_ADDRNN_CC_OPS_TF_OP_KERNEL_H_

// What the CPU kernels of the TensorFlow ops have in common: tensors, calls, attributes.

#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <string>

#include "cc_ops/core/error.h"
#include "cc_ops/core/problem.h"
#include "cc_ops/core/shapes.h"
#include "cc_ops/tf/c_api.h"
#include "cc_ops/tf/status.h"

namespace addrnn {

// An error that TensorFlow has already put into the status.
struct StatusIsSet {};

class Tensor {
 public:
  explicit Tensor(TF_Tensor* tensor) : tensor_(tensor) {}

  Shape shape() const {
    Shape dims(TF_NumDims(tensor_.get()));
    for (size_t i = 0; i < dims.size(); ++i) dims[i] = TF_Dim(tensor_.get(), static_cast<int>(i));
    return dims;
  }
  bool empty() const { return TF_TensorElementCount(tensor_.get()) == 0; }
  template <typename S>
  S* data() const {
    return static_cast<S*>(TF_TensorData(tensor_.get()));
  }
  // For optional inputs: null stands for an absent one.
  template <typename S>
  S* data_or_null() const {
    return empty() ? nullptr : data<S>();
  }

 private:
  struct Delete {
    void operator()(TF_Tensor* tensor) const { TF_DeleteTensor(tensor); }
  };
  std::unique_ptr<TF_Tensor, Delete> tensor_;
};

// An empty tensor of any shape of that rank stands for an absent one.
inline std::optional<Shape> OptionalShape(const Tensor& tensor, size_t rank) {
  Shape shape = tensor.shape();
  if (tensor.empty() && shape.size() == rank) return std::nullopt;
  return shape;
}

// One call of an op: its tensors and its status.
class Call {
 public:
  explicit Call(TF_OpKernelContext* context) : context_(context) {}

  Tensor Input(int index) {
    TF_Tensor* tensor = nullptr;
    TF_GetInput(context_, index, &tensor, status_.get());
    if (!status_.ok()) throw StatusIsSet();
    return Tensor(tensor);
  }

  template <typename S>
  Tensor Output(int index, const Shape& dims) {
    size_t bytes = sizeof(S);
    for (int64_t dim : dims) {
      if (__builtin_mul_overflow(bytes, static_cast<size_t>(dim), &bytes)) {
        throw Error{"an output of shape " + Text(dims) + " is too large"};
      }
    }
    TF_Tensor* tensor =
        TF_AllocateOutput(context_, index, TF_ExpectedOutputDataType(context_, index), dims.data(),
                          static_cast<int>(dims.size()), bytes, status_.get());
    if (!status_.ok()) throw StatusIsSet();
    return Tensor(tensor);
  }

  // Runs the body; whatever goes wrong in it becomes the status of the op.
  template <typename Body>
  void Run(const char* op, const Body& body) {
    const std::string prefix = std::string(op) + ": ";
    try {
      body();
      return;
    } catch (const StatusIsSet&) {
    } catch (const Error& error) {
      status_.Fail(TF_INVALID_ARGUMENT, prefix + error.what());
    } catch (const std::bad_alloc&) {
      status_.Fail(TF_RESOURCE_EXHAUSTED, prefix + "out of memory for the working buffers");
    } catch (const std::exception& error) {
      status_.Fail(TF_INTERNAL, prefix + error.what());
    }
    TF_OpKernelContext_Failure(context_, status_.get());
  }

 private:
  TF_OpKernelContext* context_;
  Status status_;
};

class AttributeReader {
 public:
  explicit AttributeReader(TF_OpKernelConstruction* construction) : construction_(construction) {}
  ~AttributeReader() {
    if (!status_.ok()) TF_OpKernelConstruction_Failure(construction_, status_.get());
  }

  double Number(const char* name) {
    float value = 0;
    if (status_.ok())
      TF_OpKernelConstruction_GetAttrFloat(construction_, name, &value, status_.get());
    // TensorFlow's threads flush subnormal floats to zero, also where they are widened.
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    const int32_t magnitude = bits & 0x7FFFFFFFu;
    if (magnitude >= 0x00800000) return value;
    return (bits == static_cast<uint32_t>(magnitude) ? magnitude : -magnitude) * 0x1p-149;
  }

  bool Bool(const char* name) {
    unsigned char value = 0;
    if (status_.ok())
      TF_OpKernelConstruction_GetAttrBool(construction_, name, &value, status_.get());
    return value != 0;
  }

  Activation ActivationAttr() {
    char value[16] = {};
    if (status_.ok()) {
      TF_OpKernelConstruction_GetAttrString(construction_, "activation", value, sizeof(value) - 1,
                                            status_.get());
    }
    const std::string name = value;
    if (name == "relu") return Activation::kRelu;
    if (name == "hard_tanh") return Activation::kHardTanh;
    if (name == "tanh") return Activation::kTanh;
    return Activation::kLinear;  // the op's definition admits no other
  }

 private:
  TF_OpKernelConstruction* construction_;
  Status status_;
};

// A kernel of an op: what makes its state from the attributes, and what computes a call.
struct OpKernel {
  const char* op;
  const char* name;
  void* (*create)(TF_OpKernelConstruction*);
  void (*compute)(void*, TF_OpKernelContext*);
  void (*destroy)(void*);
};

inline void RegisterKernel(const OpKernel& kernel, TF_DataType type) {
  const Status status;
  TF_KernelBuilder* builder =
      TF_NewKernelBuilder(kernel.op, "CPU", kernel.create, kernel.compute, kernel.destroy);
  TF_KernelBuilder_TypeConstraint(builder, "T", type, status.get());
  status.AbortUnlessOk("constraining a kernel of keras_addrnn");
  TF_RegisterKernelBuilder(kernel.name, builder, status.get());  // takes the builder
  status.AbortUnlessOk("registering a kernel of keras_addrnn");
}

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_TF_OP_KERNEL_H_
