#ifndef KERAS_ADDRNN_CC_OPS_CORE_PREPARED_FORWARD_H_
#define KERAS_ADDRNN_CC_OPS_CORE_PREPARED_FORWARD_H_

// The forward pass in two halves, for weights that stay the same over many calls. What is used once
// goes the same way: AddGruForward.

#include "cc_ops/core/kernels/kernels.h"
#include "cc_ops/core/working.h"

namespace addrnn {

// One object is for one set of weights, and for any number of rows and steps in turn.
template <typename S>
class PreparedForward {
 public:
  // Brings the weights into the form in which the kernels read them for such a problem, unless the
  // last Prepare did, and allocates the working memory. Check() has checked the problem. Throws
  // std::bad_alloc.
  void Prepare(const Problem& problem, const Weights<S>& weights);

  // Whether all that such a problem needs of the weights is packed: Prepare does not look at them.
  bool Holds(const Problem& problem) const;

  // Whether Run reads the weights where they lie. If not, they need not be kept.
  bool reads_weights() const { return form_ == Form::kSmallBatchInPlace; }

  // Computes the problem of the last Prepare. Allocates nothing, unless there are more threads now
  // than there were then.
  void Run(const ForwardTensors<S>& tensors);

 private:
  using C = Compute<S>;

  enum class Form { kNone, kRows, kSmallBatch, kSmallBatchInPlace };

  // The working memory of a call, and among how many threads it is shared out.
  struct Rows {
    int parts;
    C* scratch;
    int64_t scratch_size;  // of each part
  };
  struct SmallBatch {
    int parts;
    SmallBatchTask<S> task;
    int32_t* lists;
    int64_t list_size;  // of each part
  };
  static Form FormFor(const Problem& problem);
  bool Packed(const Problem& problem, Form form) const;
  Rows ReserveRows();
  SmallBatch ReserveSmallBatch();

  void RunRows(const ForwardTensors<S>& tensors);
  void RunSmallBatch(const ForwardTensors<S>& tensors);

  Problem problem_ = {};
  Weights<S> weights_ = {};
  Form form_ = Form::kNone;
  Buffer<C> packed_;  // by pack_forward or pack_small_batch
  Workspace<C> scratch_;
  Workspace<int32_t> lists_;
};

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_CORE_PREPARED_FORWARD_H_
