// The recurrence in integers: which kernels, on which memory, on how many threads.

#include "cc_ops/core/integer.h"

#include <utility>

#include "cc_ops/core/dispatch.h"

namespace addrnn {

bool PreparedInteger::Holds(const IntegerProblem& p) const {
  return packed_ != nullptr && p.input == problem_.input && p.units == problem_.units;
}

void PreparedInteger::Prepare(const IntegerProblem& p, const IntegerWeights& weights) {
  const IntegerKernels& kernels = SelectedIntegerKernels();
  if (!Holds(p)) {
    packed_.reset();
    Buffer<uint8_t> packed = Allocate<uint8_t>(kernels.packed_size(p));
    kernels.pack(p, weights, packed.get());
    packed_ = std::move(packed);
    rescale_ = weights.multiplier != nullptr;
  }
  problem_ = p;
  if (p.batch > 0) Reserve();
}

// Makes room for as many threads as it returns. Rows are shared out to them, through all steps.
int PreparedInteger::Reserve() {
  const IntegerKernels& kernels = SelectedIntegerKernels();
  const IntegerProblem& p = problem_;
  const int64_t tiles = (p.batch + kernels.tile_rows - 1) / kernels.tile_rows;
  const int parts = Parts(double(p.batch) * p.time * 2 * p.units * (p.input + p.units), tiles);
  scratch_.Reserve(parts * kernels.scratch_size(p, p.batch));
  return parts;
}

void PreparedInteger::Run(const IntegerTensors& tensors) {
  const IntegerProblem& p = problem_;
  if (p.batch == 0) return;
  const IntegerKernels& kernels = SelectedIntegerKernels();
  const int parts = Reserve();
  const int64_t scratch_size = kernels.scratch_size(p, p.batch);
  uint8_t* scratch = scratch_.Reserve(parts * scratch_size);
  const IntegerTask task = {p, tensors, packed_.get(), rescale_};
  ParallelParts(parts, p.batch, [&](int part, int64_t begin, int64_t end) {
    kernels.forward(task, begin, end, scratch + part * scratch_size);
  });
}

bool PreparedIntegerDense::Holds(const IntegerDenseProblem& p) const {
  return packed_ != nullptr && p.input == problem_.input && p.units == problem_.units;
}

void PreparedIntegerDense::Prepare(const IntegerDenseProblem& p,
                                   const IntegerDenseWeights& weights) {
  const IntegerKernels& kernels = SelectedIntegerKernels();
  if (!Holds(p)) {
    packed_.reset();
    Buffer<uint8_t> packed = Allocate<uint8_t>(kernels.packed_dense_size(p));
    kernels.pack_dense(p, weights, packed.get());
    packed_ = std::move(packed);
  }
  problem_ = p;
  if (p.rows > 0) Reserve();
}

int PreparedIntegerDense::Reserve() {
  const IntegerKernels& kernels = SelectedIntegerKernels();
  const IntegerDenseProblem& p = problem_;
  const int64_t tiles = (p.rows + kernels.tile_rows - 1) / kernels.tile_rows;
  const int parts = Parts(double(p.rows) * p.units * p.input, tiles);
  scratch_.Reserve(parts * kernels.dense_scratch_size(p, p.rows));
  return parts;
}

void PreparedIntegerDense::Run(const IntegerDenseTensors& tensors) {
  const IntegerDenseProblem& p = problem_;
  if (p.rows == 0) return;
  const IntegerKernels& kernels = SelectedIntegerKernels();
  const int parts = Reserve();
  const int64_t scratch_size = kernels.dense_scratch_size(p, p.rows);
  uint8_t* scratch = scratch_.Reserve(parts * scratch_size);
  const IntegerDenseTask task = {p, tensors, packed_.get()};
  ParallelParts(parts, p.rows, [&](int part, int64_t begin, int64_t end) {
    kernels.dense(task, begin, end, scratch + part * scratch_size);
  });
}

}  // namespace addrnn
