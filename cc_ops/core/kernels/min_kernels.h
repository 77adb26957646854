#ifndef KERAS_ADDRNN_CC_OPS_CORE_KERNELS_MIN_KERNELS_H_
#define KERAS_ADDRNN_CC_OPS_CORE_KERNELS_MIN_KERNELS_H_

// The interface of the kernels of the recurrence with gates on inputs alone; a part of the table in
// kernels.h.

#include "cc_ops/core/min_problem.h"

namespace addrnn {

template <typename S>
struct MinForwardTask {
  MinProblem problem;
  MinForwardTensors<S> tensors;
  const Compute<S>* packed;  // by pack_forward
};

// The backward pass of some rows goes through time in chunks of steps, last chunk first. A chunk
// has all steps of some rows, or some steps of one. What it holds of a row is `span` long in
// `dz` and `factors`: its steps, and the w - 1 after them.
template <typename S>
struct MinBackwardTask {
  using C = Compute<S>;
  MinSizes sizes;
  bool go_backwards;
  MinBackwardTensors<S> tensors;
  const C* packed;  // by pack_backward
  int64_t row_begin, row_end;
  int64_t t_begin, t_end;
  C* carry;      // [rows, gate_stride] dL/dh_t on its way to t - 1
  C* dz;         // [rows, span, dz_stride] dL/du, and dL/dz_c from gate_stride on
  C* factors;    // [rows, span, D] the inputs from those before t_begin on
  C* d_weights;  // [w * D + 1, 2 * gate_stride] the gradients of kernel and bias, laid out as dz
  int64_t gate_stride, dz_stride, span;
};

template <typename S>
struct MinKernels {
  using C = Compute<S>;

  int64_t lanes;          // of a vector, to which the buffers of a MinBackwardTask are padded
  int64_t panel_vectors;  // of units, that are computed together
  int64_t (*vectors)(const MinSizes&);  // of units, all in all
  int64_t (*packed_forward_size)(const MinSizes&);
  void (*pack_forward)(const MinSizes&, const MinWeights<S>&, C* packed);
  int64_t (*forward_scratch_size)(const MinSizes&);
  // All steps of the batch rows [row_begin, row_end) for the units [vector_begin, vector_end), in
  // vectors, which begin at a panel.
  void (*forward)(const MinForwardTask<S>&, int64_t row_begin, int64_t row_end,
                  int64_t vector_begin, int64_t vector_end, C* scratch);

  int64_t (*packed_backward_size)(const MinSizes&);
  void (*pack_backward)(const MinSizes&, const MinBackwardTensors<S>&, C* packed);
  // The carry of row_begin from before t_end to before t_begin, for the units [begin, end), which
  // begin at a vector; whole vectors are written.
  void (*carry)(const MinBackwardTask<S>&, int64_t begin, int64_t end);
  // The chunk's dz and carry; then its d_inputs; then its contribution to d_weights.
  void (*gate_gradient)(const MinBackwardTask<S>&);
  void (*input_gradient)(const MinBackwardTask<S>&);
  void (*weight_gradient)(const MinBackwardTask<S>&);
  // From d_final_state, for the units [begin, end); to d_initial_state.
  void (*load_carry)(const MinBackwardTask<S>&, int64_t begin, int64_t end);
  void (*store_carry)(const MinBackwardTask<S>&);
  // The rows [k_begin, k_end) of the groups' d_weights, group_stride apart, added up to the
  // gradients of kernel and bias.
  void (*store_weights)(const MinBackwardTask<S>&, int64_t groups, int64_t group_stride,
                        int64_t k_begin, int64_t k_end);
};

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_CORE_KERNELS_MIN_KERNELS_H_
