#include "cc_ops/core/add_gru.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "cc_ops/core/prepared_forward.h"

namespace addrnn {

std::string Invalid(const Problem& p) {
  for (int64_t size : {p.batch, p.time, p.input, p.units}) {
    if (size < 0) return "sizes must not be negative, received " + std::to_string(size);
  }
  // Every buffer, working buffers with their padding included, is far smaller than 64 times the
  // product of sizes that is bounded here.
  const double limit = double(std::numeric_limits<int64_t>::max()) / 1024;
  const double rows = double(p.batch) * std::max<double>(p.time, 1) + 1;
  const double width = double(p.input) + 2.0 * p.units + 256;
  if (rows * width > limit || width * width > limit) {
    return "sizes too large: batch " + std::to_string(p.batch) + ", time " +
           std::to_string(p.time) + ", input " + std::to_string(p.input) + ", units " +
           std::to_string(p.units);
  }
  if (!(std::isfinite(p.state_shift) && p.state_shift >= 0)) {
    return "state_shift must be finite and at least 0, received " + std::to_string(p.state_shift);
  }
  if (!(p.state_max > -p.state_shift)) {
    return "state_max must be above -state_shift, the lowest state, received " +
           std::to_string(p.state_max) + " with state_shift " + std::to_string(p.state_shift);
  }
  return {};
}

template <typename S>
void AddGruForward(const Problem& problem, const Weights<S>& weights,
                   const ForwardTensors<S>& tensors) {
  PreparedForward<S> forward;
  forward.Prepare(problem, weights);
  forward.Run(tensors);
}

#define ADDRNN_INSTANTIATE(S) \
  template void AddGruForward<S>(const Problem&, const Weights<S>&, const ForwardTensors<S>&);

ADDRNN_INSTANTIATE(float)
ADDRNN_INSTANTIATE(double)
ADDRNN_INSTANTIATE(Float16)
ADDRNN_INSTANTIATE(BFloat16)
#undef ADDRNN_INSTANTIATE

}  // namespace addrnn
