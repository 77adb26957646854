#include "benchmarks/core/gates.h"

namespace addrnn {

namespace multiplying_baseline {
extern const GateTable kGates;
}
#if defined(__x86_64__)
namespace multiplying_avx2 {
extern const GateTable kGates;
}
namespace multiplying_avx512 {
extern const GateTable kGates;
}
#endif

const GateTable& GatesFor(const std::string& instruction_set) {
#if defined(__x86_64__)
  if (instruction_set == "avx2") return multiplying_avx2::kGates;
  if (instruction_set == "avx512") return multiplying_avx512::kGates;
#else
  (void)instruction_set;
#endif
  return multiplying_baseline::kGates;
}

}  // namespace addrnn
