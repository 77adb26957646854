#ifndef KERAS_ADDRNN_CC_OPS_CORE_MIN_ADD_GRU_H_
#define KERAS_ADDRNN_CC_OPS_CORE_MIN_ADD_GRU_H_

// The recurrence with gates on inputs alone, over whole sequences, and its gradient; as
// add_gru.h.

#include "cc_ops/core/kernels/min_kernels.h"
#include "cc_ops/core/min_problem.h"
#include "cc_ops/core/working.h"

namespace addrnn {

// Throws an Error unless the sizes can be computed: none is negative, the window has at least one
// input, and all buffers fit an address.
void Check(const MinSizes& sizes);

// The forward pass in two halves, as PreparedForward.
template <typename S>
class PreparedMinForward {
 public:
  // Packs the weights, unless the last Prepare did for such a problem. Throws std::bad_alloc.
  void Prepare(const MinProblem& problem, const MinWeights<S>& weights);

  // Whether the weights are packed for such a problem: Prepare does not look at them.
  bool Holds(const MinProblem& problem) const;

  // Computes the problem of the last Prepare. Allocates nothing, unless there are more threads now
  // than there were then.
  void Run(const MinForwardTensors<S>& tensors);

 private:
  using C = Compute<S>;

  // How a call is shared out: rows and panels of units, in so many parts each.
  struct Division {
    int row_parts, panel_parts;
    int64_t vectors, panels;
    int64_t scratch_size;  // of each part

    int parts() const { return row_parts * panel_parts; }
  };
  Division Divide() const;

  MinProblem problem_ = {};
  Buffer<C> packed_;
  Workspace<C> scratch_;
};

// Both throw std::bad_alloc where there is no memory for the working buffers. The result does not
// depend on the number of threads. S is float, double, Float16 or BFloat16.
template <typename S>
void MinAddGruForward(const MinProblem& problem, const MinWeights<S>& weights,
                      const MinForwardTensors<S>& tensors);

template <typename S>
void MinAddGruBackward(const MinSizes& sizes, bool go_backwards,
                       const MinBackwardTensors<S>& tensors);

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_CORE_MIN_ADD_GRU_H_
