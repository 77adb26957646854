// Compiles if cc_ops/xla/ffi_c_api.h says what jaxlib's own header says; never linked or run.

#include <stddef.h>
#include <stdint.h>

namespace ours {
#include "cc_ops/xla/ffi_c_api.h"

// jaxlib has macros of these names.
constexpr int kMajor = XLA_FFI_API_MAJOR;
constexpr int kMinor = XLA_FFI_API_MINOR;
}  // namespace ours

#include "xla/ffi/api/c_api.h"

static_assert(ours::kMajor == XLA_FFI_API_MAJOR, "major version");
static_assert(ours::kMinor <= XLA_FFI_API_MINOR, "minor version");

#define SAME_NUMBER(name) \
  static_assert(static_cast<unsigned>(ours::name) == static_cast<unsigned>(::name), #name)
SAME_NUMBER(XLA_FFI_Error_Code_INVALID_ARGUMENT);
SAME_NUMBER(XLA_FFI_Error_Code_RESOURCE_EXHAUSTED);
SAME_NUMBER(XLA_FFI_Error_Code_INTERNAL);
SAME_NUMBER(XLA_FFI_DataType_PRED);
SAME_NUMBER(XLA_FFI_DataType_U8);
SAME_NUMBER(XLA_FFI_DataType_F16);
SAME_NUMBER(XLA_FFI_DataType_F32);
SAME_NUMBER(XLA_FFI_DataType_F64);
SAME_NUMBER(XLA_FFI_DataType_BF16);
SAME_NUMBER(XLA_FFI_ArgType_BUFFER);
SAME_NUMBER(XLA_FFI_RetType_BUFFER);
SAME_NUMBER(XLA_FFI_AttrType_SCALAR);
SAME_NUMBER(XLA_FFI_AttrType_STRING);
SAME_NUMBER(XLA_FFI_ExecutionStage_EXECUTE);
SAME_NUMBER(XLA_FFI_Extension_Metadata);

#define SAME_SIZE(name) static_assert(sizeof(ours::name) == sizeof(::name), #name)
SAME_SIZE(XLA_FFI_Error_Code);
SAME_SIZE(XLA_FFI_DataType);
SAME_SIZE(XLA_FFI_ArgType);
SAME_SIZE(XLA_FFI_RetType);
SAME_SIZE(XLA_FFI_AttrType);
SAME_SIZE(XLA_FFI_ExecutionStage);
SAME_SIZE(XLA_FFI_Extension_Type);

#define SAME_MEMBER(name, member)                                           \
  static_assert(offsetof(ours::name, member) == offsetof(::name, member) && \
                    sizeof(ours::name::member) == sizeof(::name::member),   \
                #name "::" #member)
SAME_MEMBER(XLA_FFI_Extension_Base, struct_size);
SAME_MEMBER(XLA_FFI_Extension_Base, type);
SAME_MEMBER(XLA_FFI_Extension_Base, next);
SAME_MEMBER(XLA_FFI_Api_Version, struct_size);
SAME_MEMBER(XLA_FFI_Api_Version, extension_start);
SAME_MEMBER(XLA_FFI_Api_Version, major_version);
SAME_MEMBER(XLA_FFI_Api_Version, minor_version);
SAME_MEMBER(XLA_FFI_Metadata, struct_size);
SAME_MEMBER(XLA_FFI_Metadata, api_version);
SAME_MEMBER(XLA_FFI_Metadata, traits);
SAME_MEMBER(XLA_FFI_Metadata_Extension, extension_base);
SAME_MEMBER(XLA_FFI_Metadata_Extension, metadata);
SAME_MEMBER(XLA_FFI_Error_Create_Args, struct_size);
SAME_MEMBER(XLA_FFI_Error_Create_Args, extension_start);
SAME_MEMBER(XLA_FFI_Error_Create_Args, message);
SAME_MEMBER(XLA_FFI_Error_Create_Args, errc);
SAME_MEMBER(XLA_FFI_Api, struct_size);
SAME_MEMBER(XLA_FFI_Api, extension_start);
SAME_MEMBER(XLA_FFI_Api, api_version);
SAME_MEMBER(XLA_FFI_Api, internal_api);
SAME_MEMBER(XLA_FFI_Api, XLA_FFI_Error_Create);
SAME_MEMBER(XLA_FFI_Api, XLA_FFI_Error_GetMessage);
SAME_MEMBER(XLA_FFI_Api, XLA_FFI_Error_Destroy);
SAME_MEMBER(XLA_FFI_Api, XLA_FFI_Handler_Register);
SAME_MEMBER(XLA_FFI_Error_GetMessage_Args, struct_size);
SAME_MEMBER(XLA_FFI_Error_GetMessage_Args, extension_start);
SAME_MEMBER(XLA_FFI_Error_GetMessage_Args, error);
SAME_MEMBER(XLA_FFI_Error_GetMessage_Args, message);
SAME_MEMBER(XLA_FFI_Error_Destroy_Args, struct_size);
SAME_MEMBER(XLA_FFI_Error_Destroy_Args, extension_start);
SAME_MEMBER(XLA_FFI_Error_Destroy_Args, error);
SAME_MEMBER(XLA_FFI_Handler_Bundle, instantiate);
SAME_MEMBER(XLA_FFI_Handler_Bundle, prepare);
SAME_MEMBER(XLA_FFI_Handler_Bundle, initialize);
SAME_MEMBER(XLA_FFI_Handler_Bundle, execute);
SAME_MEMBER(XLA_FFI_Handler_Register_Args, struct_size);
SAME_MEMBER(XLA_FFI_Handler_Register_Args, extension_start);
SAME_MEMBER(XLA_FFI_Handler_Register_Args, name);
SAME_MEMBER(XLA_FFI_Handler_Register_Args, platform);
SAME_MEMBER(XLA_FFI_Handler_Register_Args, bundle);
SAME_MEMBER(XLA_FFI_Handler_Register_Args, traits);
SAME_MEMBER(XLA_FFI_Buffer, struct_size);
SAME_MEMBER(XLA_FFI_Buffer, extension_start);
SAME_MEMBER(XLA_FFI_Buffer, dtype);
SAME_MEMBER(XLA_FFI_Buffer, data);
SAME_MEMBER(XLA_FFI_Buffer, rank);
SAME_MEMBER(XLA_FFI_Buffer, dims);
SAME_MEMBER(XLA_FFI_ByteSpan, ptr);
SAME_MEMBER(XLA_FFI_ByteSpan, len);
SAME_MEMBER(XLA_FFI_Scalar, dtype);
SAME_MEMBER(XLA_FFI_Scalar, value);
SAME_MEMBER(XLA_FFI_Args, struct_size);
SAME_MEMBER(XLA_FFI_Args, extension_start);
SAME_MEMBER(XLA_FFI_Args, size);
SAME_MEMBER(XLA_FFI_Args, types);
SAME_MEMBER(XLA_FFI_Args, args);
SAME_MEMBER(XLA_FFI_Rets, struct_size);
SAME_MEMBER(XLA_FFI_Rets, extension_start);
SAME_MEMBER(XLA_FFI_Rets, size);
SAME_MEMBER(XLA_FFI_Rets, types);
SAME_MEMBER(XLA_FFI_Rets, rets);
SAME_MEMBER(XLA_FFI_Attrs, struct_size);
SAME_MEMBER(XLA_FFI_Attrs, extension_start);
SAME_MEMBER(XLA_FFI_Attrs, size);
SAME_MEMBER(XLA_FFI_Attrs, types);
SAME_MEMBER(XLA_FFI_Attrs, names);
SAME_MEMBER(XLA_FFI_Attrs, attrs);
SAME_MEMBER(XLA_FFI_CallFrame, struct_size);
SAME_MEMBER(XLA_FFI_CallFrame, extension_start);
SAME_MEMBER(XLA_FFI_CallFrame, api);
SAME_MEMBER(XLA_FFI_CallFrame, ctx);
SAME_MEMBER(XLA_FFI_CallFrame, stage);
SAME_MEMBER(XLA_FFI_CallFrame, args);
SAME_MEMBER(XLA_FFI_CallFrame, rets);
SAME_MEMBER(XLA_FFI_CallFrame, attrs);
