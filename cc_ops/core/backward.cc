// The backward pass. Groups of batch rows go back through time on their own, so threads meet only
// at the end, to add up what each group says of the weights. How many groups depends on the problem
// alone, and so does the order of every sum.

#include "cc_ops/core/add_gru.h"
#include "cc_ops/core/dispatch.h"
#include "cc_ops/core/working.h"

namespace addrnn {
namespace {

// Rows of a chunk of steps: enough for an efficient product over them, few enough for its buffers
// to stay in the cache between the two halves of the work.
constexpr int64_t kChunkRows = 256;

// As many as pay: each with some tiles of rows, and a chunk of its own at least.
int64_t Groups(const Sizes& p, int64_t weights_size) {
  constexpr int64_t kRows = 16, kMost = 16, kMostWeights = 1 << 22;
  return std::max<int64_t>(std::min({p.batch / kRows, p.batch * p.time / kChunkRows, kMost,
                                     kMostWeights / weights_size}),
                           1);
}

}  // namespace

template <typename S>
void AddGruBackward(const Sizes& p, bool go_backwards, const BackwardTensors<S>& tensors) {
  using C = Compute<S>;
  const Kernels<S>& kernels = SelectedKernels<S>();
  // Without rows or units there may still be any number of steps: nothing is done in them.
  const bool empty = p.batch == 0 || p.units == 0;
  if (empty && tensors.d_inputs != nullptr) {
    std::fill_n(tensors.d_inputs, p.batch * p.time * p.input, S{});
  }
  const Buffer<C> packed =
      Allocate<C>(kernels.packed_backward_size(p, tensors.d_inputs != nullptr));
  kernels.pack_backward(p, tensors, packed.get());

  const int64_t weight_rows = p.input + p.units + 1;
  BackwardTask<S> shared = {};
  shared.sizes = p;
  shared.go_backwards = go_backwards;
  shared.tensors = tensors;
  shared.packed = packed.get();
  shared.carry_stride = RoundUp(p.units, kernels.lanes);
  shared.gate_stride = RoundUp(p.units, kernels.lanes);
  shared.weights_stride = 2 * shared.gate_stride;
  shared.dz_stride = SpreadStride<C>(shared.weights_stride);
  shared.factor_stride = SpreadStride<C>(weight_rows);

  const int64_t weights_size = std::max<int64_t>(weight_rows * shared.weights_stride, 1);
  const int64_t groups = empty ? 0 : Groups(p, weights_size);
  const int64_t group_rows = empty ? 0 : (p.batch + groups - 1) / groups;
  const int64_t steps = empty ? 0 : std::min(std::max<int64_t>(kChunkRows / group_rows, 1), p.time);
  const int parts = Parts(p, groups, 2 * p.time);
  const int64_t carry_size = group_rows * shared.carry_stride;
  const int64_t dz_size = steps * group_rows * shared.dz_stride;
  const int64_t factors_size = steps * group_rows * shared.factor_stride;
  const Buffer<C> carry = AllocateZeros<C>(parts * carry_size);
  const Buffer<C> dz = AllocateZeros<C>(parts * dz_size);
  const Buffer<C> factors = Allocate<C>(parts * factors_size);
  const Buffer<C> d_weights = AllocateZeros<C>(std::max<int64_t>(groups, 1) * weights_size);

  ParallelParts(parts, groups, [&](int part, int64_t group_begin, int64_t group_end) {
    BackwardTask<S> task = shared;
    task.carry = carry.get() + part * carry_size;
    task.dz = dz.get() + part * dz_size;
    task.factors = factors.get() + part * factors_size;
    for (int64_t group = group_begin; group < group_end; ++group) {
      task.row_begin = p.batch * group / groups;
      task.row_end = p.batch * (group + 1) / groups;
      task.d_weights = d_weights.get() + group * weights_size;
      kernels.load_carry(task);
      for (task.t_end = p.time; task.t_end > 0; task.t_end = task.t_begin) {
        task.t_begin = std::max<int64_t>(task.t_end - steps, 0);
        kernels.backward(task);
        kernels.weight_gradient(task);
      }
      kernels.store_carry(task);
    }
  });
  shared.d_weights = d_weights.get();
  const int sums = groups > 1 ? parts : 1;
  ParallelParts(sums, weight_rows, [&](int, int64_t begin, int64_t end) {
    kernels.store_weights(shared, groups, weights_size, begin, end);
  });
}

template <typename S>
void AddGruStepGradient(int64_t batch, int64_t units, const StepGradientTensors<S>& tensors) {
  SelectedKernels<S>().step_gate_gradient(tensors, batch, units);
}

#define ADDRNN_INSTANTIATE(S)                                                     \
  template void AddGruBackward<S>(const Sizes&, bool, const BackwardTensors<S>&); \
  template void AddGruStepGradient<S>(int64_t, int64_t, const StepGradientTensors<S>&);

ADDRNN_INSTANTIATE(float)
ADDRNN_INSTANTIATE(double)
ADDRNN_INSTANTIATE(Float16)
ADDRNN_INSTANTIATE(BFloat16)
#undef ADDRNN_INSTANTIATE

}  // namespace addrnn
