#include "cc_ops/core/add_gru.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <new>

#include "cc_ops/core/dispatch.h"
#include "cc_ops/core/thread_pool.h"

namespace addrnn {
namespace {

// Less work than this (in multiply-adds) is done sooner than another thread is woken.
constexpr double kWorkPerThread = 1e6;

// Rows of a chunk of the backward pass: enough for an efficient product over them, few enough for
// its buffers to stay in the cache between the two halves of the work.
constexpr int64_t kChunkRows = 256;

struct Free {
  void operator()(void* buffer) const { ::operator delete(buffer, std::align_val_t(64)); }
};

template <typename C>
using Buffer = std::unique_ptr<C[], Free>;

template <typename C>
Buffer<C> Allocate(int64_t n) {
  const size_t bytes = std::max<int64_t>(n, 1) * sizeof(C);
  return Buffer<C>(static_cast<C*>(::operator new(bytes, std::align_val_t(64))));
}

template <typename C>
Buffer<C> AllocateZeros(int64_t n) {
  Buffer<C> buffer = Allocate<C>(n);
  std::fill_n(buffer.get(), n, C(0));
  return buffer;
}

int Parts(const Problem& p, int64_t tiles, int64_t steps) {
  const double work = 2.0 * p.batch * steps * p.units * (p.input + p.units);
  const double parts = std::min({work / kWorkPerThread, double(tiles), double(NumThreads())});
  return std::max(int(parts), 1);
}

// Whole tiles for every part but the last: calls body(part, begin, end) on the pool.
template <typename Body>
void ParallelTiles(int parts, int64_t n, int64_t tile, const Body& body) {
  const int64_t tiles = (n + tile - 1) / tile;
  // Where there are enough rows for it, parts are cut evenly and tiles within them adapt.
  ParallelFor(parts, [&](int part) {
    const int64_t begin =
        tiles >= 2 * parts ? n * part / parts : std::min(n, tiles * part / parts * tile);
    const int64_t end = tiles >= 2 * parts ? n * (part + 1) / parts
                                           : std::min(n, tiles * (part + 1) / parts * tile);
    if (begin < end) body(part, begin, end);
  });
}

int64_t RoundUp(int64_t n, int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }

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
  ParallelTiles(parts, p.batch, kernels.tile_rows, [&](int part, int64_t begin, int64_t end) {
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
  const auto [vectors, padded_units, steps] = task.sizes;
  const Buffer<C> weights = Allocate<C>((1 + p.input + p.units) * 2 * padded_units);
  const Buffer<C> inputs = Allocate<C>(steps * p.batch * p.input);
  const Buffer<C> projected = Allocate<C>(steps * p.batch * 2 * padded_units);
  const Buffer<C> states = Allocate<C>(2 * p.batch * padded_units);
  task.weights = weights.get();
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
    ParallelTiles(parts, vectors, 1, [&](int part, int64_t begin, int64_t end) {
      kernels.project_stream(task, t_end - t_begin, begin, end, lists.get() + part * list_size);
    });
    for (int64_t t = t_begin; t < t_end; ++t) {
      const int64_t active = kernels.active_in_stream(task, lists.get());
      ParallelTiles(parts, vectors, 1, [&](int, int64_t begin, int64_t end) {
        kernels.stream_step(task, t, t - t_begin, lists.get(), active, begin, end);
      });
      std::swap(task.now, task.next);
    }
  }
  kernels.end_stream(task);
}

}  // namespace

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
void AddGruForward(const Problem& p, const ForwardTensors<S>& tensors) {
  if (p.batch == 0 || p.units == 0) return;
  const Kernels<S>& kernels = SelectedKernels<S>();
  if (p.batch <= kernels.stream_rows) {
    ForwardStream(p, tensors, kernels);
  } else {
    ForwardRows(p, tensors, kernels);
  }
}

template <typename S>
void AddGruBackward(const Problem& p, const BackwardTensors<S>& tensors) {
  using C = Compute<S>;
  const Kernels<S>& kernels = SelectedKernels<S>();
  const Buffer<C> packed =
      Allocate<C>(kernels.packed_backward_size(p, tensors.d_inputs != nullptr));
  kernels.pack_backward(p, tensors, packed.get());

  const int64_t steps =
      std::min(std::max<int64_t>(kChunkRows / std::max<int64_t>(p.batch, 1), 1), p.time);
  const int64_t rows = steps * p.batch;
  const int64_t weight_rows = p.input + p.units + 1;
  BackwardTask<S> task = {};
  task.problem = p;
  task.tensors = tensors;
  task.packed = packed.get();
  task.carry_stride = RoundUp(p.units, kernels.tile_columns);
  task.gate_stride = RoundUp(p.units, kernels.tile_columns / 2);
  task.weights_stride = 2 * task.gate_stride;
  task.dz_stride = SpreadStride<C>(task.weights_stride);
  task.factor_stride = SpreadStride<C>(weight_rows);
  const Buffer<C> carry = AllocateZeros<C>(p.batch * task.carry_stride);
  const Buffer<C> dz = AllocateZeros<C>(rows * task.dz_stride);
  const Buffer<C> factors = Allocate<C>(rows * task.factor_stride);
  const Buffer<C> d_weights = AllocateZeros<C>(weight_rows * task.weights_stride);
  task.carry = carry.get();
  task.dz = dz.get();
  task.factors = factors.get();
  task.d_weights = d_weights.get();

  kernels.load_carry(task);
  const int row_parts = Parts(p, (p.batch + kernels.tile_rows - 1) / kernels.tile_rows, steps);
  const int weight_parts =
      Parts(p, (weight_rows + kernels.tile_rows - 1) / kernels.tile_rows, steps);
  // Without rows or units there may still be any number of steps: nothing is done in them.
  const bool empty = p.batch == 0 || p.units == 0;
  if (empty && tensors.d_inputs != nullptr) {
    std::fill_n(tensors.d_inputs, p.batch * p.time * p.input, S{});
  }
  for (task.t_end = empty ? 0 : p.time; task.t_end > 0; task.t_end = task.t_begin) {
    task.t_begin = std::max<int64_t>(task.t_end - steps, 0);
    ParallelTiles(row_parts, p.batch, kernels.tile_rows,
                  [&](int, int64_t begin, int64_t end) { kernels.backward(task, begin, end); });
    ParallelTiles(
        weight_parts, weight_rows, kernels.tile_rows,
        [&](int, int64_t begin, int64_t end) { kernels.weight_gradient(task, begin, end); });
  }
  kernels.store_gradients(task);
}

#define ADDRNN_INSTANTIATE(S)                                               \
  template void AddGruForward<S>(const Problem&, const ForwardTensors<S>&); \
  template void AddGruBackward<S>(const Problem&, const BackwardTensors<S>&);

ADDRNN_INSTANTIATE(float)
ADDRNN_INSTANTIATE(double)
ADDRNN_INSTANTIATE(Float16)
ADDRNN_INSTANTIATE(BFloat16)
#undef ADDRNN_INSTANTIATE

}  // namespace addrnn
