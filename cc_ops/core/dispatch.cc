#include "cc_ops/core/dispatch.h"

#include <cstdlib>
#include <vector>

namespace addrnn {

#define ADDRNN_DECLARE(isa)                 \
  namespace isa {                           \
  extern const Kernels<float> kFloat32;     \
  extern const Kernels<double> kFloat64;    \
  extern const Kernels<Float16> kFloat16;   \
  extern const Kernels<BFloat16> kBFloat16; \
  extern const IntegerKernels kInteger;     \
  }

#ifdef ADDRNN_HAVE_NEON
ADDRNN_DECLARE(neon)
#else
ADDRNN_DECLARE(baseline)
#endif
#ifdef ADDRNN_HAVE_X86
ADDRNN_DECLARE(avx2)
ADDRNN_DECLARE(avx512)
#endif
#undef ADDRNN_DECLARE

namespace {

struct InstructionSetTables {
  const char* name;
  bool supported;
  const Kernels<float>& float32;
  const Kernels<double>& float64;
  const Kernels<Float16>& float16;
  const Kernels<BFloat16>& bfloat16;
  const IntegerKernels& integer;
};

#define ADDRNN_TABLES(isa, supported) \
  {#isa, supported, isa::kFloat32, isa::kFloat64, isa::kFloat16, isa::kBFloat16, isa::kInteger}

// Best first.
const std::vector<InstructionSetTables>& Compiled() {
  // Never destroyed: threads may still compute while the process ends.
  static const auto& compiled = *new std::vector<InstructionSetTables>{
#ifdef ADDRNN_HAVE_X86
      ADDRNN_TABLES(avx512,
                    __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")),
      ADDRNN_TABLES(avx2, __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")),
#endif
#ifdef ADDRNN_HAVE_NEON
      ADDRNN_TABLES(neon, true),  // every 64-bit Arm processor has it
#else
      ADDRNN_TABLES(baseline, true),
#endif
  };
  return compiled;
}

const InstructionSetTables& Selected() {
  static const InstructionSetTables& selected = []() -> const InstructionSetTables& {
    const std::string requested = RequestedInstructionSet();
    const InstructionSetTables* best = nullptr;
    for (const InstructionSetTables& tables : Compiled()) {
      if (!tables.supported) continue;
      if (tables.name == requested) return tables;
      if (best == nullptr) best = &tables;
    }
    return *best;
  }();
  return selected;
}

}  // namespace

std::string AvailableInstructionSets() {
  std::string names;
  for (const InstructionSetTables& tables : Compiled()) {
    if (tables.supported) names += (names.empty() ? "" : " ") + std::string(tables.name);
  }
  return names;
}

std::string InstructionSet() { return Selected().name; }

std::string RequestedInstructionSet() {
  const char* requested = std::getenv("KERAS_ADDRNN_ISA");
  return requested == nullptr ? "" : requested;
}

template <>
const Kernels<float>& SelectedKernels<float>() {
  return Selected().float32;
}
template <>
const Kernels<double>& SelectedKernels<double>() {
  return Selected().float64;
}
template <>
const Kernels<Float16>& SelectedKernels<Float16>() {
  return Selected().float16;
}
template <>
const Kernels<BFloat16>& SelectedKernels<BFloat16>() {
  return Selected().bfloat16;
}

const IntegerKernels& SelectedIntegerKernels() { return Selected().integer; }

}  // namespace addrnn
