#ifndef KERAS_ADDRNN_CC_OPS_CORE_MIN_INTEGER_H_
#define KERAS_ADDRNN_CC_OPS_CORE_MIN_INTEGER_H_

// MinAddGRU in integers alone: what docs/explanation/integer.md defines, bit for bit. Beside
// integer.h.

#include "cc_ops/core/min_integer_problem.h"
#include "cc_ops/core/working.h"

namespace addrnn {

// Throws an Error unless the problem can be computed: sizes and numbers are in range.
void Check(const MinIntegerProblem& problem);

// The same for weights of a problem that can: shifts and multipliers are in range, and no partial
// sum of a column, in whatever order, can leave 32 bits.
void Check(const MinIntegerProblem& problem, const MinIntegerWeights& weights);

// One object is for one set of weights, and for any number of rows and steps in turn. Inputs and
// initial states out of range are cut off at its ends. The result does not depend on the number of
// threads.
class PreparedMinInteger {
 public:
  // Packs the weights, unless the last Prepare did, and allocates the working memory. Check() has
  // checked the problem, and the weights. Throws std::bad_alloc.
  void Prepare(const MinIntegerProblem& problem, const MinIntegerWeights& weights);

  // Whether the weights are packed for such a problem: Prepare does not look at them.
  bool Holds(const MinIntegerProblem& problem) const;

  // Computes the problem of the last Prepare. Allocates nothing, unless there are more threads now
  // than there were then.
  void Run(const MinIntegerTensors& tensors);

 private:
  int Reserve();

  MinIntegerProblem problem_ = {};
  bool rescale_ = false;
  Buffer<uint8_t> packed_;
  Workspace<uint8_t> scratch_;
};

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_CORE_MIN_INTEGER_H_
