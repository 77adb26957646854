#include "cc_ops/core/add_gru.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "cc_ops/core/error.h"
#include "cc_ops/core/prepared_forward.h"

namespace addrnn {

void Check(const Sizes& sizes) {
  const auto& [batch, time, input, units] = sizes;
  for (int64_t size : {batch, time, input, units}) {
    if (size < 0) throw Error("sizes must not be negative, received " + std::to_string(size));
  }
  // Every buffer, working buffers with their padding included, is far smaller than 64 times the
  // product of sizes that is bounded here.
  const double limit = double(std::numeric_limits<int64_t>::max()) / 1024;
  const double rows = double(batch) * std::max<double>(time, 1) + 1;
  const double width = double(input) + 2.0 * units + 256;
  if (rows * width > limit || width * width > limit) {
    throw Error("sizes too large: batch " + std::to_string(batch) + ", time " +
                std::to_string(time) + ", input " + std::to_string(input) + ", units " +
                std::to_string(units));
  }
}

void Check(const Problem& p) {
  Check(static_cast<const Sizes&>(p));
  if (!(std::isfinite(p.state_shift) && p.state_shift >= 0)) {
    throw Error("state_shift must be finite and at least 0, received " + Text(p.state_shift));
  }
  // Less is 0 to threads that flush subnormal numbers.
  constexpr double kLeast = std::numeric_limits<float>::min();
  if (!(p.state_max + p.state_shift >= kLeast)) {
    throw Error("state_max must be above -state_shift, the lowest state, by at least " +
                Text(kLeast) + ", received " + Text(p.state_max) + " with state_shift " +
                Text(p.state_shift));
  }
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
