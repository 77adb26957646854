#ifndef KERAS_ADDRNN_CC_OPS_CORE_KERNELS_KERNELS_H_
#define KERAS_ADDRNN_CC_OPS_CORE_KERNELS_KERNELS_H_

// The interface of the kernels: one table of functions per instruction set and storage type.
// prepared_forward.cc and backward.cc cut a call into independent pieces of work for the threads;
// a function of this table does one piece in one thread. Sizes are in elements of Compute<S>.

#include "cc_ops/core/kernels/min_kernels.h"
#include "cc_ops/core/problem.h"

namespace addrnn {

template <typename S>
struct ForwardTask {
  Problem problem;
  ForwardTensors<S> tensors;
  const Compute<S>* packed;  // by pack_forward
};

// The forward pass of few rows goes through time in chunks of steps too, first chunk first.
struct SmallBatchSizes {
  int64_t vectors;  // of units: what threads share out
  int64_t padded_units;
  int64_t steps;        // of a chunk, at most
  int64_t copied_rows;  // of the weights and the bias: [copied_rows, 2 * padded_units]
  bool in_place;        // the weights are read where they lie, but for the last rows
};

// Weights [rows, u | z], `stride` apart, z after z_offset. A last row that no vector may read past
// is in `last` too, with halves of padded_units.
template <typename C>
struct SmallBatchMatrix {
  const C* data;
  const C* last;
  int64_t rows, stride, z_offset;
};

template <typename S>
struct SmallBatchTask {
  using C = Compute<S>;
  Problem problem;
  ForwardTensors<S> tensors;
  SmallBatchSizes sizes;
  const C* bias;  // [2 * padded_units]; this and the matrices are set by begin_small_batch
  SmallBatchMatrix<C> kernel, recurrent_kernel;
  C* inputs;     // [steps, B, D]
  C* projected;  // [steps, B, 2 * padded_units]
  C* now;        // [B, padded_units] h_{t-1}
  C* next;       // [B, padded_units] h_t
};

// The backward pass of a group of batch rows goes through time in chunks of steps, last chunk
// first. The rows of a chunk are the pairs (step, row of the group), step by step.
template <typename S>
struct BackwardTask {
  using C = Compute<S>;
  Sizes sizes;
  bool go_backwards;
  BackwardTensors<S> tensors;
  const C* packed;  // by pack_backward
  int64_t row_begin, row_end;
  int64_t t_begin, t_end;
  C* carry;      // [rows of the group, carry_stride] dL/dh_t on its way to t - 1
  C* dz;         // [rows, dz_stride] dL/du, and dL/dz_c from gate_stride on
  C* factors;    // [rows, factor_stride] x_t | h_{t-1} | 1
  C* d_weights;  // [D + H + 1, weights_stride] the gradients of [W; R; b], laid out as dz
  int64_t carry_stride, gate_stride, dz_stride, factor_stride, weights_stride;
};

template <typename S>
struct Kernels {
  using C = Compute<S>;

  int64_t tile_rows;  // batch rows that are computed together
  int64_t lanes;      // of a vector; the buffers of a BackwardTask are padded to them with zeros

  int64_t (*packed_forward_size)(const Problem&);
  void (*pack_forward)(const Problem&, const Weights<S>&, C* packed);
  int64_t (*forward_scratch_size)(const Problem&, int64_t rows);
  // All steps of the batch rows [row_begin, row_end).
  void (*forward)(const ForwardTask<S>&, int64_t row_begin, int64_t row_end, C* scratch);

  // At most small_batch_rows rows. The caller swaps `now` and `next` after each step.
  int64_t small_batch_rows;
  SmallBatchSizes (*small_batch_sizes)(const Problem&);
  void (*pack_small_batch)(const Problem&, const SmallBatchSizes&, const Weights<S>&, C* copies);
  // Sets the bias and the matrices of the task, and `now`.
  void (*begin_small_batch)(const Weights<S>&, const C* copies, SmallBatchTask<S>&);
  void (*load_small_batch)(const SmallBatchTask<S>&, int64_t t_begin, int64_t t_end);
  // The units [begin, end) in vectors; `indices` has room for D.
  void (*project_small_batch)(const SmallBatchTask<S>&, int64_t steps, int64_t begin, int64_t end,
                              int32_t* indices);
  // Writes which units are not zero in `now`, and returns how many.
  int64_t (*active_in_small_batch)(const SmallBatchTask<S>&, int32_t* active);
  void (*small_batch_step)(const SmallBatchTask<S>&, int64_t t, int64_t step, const int32_t* active,
                           int64_t n, int64_t begin, int64_t end);
  void (*end_small_batch)(const SmallBatchTask<S>&);

  int64_t (*packed_backward_size)(const Sizes&, bool inputs_too);
  void (*pack_backward)(const Sizes&, const BackwardTensors<S>&, C* packed);
  // The chunk's dz, factors, carry and d_inputs; then its contribution to d_weights.
  void (*backward)(const BackwardTask<S>&);
  void (*weight_gradient)(const BackwardTask<S>&);
  // Before the first chunk of a group: carry from d_final_state. After its last: to
  // d_initial_state.
  void (*load_carry)(const BackwardTask<S>&);
  void (*store_carry)(const BackwardTask<S>&);
  // At the end: the rows [k_begin, k_end) of the groups' d_weights, group_stride apart, added up to
  // the gradients of kernel, recurrent_kernel and bias.
  void (*store_weights)(const BackwardTask<S>&, int64_t groups, int64_t group_stride,
                        int64_t k_begin, int64_t k_end);

  void (*widen)(const S* from, int64_t n, C* to);

  // Of the gate of a single step.
  void (*step_gate_gradient)(const StepGradientTensors<S>&, int64_t batch, int64_t units);

  MinKernels<S> min_add_gru;
};

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_CORE_KERNELS_KERNELS_H_
