// What addrnn.tensorflow._library asks of and tells the loaded library, by ctypes.

#include <string>

#include "cc_ops/core/dispatch.h"
#include "cc_ops/core/thread_pool.h"

#define ADDRNN_EXPORT extern "C" __attribute__((visibility("default")))

ADDRNN_EXPORT const char* addrnn_version() { return ADDRNN_VERSION; }

// Not a version of TensorFlow: its C interface is the same in all that the package allows.
ADDRNN_EXPORT const char* addrnn_built_for() {
#if defined(__x86_64__)
  return "TensorFlow C API, x86_64";
#elif defined(__aarch64__)
  return "TensorFlow C API, aarch64";
#else
  return "TensorFlow C API";
#endif
}

ADDRNN_EXPORT const char* addrnn_instruction_set() {
  static const std::string name = addrnn::InstructionSet();
  return name.c_str();
}

ADDRNN_EXPORT const char* addrnn_available_instruction_sets() {
  static const std::string names = addrnn::AvailableInstructionSets();
  return names.c_str();
}

ADDRNN_EXPORT int addrnn_num_threads() { return addrnn::NumThreads(); }

ADDRNN_EXPORT void addrnn_set_num_threads(int n) { addrnn::SetNumThreads(n); }
