#include "cc_ops/xla/call.h"

#include <cstdio>
#include <cstring>
#include <exception>
#include <new>

namespace addrnn {
namespace {

// Allocates nothing, for the error may be that there is no memory.
XLA_FFI_Error* Fail(const XLA_FFI_Api* api, XLA_FFI_Error_Code code, const char* op,
                    const char* what) {
  if (api == nullptr) return nullptr;  // without it there are no errors
  char message[512];
  std::snprintf(message, sizeof(message), "%s: %s", op, what);
  XLA_FFI_Error_Create_Args args = {sizeof(args), nullptr, message, code};
  return api->XLA_FFI_Error_Create(&args);
}

// The size of a struct up to its last member that is declared here, without the padding after it.
#define ADDRNN_DECLARED_SIZE(type, last) (offsetof(type, last) + sizeof(type::last))

void CheckStruct(const char* name, size_t size, size_t least) {
  if (size >= least) return;
  throw Error(std::string("this XLA is too old: its struct of ") + name + " has " +
              std::to_string(size) + " bytes, expected at least " + std::to_string(least));
}

// XLA refuses handlers of versions that are newer than itself, and those that are too old. They use
// what every version has, so they name the version of whoever asks. Older ones do not say theirs.
void AnswerMetadata(const XLA_FFI_Api* api, const XLA_FFI_Metadata_Extension& extension) {
  XLA_FFI_Metadata& metadata = *extension.metadata;
  CheckStruct("metadata", metadata.struct_size, ADDRNN_DECLARED_SIZE(XLA_FFI_Metadata, traits));
  metadata.api_version = {ADDRNN_DECLARED_SIZE(XLA_FFI_Api_Version, minor_version), nullptr,
                          XLA_FFI_API_MAJOR,
                          api == nullptr ? XLA_FFI_API_MINOR : api->api_version.minor_version};
  metadata.traits = 0;
}

void CheckVersion(const XLA_FFI_Api_Version& version) {
  if (version.major_version == XLA_FFI_API_MAJOR) return;
  throw Error("XLA's FFI must be of major version " + std::to_string(XLA_FFI_API_MAJOR) +
              ", received " + std::to_string(version.major_version));
}

void CheckCount(const char* what, int64_t count, int64_t least, int64_t most) {
  if (count >= least && count <= most) return;
  std::string expected = std::to_string(least);
  if (most > least) expected += " to " + std::to_string(most);
  throw Error(std::string("the number of ") + what + " must be " + expected + ", received " +
              std::to_string(count));
}

const XLA_FFI_Buffer& CheckedBuffer(const char* name, bool is_buffer, const void* value) {
  if (!is_buffer) throw Error(std::string(name) + " must be a tensor");
  const auto& buffer = *static_cast<const XLA_FFI_Buffer*>(value);
  CheckStruct("a tensor", buffer.struct_size, ADDRNN_DECLARED_SIZE(XLA_FFI_Buffer, dims));
  return buffer;
}

}  // namespace

void Call::CheckArguments(int64_t expected) const {
  CheckCount("arguments", frame_.args.size, expected, expected);
}

void Call::CheckResults(int64_t least, int64_t most) const {
  CheckCount("results", frame_.rets.size, least, most);
}

const XLA_FFI_Buffer& Call::ArgumentBuffer(const char* name, int64_t index) const {
  const XLA_FFI_Args& args = frame_.args;
  return CheckedBuffer(name, args.types[index] == XLA_FFI_ArgType_BUFFER, args.args[index]);
}

const XLA_FFI_Buffer& Call::ResultBuffer(const char* name, int64_t index) const {
  const XLA_FFI_Rets& rets = frame_.rets;
  return CheckedBuffer(name, rets.types[index] == XLA_FFI_RetType_BUFFER, rets.rets[index]);
}

XLA_FFI_DataType Call::FloatType(const char* name, int64_t index) const {
  const XLA_FFI_DataType type = ArgumentBuffer(name, index).dtype;
  switch (type) {
    case XLA_FFI_DataType_F16:
    case XLA_FFI_DataType_BF16:
    case XLA_FFI_DataType_F32:
    case XLA_FFI_DataType_F64:
      return type;
    default:
      throw Error(std::string(name) +
                  " must be of type float16, bfloat16, float32 or float64, received " + Text(type));
  }
}

const void* Call::Attribute(const char* name, XLA_FFI_AttrType type) const {
  const XLA_FFI_Attrs& attrs = frame_.attrs;
  for (int64_t i = 0; i < attrs.size; ++i) {
    const XLA_FFI_ByteSpan& key = *attrs.names[i];
    if (key.len != std::strlen(name) || std::memcmp(key.ptr, name, key.len) != 0) continue;
    if (attrs.types[i] == type) return attrs.attrs[i];
    throw Error(std::string("the attribute ") + name + " must be a " +
                (type == XLA_FFI_AttrType_STRING ? "string" : "scalar"));
  }
  throw Error(std::string("the attribute ") + name + " is missing");
}

const void* Call::Scalar(const char* name, XLA_FFI_DataType type) const {
  const auto& scalar =
      *static_cast<const XLA_FFI_Scalar*>(Attribute(name, XLA_FFI_AttrType_SCALAR));
  if (scalar.dtype == type) return scalar.value;
  throw Error(std::string("the attribute ") + name + " must be of type " + Text(type) +
              ", received " + Text(scalar.dtype));
}

Activation Call::ActivationAttribute() const {
  const auto& name =
      *static_cast<const XLA_FFI_ByteSpan*>(Attribute("activation", XLA_FFI_AttrType_STRING));
  return ActivationFromName(std::string(name.ptr, name.len));
}

double Call::Number(const char* name) const {
  double value;
  std::memcpy(&value, Scalar(name, XLA_FFI_DataType_F64), sizeof(value));
  return value;
}

bool Call::Flag(const char* name) const {
  return *static_cast<const uint8_t*>(Scalar(name, XLA_FFI_DataType_PRED)) != 0;
}

XLA_FFI_Error* Handle(XLA_FFI_CallFrame* frame, const char* op,
                      void (*body)(const Call&)) noexcept {
  const XLA_FFI_Api* const api = frame->api;
  try {
    CheckStruct("a call", frame->struct_size, ADDRNN_DECLARED_SIZE(XLA_FFI_CallFrame, attrs));
    if (api != nullptr) CheckVersion(api->api_version);
    const XLA_FFI_Extension_Base* extension = frame->extension_start;
    if (extension != nullptr && extension->type == XLA_FFI_Extension_Metadata) {
      AnswerMetadata(api, *reinterpret_cast<const XLA_FFI_Metadata_Extension*>(extension));
    } else if (frame->stage != XLA_FFI_ExecutionStage_EXECUTE) {
      throw Error("it must be called in the stage of execution");
    } else {
      body(Call(*frame));
    }
    return nullptr;
  } catch (const Error& error) {
    return Fail(api, XLA_FFI_Error_Code_INVALID_ARGUMENT, op, error.what());
  } catch (const std::bad_alloc&) {
    return Fail(api, XLA_FFI_Error_Code_RESOURCE_EXHAUSTED, op,
                "out of memory for the working buffers");
  } catch (const std::exception& error) {
    return Fail(api, XLA_FFI_Error_Code_INTERNAL, op, error.what());
  } catch (...) {
    return Fail(api, XLA_FFI_Error_Code_INTERNAL, op, "an exception of unknown type");
  }
}

}  // namespace addrnn
