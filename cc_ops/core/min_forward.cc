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
  const Division division = Divide();
  scratch_.Reserve(division.parts() * division.scratch_size);
}

template <typename S>
typename PreparedMinForward<S>::Division PreparedMinForward<S>::Divide() const {
  const MinProblem& p = problem_;
  const MinKernels<S>& kernels = SelectedKernels<S>().min_add_gru;
  Division division;
  division.vectors = kernels.vectors(p);
  division.panels = (division.vectors + kernels.panel_vectors - 1) / kernels.panel_vectors;
  division.scratch_size = kernels.forward_scratch_size(p);
  const double work = 2.0 * p.batch * p.time * p.units * p.window * p.input;
  const int most = NumThreads();
  division.row_parts = Parts(work, std::min<int64_t>(most, p.batch));
  division.panel_parts =
      Parts(work, std::min<int64_t>(Parts(work, most) / division.row_parts, division.panels));
  return division;
}

template <typename S>
void PreparedMinForward<S>::Run(const MinForwardTensors<S>& tensors) {
  const MinProblem& p = problem_;
  if (p.batch == 0 || p.units == 0) return;
  const MinKernels<S>& kernels = SelectedKernels<S>().min_add_gru;
  const Division d = Divide();
  C* scratch = scratch_.Reserve(d.parts() * d.scratch_size);
  const MinForwardTask<S> task = {p, tensors, packed_.get()};
  ParallelParts(d.parts(), d.parts(), [&](int part, int64_t, int64_t) {
    const int row = part / d.panel_parts, column = part % d.panel_parts;
    const auto vector = [&](int i) {
      return std::min(d.panels * i / d.panel_parts * kernels.panel_vectors, d.vectors);
    };
    kernels.forward(task, p.batch * row / d.row_parts, p.batch * (row + 1) / d.row_parts,
                    vector(column), vector(column + 1), scratch + part * d.scratch_size);
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
