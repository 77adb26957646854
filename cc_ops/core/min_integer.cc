// MinAddGRU in integers: which kernels, on which memory, on how many threads.

#include "cc_ops/core/min_integer.h"

#include <utility>

#include "cc_ops/core/dispatch.h"

namespace addrnn {

bool PreparedMinInteger::Holds(const MinIntegerProblem& p) const {
  return packed_ != nullptr && p.input == problem_.input && p.units == problem_.units &&
         p.window == problem_.window;
}

void PreparedMinInteger::Prepare(const MinIntegerProblem& p, const MinIntegerWeights& weights) {
  const IntegerKernels& kernels = SelectedIntegerKernels();
  if (!Holds(p)) {
    packed_.reset();
    Buffer<uint8_t> packed = Allocate<uint8_t>(kernels.packed_min_size(p));
    kernels.pack_min(p, weights, packed.get());
    packed_ = std::move(packed);
    rescale_ = weights.multiplier != nullptr;
  }
  problem_ = p;
  if (p.batch > 0) Reserve();
}

// Makes room for as many threads as it returns.
int PreparedMinInteger::Reserve() {
  const IntegerKernels& kernels = SelectedIntegerKernels();
  const MinIntegerProblem& p = problem_;
  const double work = 2.0 * p.batch * p.time * p.units * p.window * p.input;
  const int parts = Parts(work, std::max(p.batch, kernels.min_panels(p)));
  scratch_.Reserve(parts * kernels.min_scratch_size(p));
  return parts;
}

// Neither rows nor units meet. Threads share out the rows; where there are fewer rows than threads,
// the panels of units.
void PreparedMinInteger::Run(const MinIntegerTensors& tensors) {
  const MinIntegerProblem& p = problem_;
  if (p.batch == 0) return;
  const IntegerKernels& kernels = SelectedIntegerKernels();
  const int parts = Reserve();
  const int64_t scratch_size = kernels.min_scratch_size(p), panels = kernels.min_panels(p);
  uint8_t* scratch = scratch_.Reserve(parts * scratch_size);
  const MinIntegerTask task = {p, tensors, packed_.get(), rescale_};
  const bool rows = p.batch >= std::min<int64_t>(parts, panels);
  ParallelParts(parts, rows ? p.batch : panels, [&](int part, int64_t begin, int64_t end) {
    if (rows) {
      kernels.forward_min(task, begin, end, 0, panels, scratch + part * scratch_size);
    } else {
      kernels.forward_min(task, 0, p.batch, begin, end, scratch + part * scratch_size);
    }
  });
}

}  // namespace addrnn
