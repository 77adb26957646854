// The forward pass of the recurrence with gates on inputs alone: how it is shared out. Rows and
// units meet nobody else, so a thread takes some of both through all steps.

#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "cc_ops/core/dispatch.h"
#include "cc_ops/core/error.h"
#include "cc_ops/core/min_add_gru.h"

namespace addrnn {

void Check(const MinSizes& sizes) {
  const auto& [batch, time, input, units, window] = sizes;
  for (int64_t size : {batch, time, input, units}) {
    if (size < 0) throw Error("sizes must not be negative, received " + std::to_string(size));
  }
  if (window < 1) {
    throw Error("the window must have at least 1 input, received " + std::to_string(window));
  }
  // As for the sizes of AddGRU.
  const double limit = double(std::numeric_limits<int64_t>::max()) / 1024;
  const double rows = double(batch) * (double(time) + window) + 1;
  const double width = (double(input) + 1) * window + 2.0 * units + 256;
  if (rows * width > limit || width * width > limit) {
    throw Error("sizes too large: batch " + std::to_string(batch) + ", time " +
                std::to_string(time) + ", input " + std::to_string(input) + ", units " +
                std::to_string(units) + ", window " + std::to_string(window));
  }
}

template <typename S>
bool PreparedMinForward<S>::Holds(const MinProblem& p) const {
  return packed_ != nullptr && p.input == problem_.input && p.units == problem_.units &&
         p.window == problem_.window;
}

template <typename S>
void PreparedMinForward<S>::Prepare(const MinProblem& p, const MinWeights<S>& weights) {
  const MinKernels<S>& kernels = SelectedKernels<S>().min_add_gru;
  const bool packed = Holds(p);
  problem_ = p;
  if (!packed) {
    packed_.reset();
    Buffer<C> buffer = Allocate<C>(kernels.packed_forward_size(p));
    kernels.pack_forward(p, weights, buffer.get());
    packed_ = std::move(buffer);
  }
  const Parts parts = Divide();
  scratch_.Reserve(parts.rows * parts.vectors * parts.scratch_size);
}

template <typename S>
typename PreparedMinForward<S>::Parts PreparedMinForward<S>::Divide() const {
  const MinProblem& p = problem_;
  const MinKernels<S>& kernels = SelectedKernels<S>().min_add_gru;
  const double work = 2.0 * p.batch * p.time * p.units * p.window * p.input;
  const int all = addrnn::Parts(work, std::numeric_limits<int>::max());
  Parts parts;
  parts.rows = static_cast<int>(std::max<int64_t>(std::min<int64_t>(all, p.batch), 1));
  const int64_t vectors = kernels.vectors(p);
  const int64_t panels = (vectors + kernels.panel_vectors - 1) / kernels.panel_vectors;
  parts.vectors =
      static_cast<int>(std::max<int64_t>(std::min<int64_t>(all / parts.rows, panels), 1));
  parts.scratch_size = kernels.forward_scratch_size(p);
  return parts;
}

template <typename S>
void PreparedMinForward<S>::Run(const MinForwardTensors<S>& tensors) {
  const MinProblem& p = problem_;
  if (p.batch == 0 || p.units == 0) return;
  const MinKernels<S>& kernels = SelectedKernels<S>().min_add_gru;
  const Parts parts = Divide();
  const int all = parts.rows * parts.vectors;
  C* scratch = scratch_.Reserve(all * parts.scratch_size);
  const MinForwardTask<S> task = {p, tensors, packed_.get()};
  const int64_t vectors = kernels.vectors(p), panel = kernels.panel_vectors;
  const int64_t panels = (vectors + panel - 1) / panel;
  ParallelParts(all, all, [&](int part, int64_t, int64_t) {
    const int row = part / parts.vectors, column = part % parts.vectors;
    kernels.forward(task, p.batch * row / parts.rows, p.batch * (row + 1) / parts.rows,
                    panels * column / parts.vectors * panel,
                    std::min(panels * (column + 1) / parts.vectors * panel, vectors),
                    scratch + part * parts.scratch_size);
  });
}

template <typename S>
void MinAddGruForward(const MinProblem& problem, const MinWeights<S>& weights,
                      const MinForwardTensors<S>& tensors) {
  PreparedMinForward<S> forward;
  forward.Prepare(problem, weights);
  forward.Run(tensors);
}

#define ADDRNN_INSTANTIATE(S)                                                \
  template class PreparedMinForward<S>;                                      \
  template void MinAddGruForward<S>(const MinProblem&, const MinWeights<S>&, \
                                    const MinForwardTensors<S>&);

ADDRNN_INSTANTIATE(float)
ADDRNN_INSTANTIATE(double)
ADDRNN_INSTANTIATE(Float16)
ADDRNN_INSTANTIATE(BFloat16)
#undef ADDRNN_INSTANTIATE

}  // namespace addrnn
