// The forward pass: which kernels, on how many threads.

#include <utility>

#include "cc_ops/core/add_gru.h"
#include "cc_ops/core/dispatch.h"
#include "cc_ops/core/working.h"

namespace addrnn {
namespace {

// Rows are shared out to the threads, which take them through all steps.
template <typename S>
void ForwardRows(const Problem& p, const ForwardTensors<S>& tensors, const Kernels<S>& kernels) {
  using C = Compute<S>;
  const Buffer<C> packed = Allocate<C>(kernels.packed_forward_size(p));
  kernels.pack_forward(p, tensors, packed.get());

  const int parts = Parts(p, (p.batch + kernels.tile_rows - 1) / kernels.tile_rows, p.time);
  const int64_t scratch_size = kernels.forward_scratch_size(p, p.batch);
  const Buffer<C> scratch = Allocate<C>(parts * scratch_size);
  const ForwardTask<S> task = {p, tensors, packed.get()};
  ParallelParts(parts, p.batch, [&](int part, int64_t begin, int64_t end) {
    kernels.forward(task, begin, end, scratch.get() + part * scratch_size);
  });
}

// Too few rows to share out: the units are, at every step.
template <typename S>
void ForwardStream(const Problem& p, const ForwardTensors<S>& tensors, const Kernels<S>& kernels) {
  using C = Compute<S>;
  StreamTask<S> task = {};
  task.problem = p;
  task.tensors = tensors;
  task.sizes = kernels.stream_sizes(p);
  const auto [vectors, padded_units, steps, copied_rows, in_place] = task.sizes;
  const Buffer<C> copies = Allocate<C>(copied_rows * 2 * padded_units);
  const Buffer<C> inputs = Allocate<C>(steps * p.batch * p.input);
  const Buffer<C> projected = Allocate<C>(steps * p.batch * 2 * padded_units);
  const Buffer<C> states = Allocate<C>(2 * p.batch * padded_units);
  task.copies = copies.get();
  task.inputs = inputs.get();
  task.projected = projected.get();
  task.now = states.get();
  task.next = states.get() + p.batch * padded_units;
  const int parts = Parts(p, vectors, 1);
  const int64_t list_size = std::max(p.input, p.units);
  const Buffer<int32_t> lists = Allocate<int32_t>(parts * list_size);

  kernels.begin_stream(task);
  for (int64_t t_begin = 0; t_begin < p.time; t_begin += steps) {
    const int64_t t_end = std::min(t_begin + steps, p.time);
    kernels.load_stream(task, t_begin, t_end);
    ParallelParts(parts, vectors, [&](int part, int64_t begin, int64_t end) {
      kernels.project_stream(task, t_end - t_begin, begin, end, lists.get() + part * list_size);
    });
    for (int64_t t = t_begin; t < t_end; ++t) {
      const int64_t active = kernels.active_in_stream(task, lists.get());
      ParallelParts(parts, vectors, [&](int, int64_t begin, int64_t end) {
        kernels.stream_step(task, t, t - t_begin, lists.get(), active, begin, end);
      });
      std::swap(task.now, task.next);
    }
  }
  kernels.end_stream(task);
}

}  // namespace

template <typename S>
void AddGruForward(const Problem& p, const ForwardTensors<S>& tensors) {
  if (p.batch == 0 || p.units == 0) return;
  const Kernels<S>& kernels = SelectedKernels<S>();
  if (p.batch <= kernels.stream_rows) {
    ForwardStream(p, tensors, kernels);
  } else {
    ForwardRows(p, tensors, kernels);
  }
}

#define ADDRNN_INSTANTIATE(S) \
  template void AddGruForward<S>(const Problem&, const ForwardTensors<S>&);

ADDRNN_INSTANTIATE(float)
ADDRNN_INSTANTIATE(double)
ADDRNN_INSTANTIATE(Float16)
ADDRNN_INSTANTIATE(BFloat16)
#undef ADDRNN_INSTANTIATE

}  // namespace addrnn
