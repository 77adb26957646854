// The forward pass: which kernels, on which memory, on how many threads.

#include "cc_ops/core/prepared_forward.h"

#include <utility>

#include "cc_ops/core/dispatch.h"

namespace addrnn {

template <typename S>
typename PreparedForward<S>::Form PreparedForward<S>::FormFor(const Problem& p) {
  if (p.batch == 0 || p.units == 0) return Form::kNone;  // nothing to compute
  const Kernels<S>& kernels = SelectedKernels<S>();
  if (p.batch > kernels.small_batch_rows) return Form::kRows;
  return kernels.small_batch_sizes(p).in_place ? Form::kSmallBatchInPlace : Form::kSmallBatch;
}

template <typename S>
bool PreparedForward<S>::Packed(const Problem& p, Form form) const {
  return form == Form::kNone ||
         (form == form_ && p.input == problem_.input && p.units == problem_.units);
}

template <typename S>
bool PreparedForward<S>::Holds(const Problem& p) const {
  const Form form = FormFor(p);
  return form != Form::kSmallBatchInPlace && Packed(p, form);
}

template <typename S>
void PreparedForward<S>::Prepare(const Problem& p, const Weights<S>& weights) {
  const Kernels<S>& kernels = SelectedKernels<S>();
  const Form form = FormFor(p);
  const bool packed = Packed(p, form);
  form_ = Form::kNone;  // should memory run out
  problem_ = p;
  weights_ = weights;
  if (form == Form::kRows) {
    if (!packed) {
      packed_.reset();
      packed_ = Allocate<C>(kernels.packed_forward_size(p));
      kernels.pack_forward(p, weights, packed_.get());
    }
    ReserveRows();
  } else if (form != Form::kNone) {
    if (!packed) {
      const SmallBatchSizes sizes = kernels.small_batch_sizes(p);
      packed_.reset();
      packed_ = Allocate<C>(sizes.copied_rows * 2 * sizes.padded_units);
      kernels.pack_small_batch(p, sizes, weights, packed_.get());
    }
    ReserveSmallBatch();
  }
  form_ = form;
}

template <typename S>
void PreparedForward<S>::Run(const ForwardTensors<S>& tensors) {
  if (form_ == Form::kNone) return;
  if (form_ == Form::kRows) {
    RunRows(tensors);
  } else {
    RunSmallBatch(tensors);
  }
}

template <typename S>
typename PreparedForward<S>::Rows PreparedForward<S>::ReserveRows() {
  const Problem& p = problem_;
  const Kernels<S>& kernels = SelectedKernels<S>();
  Rows rows;
  rows.parts = Parts(p, (p.batch + kernels.tile_rows - 1) / kernels.tile_rows, p.time);
  rows.scratch_size = kernels.forward_scratch_size(p, p.batch);
  rows.scratch = scratch_.Reserve(rows.parts * rows.scratch_size);
  return rows;
}

// Rows are shared out to the threads, which take them through all steps.
template <typename S>
void PreparedForward<S>::RunRows(const ForwardTensors<S>& tensors) {
  const Kernels<S>& kernels = SelectedKernels<S>();
  const Rows rows = ReserveRows();
  const ForwardTask<S> task = {problem_, tensors, packed_.get()};
  ParallelParts(rows.parts, problem_.batch, [&](int part, int64_t begin, int64_t end) {
    kernels.forward(task, begin, end, rows.scratch + part * rows.scratch_size);
  });
}

template <typename S>
typename PreparedForward<S>::SmallBatch PreparedForward<S>::ReserveSmallBatch() {
  const Problem& p = problem_;
  SmallBatch small_batch = {};
  small_batch.task.problem = p;
  small_batch.task.sizes = SelectedKernels<S>().small_batch_sizes(p);
  const SmallBatchSizes& sizes = small_batch.task.sizes;
  small_batch.parts = Parts(p, sizes.vectors, 1);
  small_batch.list_size = std::max(p.input, p.units);
  small_batch.lists = lists_.Reserve(small_batch.parts * small_batch.list_size);
  // The inputs last: they alone are not whole vectors.
  const int64_t state = p.batch * sizes.padded_units, projected = sizes.steps * 2 * state;
  C* scratch = scratch_.Reserve(2 * state + projected + sizes.steps * p.batch * p.input);
  small_batch.task.now = scratch;
  small_batch.task.next = scratch + state;
  small_batch.task.projected = scratch + 2 * state;
  small_batch.task.inputs = small_batch.task.projected + projected;
  return small_batch;
}

// Too few rows to share out: the units are, at every step.
template <typename S>
void PreparedForward<S>::RunSmallBatch(const ForwardTensors<S>& tensors) {
  const Problem& p = problem_;
  const Kernels<S>& kernels = SelectedKernels<S>();
  SmallBatch small_batch = ReserveSmallBatch();
  SmallBatchTask<S>& task = small_batch.task;
  task.tensors = tensors;
  const int64_t vectors = task.sizes.vectors;
  kernels.begin_small_batch(weights_, packed_.get(), task);
  for (int64_t t_begin = 0; t_begin < p.time; t_begin += task.sizes.steps) {
    const int64_t t_end = std::min(t_begin + task.sizes.steps, p.time);
    kernels.load_small_batch(task, t_begin, t_end);
    ParallelParts(small_batch.parts, vectors, [&](int part, int64_t begin, int64_t end) {
      kernels.project_small_batch(task, t_end - t_begin, begin, end,
                                  small_batch.lists + part * small_batch.list_size);
    });
    for (int64_t t = t_begin; t < t_end; ++t) {
      const int64_t active = kernels.active_in_small_batch(task, small_batch.lists);
      ParallelParts(small_batch.parts, vectors, [&](int, int64_t begin, int64_t end) {
        kernels.small_batch_step(task, t, t - t_begin, small_batch.lists, active, begin, end);
      });
      std::swap(task.now, task.next);
    }
  }
  kernels.end_small_batch(task);
}

template class PreparedForward<float>;
template class PreparedForward<double>;
template class PreparedForward<Float16>;
template class PreparedForward<BFloat16>;

}  // namespace addrnn
