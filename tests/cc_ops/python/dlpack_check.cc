// Compiles if cc_ops/python/dlpack.h says what DLPack's own header says; never linked or run.

#include <ATen/dlpack.h>

#include <cstddef>

#include "cc_ops/python/dlpack.h"

#define SAME_NUMBER(name) \
  static_assert(static_cast<int>(addrnn::name) == static_cast<int>(::name), #name)
SAME_NUMBER(kDLCPU);
SAME_NUMBER(kDLUInt);
SAME_NUMBER(kDLFloat);
SAME_NUMBER(kDLBfloat);
SAME_NUMBER(kDLBool);
static_assert(addrnn::kReadOnly == DLPACK_FLAG_BITMASK_READ_ONLY, "kReadOnly");

#define SAME_FIELD(type, field)                                             \
  static_assert(offsetof(addrnn::type, field) == offsetof(::type, field) && \
                    sizeof(addrnn::type::field) == sizeof(::type::field),   \
                #type "." #field)
#define SAME_SIZE(type) static_assert(sizeof(addrnn::type) == sizeof(::type), #type)

SAME_SIZE(DLPackVersion);
SAME_FIELD(DLPackVersion, major);
SAME_FIELD(DLPackVersion, minor);

SAME_SIZE(DLDevice);
SAME_FIELD(DLDevice, device_type);
SAME_FIELD(DLDevice, device_id);

SAME_SIZE(DLDataType);
SAME_FIELD(DLDataType, code);
SAME_FIELD(DLDataType, bits);
SAME_FIELD(DLDataType, lanes);

SAME_SIZE(DLTensor);
SAME_FIELD(DLTensor, data);
SAME_FIELD(DLTensor, device);
SAME_FIELD(DLTensor, ndim);
SAME_FIELD(DLTensor, dtype);
SAME_FIELD(DLTensor, shape);
SAME_FIELD(DLTensor, strides);
SAME_FIELD(DLTensor, byte_offset);

SAME_SIZE(DLManagedTensor);
SAME_FIELD(DLManagedTensor, dl_tensor);
SAME_FIELD(DLManagedTensor, manager_ctx);
SAME_FIELD(DLManagedTensor, deleter);

SAME_SIZE(DLManagedTensorVersioned);
SAME_FIELD(DLManagedTensorVersioned, version);
SAME_FIELD(DLManagedTensorVersioned, manager_ctx);
SAME_FIELD(DLManagedTensorVersioned, deleter);
SAME_FIELD(DLManagedTensorVersioned, flags);
SAME_FIELD(DLManagedTensorVersioned, dl_tensor);
