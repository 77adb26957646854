// The backward pass of the recurrence with gates on inputs alone. Groups of batch rows, and of
// steps where there are few rows, are worked through on their own. What a group of steps has to
// know of those after it is the carry, which goes back through all steps first: that takes no
// product. How many groups there are depends on the problem alone, and so does every sum.

#include "cc_ops/core/dispatch.h"
#include "cc_ops/core/min_add_gru.h"

namespace addrnn {
namespace {

// Rows of a chunk, as for AddGRU.
constexpr int64_t kChunkRows = 256;

struct Groups {
  int64_t rows, steps;  // how many groups of either
  int64_t count() const { return rows * steps; }
};

Groups GroupsOf(const MinSizes& p, int64_t weights_size) {
  if (p.batch == 0 || p.units == 0) return {0, 0};
  constexpr int64_t kRows = 400, kMost = 16, kMostWeights = 1 << 22;
  const int64_t most = std::min({p.batch * p.time / kRows, kMost, kMostWeights / weights_size});
  int64_t count = 1;
  while (2 * count <= most) count *= 2;
  const int64_t rows = std::min(count, p.batch);
  return {rows, std::max<int64_t>(std::min(count / rows, p.time / kChunkRows), 1)};
}

template <typename S>
class Backward {
 public:
  using C = Compute<S>;

  Backward(const MinSizes& sizes, bool go_backwards, const MinBackwardTensors<S>& tensors)
      : p(sizes), kernels(SelectedKernels<S>().min_add_gru) {
    shared_.sizes = p;
    shared_.go_backwards = go_backwards;
    shared_.tensors = tensors;
    shared_.gate_stride = RoundUp(p.units, kernels.lanes);
    shared_.dz_stride = SpreadStride<C>(2 * shared_.gate_stride);
    weight_rows_ = p.window * p.input + 1;
    weights_size_ = std::max<int64_t>(weight_rows_ * 2 * shared_.gate_stride, 1);
    groups_ = GroupsOf(p, weights_size_);
  }

  void Run() {
    const bool inputs_too = shared_.tensors.d_inputs || shared_.tensors.d_initial_inputs;
    const Buffer<C> packed = Allocate<C>(inputs_too ? kernels.packed_backward_size(p) : 0);
    if (inputs_too) kernels.pack_backward(p, shared_.tensors, packed.get());
    shared_.packed = inputs_too ? packed.get() : nullptr;

    const int64_t count = groups_.count();
    const double work = 4.0 * p.batch * p.time * p.units * p.window * p.input;
    const int parts = Parts(work, count);
    const Buffer<C> carries = Carries();
    const Buffer<C> d_weights = AllocateZeros<C>(std::max<int64_t>(count, 1) * weights_size_);
    if (count > 0) RunGroups(parts, carries.get(), d_weights.get());

    shared_.d_weights = d_weights.get();
    ParallelParts(count > 1 ? parts : 1, weight_rows_, [&](int, int64_t begin, int64_t end) {
      kernels.store_weights(shared_, count, weights_size_, begin, end);
    });
  }

 private:
  // Where the group of steps begins to go back: the steps that read its last inputs are needed too.
  int64_t Start(int64_t group) const {
    return std::min(p.time * (group + 1) / groups_.steps + p.window - 1, p.time);
  }

  // The carry of each row where each group of steps begins: [groups of steps, B, gate_stride].
  // Empty if there is one group: then it is the gradient of the final state.
  Buffer<C> Carries() {
    if (groups_.steps <= 1) return nullptr;
    const int64_t stride = shared_.gate_stride;
    Buffer<C> carries = AllocateZeros<C>(groups_.steps * p.batch * stride);
    const int64_t vectors = stride / kernels.lanes;
    const int parts = Parts(double(p.batch) * p.time * p.units * 4, vectors);
    ParallelParts(parts, vectors, [&](int, int64_t first, int64_t last) {
      const int64_t begin = first * kernels.lanes;
      const int64_t end = std::min(last * kernels.lanes, p.units);
      for (int64_t b = 0; b < p.batch; ++b) {
        MinBackwardTask<S> task = shared_;
        task.row_begin = b;
        task.row_end = b + 1;
        task.t_end = p.time;
        const auto carry_of = [&](int64_t group) {
          return carries.get() + (group * p.batch + b) * stride;
        };
        task.carry = carry_of(groups_.steps - 1);
        kernels.load_carry(task, begin, end);
        for (int64_t group = groups_.steps - 2; group >= 0; --group) {
          std::copy(task.carry + begin, task.carry + end, carry_of(group) + begin);
          task.carry = carry_of(group);
          task.t_begin = Start(group);
          kernels.carry(task, begin, end);
          task.t_end = task.t_begin;
        }
      }
    });
    return carries;
  }

  void RunGroups(int parts, const C* carries, C* d_weights) {
    // All steps of some rows in a chunk, or some steps of one.
    const bool whole = groups_.steps == 1 && p.time <= kChunkRows;
    const int64_t group_rows = (p.batch + groups_.rows - 1) / groups_.rows;
    const int64_t steps = whole ? p.time : kChunkRows;
    shared_.span = steps + p.window - 1;
    const int64_t rows =
        whole ? std::min(std::max<int64_t>(kChunkRows / std::max<int64_t>(shared_.span, 1), 1),
                         group_rows)
              : 1;
    const int64_t carry_size = rows * shared_.gate_stride;
    const int64_t dz_size = rows * shared_.span * shared_.dz_stride;
    const int64_t factors_size = rows * shared_.span * p.input;
    const Buffer<C> carry = AllocateZeros<C>(parts * carry_size);
    const Buffer<C> dz = AllocateZeros<C>(parts * dz_size);
    const Buffer<C> factors = Allocate<C>(parts * factors_size);

    ParallelParts(parts, groups_.count(), [&](int part, int64_t begin, int64_t end) {
      MinBackwardTask<S> task = shared_;
      task.carry = carry.get() + part * carry_size;
      task.dz = dz.get() + part * dz_size;
      task.factors = factors.get() + part * factors_size;
      for (int64_t group = begin; group < end; ++group) {
        task.d_weights = d_weights + group * weights_size_;
        const int64_t of_steps = group % groups_.steps, of_rows = group / groups_.steps;
        const int64_t last = p.batch * (of_rows + 1) / groups_.rows;
        for (int64_t b = p.batch * of_rows / groups_.rows; b < last; b += rows) {
          task.row_begin = b;
          task.row_end = std::min(b + rows, last);
          if (carries == nullptr) {
            kernels.load_carry(task, 0, p.units);
          } else {
            const C* from = carries + (of_steps * p.batch + b) * shared_.gate_stride;
            std::copy(from, from + shared_.gate_stride, task.carry);
          }
          RunSteps(task, of_steps, steps);
        }
      }
    });
  }

  // A group of steps of the rows of the task, whose carry is there.
  void RunSteps(MinBackwardTask<S>& task, int64_t group, int64_t chunk) {
    const int64_t first = p.time * group / groups_.steps;
    const int64_t end = p.time * (group + 1) / groups_.steps;
    const int64_t halo = (p.window - 1) * shared_.dz_stride;
    if (task.row_end - task.row_begin == 1) {
      // The w - 1 steps after the group, as far as there are any.
      std::fill_n(task.dz, halo, C(0));
      task.t_begin = end;
      task.t_end = Start(group);
      kernels.gate_gradient(task);
    }
    for (task.t_end = end; task.t_end > first; task.t_end = task.t_begin) {
      task.t_begin = std::max(task.t_end - chunk, first);
      if (task.row_end - task.row_begin == 1) {
        std::copy_backward(task.dz, task.dz + halo,
                           task.dz + halo + (task.t_end - task.t_begin) * shared_.dz_stride);
      }
      kernels.gate_gradient(task);
      if (task.packed != nullptr) kernels.input_gradient(task);
      kernels.weight_gradient(task);
    }
    if (first == 0) kernels.store_carry(task);
  }

  const MinSizes p;
  const MinKernels<S>& kernels;
  MinBackwardTask<S> shared_ = {};
  int64_t weight_rows_, weights_size_;
  Groups groups_;
};

}  // namespace

template <typename S>
void MinAddGruBackward(const MinSizes& p, bool go_backwards, const MinBackwardTensors<S>& tensors) {
  // Without units or steps nothing is read.
  if (p.units == 0 && tensors.d_inputs != nullptr) {
    std::fill_n(tensors.d_inputs, p.batch * p.time * p.input, S{});
  }
  if ((p.units == 0 || p.time == 0) && tensors.d_initial_inputs != nullptr) {
    std::fill_n(tensors.d_initial_inputs, p.batch * (p.window - 1) * p.input, S{});
  }
  Backward<S>(p, go_backwards, tensors).Run();
}

#define ADDRNN_INSTANTIATE(S) \
  template void MinAddGruBackward<S>(const MinSizes&, bool, const MinBackwardTensors<S>&);

ADDRNN_INSTANTIATE(float)
ADDRNN_INSTANTIATE(double)
ADDRNN_INSTANTIATE(Float16)
ADDRNN_INSTANTIATE(BFloat16)
#undef ADDRNN_INSTANTIATE

}  // namespace addrnn
