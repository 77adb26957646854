#include "cc_ops/python/tensors.h"

#include <string>

#include "cc_ops/core/error.h"

namespace addrnn {
namespace {

constexpr uint32_t kMajorVersion = 1;
constexpr int32_t kMaxRank = 8;  // far above what any tensor here has

std::string Text(DLDataType type) {
  std::string text;
  switch (type.code) {
    case kDLUInt:
      text = "uint";
      break;
    case kDLFloat:
      text = "float";
      break;
    case kDLBfloat:
      text = "bfloat";
      break;
    case kDLBool:
      text = "bool";
      break;
    default:
      text = "type " + std::to_string(type.code) + " of DLPack, bits ";
  }
  if (type.code != kDLBool) text += std::to_string(type.bits);
  return type.lanes == 1 ? text : text + " in vectors of " + std::to_string(type.lanes);
}

// Whether the elements lie side by side in the order of rows. `elements` becomes their number.
bool IsDense(const DLTensor& tensor, const Shape& shape, int64_t* elements) {
  *elements = 1;
  for (int64_t size : shape) {
    if (size == 0) {
      *elements = 0;
      return true;
    }
  }
  bool dense = true;
  for (size_t axis = shape.size(); axis-- > 0;) {
    // The stride of an axis of one element is never used.
    const bool counts = tensor.strides != nullptr && shape[axis] != 1;
    if (counts && tensor.strides[axis] != *elements) dense = false;
    if (__builtin_mul_overflow(*elements, shape[axis], elements)) return false;
  }
  return dense;
}

}  // namespace

TensorArgument::TensorArgument(py::handle object) {
  if (PyCapsule_IsValid(object.ptr(), "dltensor")) {
    const void* managed = PyCapsule_GetPointer(object.ptr(), "dltensor");
    tensor_ = &static_cast<const DLManagedTensor*>(managed)->dl_tensor;
  } else if (PyCapsule_IsValid(object.ptr(), "dltensor_versioned")) {
    const void* pointer = PyCapsule_GetPointer(object.ptr(), "dltensor_versioned");
    const auto* managed = static_cast<const DLManagedTensorVersioned*>(pointer);
    if (managed->version.major != kMajorVersion) {
      throw Error("a tensor is described by DLPack " + std::to_string(managed->version.major) +
                  ", expected DLPack " + std::to_string(kMajorVersion));
    }
    tensor_ = &managed->dl_tensor;
    read_only_ = (managed->flags & kReadOnly) != 0;
  }
}

Shape TensorArgument::shape(const char* name) const {
  if (!present()) throw py::type_error(std::string(name) + " must be a tensor, received None");
  const DLTensor& t = *tensor_;
  if (t.ndim < 0 || t.ndim > kMaxRank || (t.ndim > 0 && t.shape == nullptr)) {
    throw Error(std::string(name) + " must have at most " + std::to_string(kMaxRank) + " axes");
  }
  return {t.shape, t.shape + t.ndim};
}

std::optional<Shape> TensorArgument::optional_shape(const char* name) const {
  if (!present()) return std::nullopt;
  return shape(name);
}

bool TensorArgument::HasType(DLDataType expected) const {
  const DLDataType type = tensor_->dtype;
  return type.code == expected.code && type.bits == expected.bits && type.lanes == expected.lanes;
}

void TensorArgument::CheckWritable(const char* name) const {
  if (read_only_) throw Error(std::string(name) + " is written to, and must not be read-only");
}

void* TensorArgument::data(const char* name, DLDataType expected) const {
  const DLTensor& t = *tensor_;
  const std::string prefix = name;
  if (t.device.device_type != kDLCPU) {
    throw Error(prefix + " must be on the CPU, received device type " +
                std::to_string(t.device.device_type) + " of DLPack");
  }
  if (!HasType(expected)) {
    throw py::type_error(prefix + " must hold " + Text(expected) + ", received " + Text(t.dtype));
  }
  int64_t elements, bytes;
  if (!IsDense(t, shape(name), &elements) ||
      __builtin_mul_overflow(elements, expected.bits / 8, &bytes)) {
    throw Error(prefix + " must be dense, in the order of rows");
  }
  if (elements == 0) return nullptr;
  if (t.data == nullptr) throw Error(prefix + " has no memory");
  const uintptr_t address = reinterpret_cast<uintptr_t>(t.data) + t.byte_offset;
  if (address % (expected.bits / 8) != 0) throw Error(prefix + " must be aligned in memory");
  return reinterpret_cast<void*>(address);
}

}  // namespace addrnn
