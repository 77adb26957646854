#include "cc_ops/core/dispatch.h"

#include <cstddef>
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

// ADDRNN_EACH(table): the address of that table for each instruction set, best first.
#if defined(ADDRNN_HAVE_X86)
ADDRNN_DECLARE(avx512)
ADDRNN_DECLARE(avx2)
ADDRNN_DECLARE(baseline)
#define ADDRNN_EACH(table) &avx512::table, &avx2::table, &baseline::table
#elif defined(ADDRNN_HAVE_NEON)
ADDRNN_DECLARE(neon)
#define ADDRNN_EACH(table) &neon::table
#else
ADDRNN_DECLARE(baseline)
#define ADDRNN_EACH(table) &baseline::table
#endif
#undef ADDRNN_DECLARE

namespace {

struct CompiledSet {
  const char* name;
  bool supported;
};

// In the order of ADDRNN_EACH.
const std::vector<CompiledSet>& Compiled() {
  // Never destroyed: threads may still compute while the process ends.
  static const auto& compiled = *new std::vector<CompiledSet>{
#if defined(ADDRNN_HAVE_X86)
      {"avx512", __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                     __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")},
      {"avx2", __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")},
#endif
#if defined(ADDRNN_HAVE_NEON)
      {"neon", true},  // every 64-bit Arm processor has it
#else
      {"baseline", true},
#endif
  };
  return compiled;
}

// An index of Compiled().
size_t Selected() {
  static const size_t selected = [] {
    const std::string requested = RequestedInstructionSet();
    const std::vector<CompiledSet>& compiled = Compiled();
    size_t best = compiled.size();
    for (size_t i = 0; i < compiled.size(); ++i) {
      if (!compiled[i].supported) continue;
      if (compiled[i].name == requested) return i;
      if (best == compiled.size()) best = i;
    }
    return best;
  }();
  return selected;
}

}  // namespace

std::string AvailableInstructionSets() {
  std::string names;
  for (const CompiledSet& set : Compiled()) {
    if (set.supported) names += (names.empty() ? "" : " ") + std::string(set.name);
  }
  return names;
}

std::string InstructionSet() { return Compiled()[Selected()].name; }

std::string RequestedInstructionSet() {
  const char* requested = std::getenv("KERAS_ADDRNN_ISA");
  return requested == nullptr ? "" : requested;
}

// Each type has a table of its own: a library that never asks for a type is linked without its
// kernels.

template <>
const Kernels<float>& SelectedKernels<float>() {
  static const Kernels<float>* const tables[] = {ADDRNN_EACH(kFloat32)};
  return *tables[Selected()];
}
template <>
const Kernels<double>& SelectedKernels<double>() {
  static const Kernels<double>* const tables[] = {ADDRNN_EACH(kFloat64)};
  return *tables[Selected()];
}
template <>
const Kernels<Float16>& SelectedKernels<Float16>() {
  static const Kernels<Float16>* const tables[] = {ADDRNN_EACH(kFloat16)};
  return *tables[Selected()];
}
template <>
const Kernels<BFloat16>& SelectedKernels<BFloat16>() {
  static const Kernels<BFloat16>* const tables[] = {ADDRNN_EACH(kBFloat16)};
  return *tables[Selected()];
}

const IntegerKernels& SelectedIntegerKernels() {
  static const IntegerKernels* const tables[] = {ADDRNN_EACH(kInteger)};
  return *tables[Selected()];
}

}  // namespace addrnn
