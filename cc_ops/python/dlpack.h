#ifndef KERAS_ADDRNN_CC_OPS_PYTHON_DLPACK_H_
#define KERAS_ADDRNN_CC_OPS_PYTHON_DLPACK_H_

// What is used of DLPack 1, by which frameworks show each other their tensors. Plain C structs,
// with DLPack's own names; tests/cc_ops/python compares them with the header that PyTorch ships.

#include <cstdint>

namespace addrnn {

enum DLDeviceType : int32_t { kDLCPU = 1 };

enum DLDataTypeCode : uint8_t { kDLUInt = 1, kDLFloat = 2, kDLBfloat = 4, kDLBool = 6 };

struct DLPackVersion {
  uint32_t major;
  uint32_t minor;
};

struct DLDevice {
  DLDeviceType device_type;
  int32_t device_id;
};

struct DLDataType {
  uint8_t code;
  uint8_t bits;
  uint16_t lanes;
};

struct DLTensor {
  void* data;
  DLDevice device;
  int32_t ndim;
  DLDataType dtype;
  int64_t* shape;
  int64_t* strides;  // in elements; before DLPack 1.2 null stands for dense rows
  uint64_t byte_offset;
};

// In a capsule of the name "dltensor", which carries no version.
struct DLManagedTensor {
  DLTensor dl_tensor;
  void* manager_ctx;
  void (*deleter)(DLManagedTensor* self);
};

constexpr uint64_t kReadOnly = 1;  // of the flags; DLPACK_FLAG_BITMASK_READ_ONLY

// In a capsule of the name "dltensor_versioned". Of another major version, the version and the
// deleter alone may be read.
struct DLManagedTensorVersioned {
  DLPackVersion version;
  void* manager_ctx;
  void (*deleter)(DLManagedTensorVersioned* self);
  uint64_t flags;
  DLTensor dl_tensor;
};

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_PYTHON_DLPACK_H_
