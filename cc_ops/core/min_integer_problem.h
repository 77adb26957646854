#ifndef KERAS_ADDRNN_CC_OPS_CORE_MIN_INTEGER_PROBLEM_H_
#define KERAS_ADDRNN_CC_OPS_CORE_MIN_INTEGER_PROBLEM_H_

// What one call of MinAddGRU in integers computes (docs/explanation/integer.md), and on which
// buffers. Plain data without any include of the C++ library, as in problem.h.

#include "cc_ops/core/integer_problem.h"

namespace addrnn {

// B rows of T steps, D inputs and H units. The state is from 0 to state_max.
struct MinIntegerProblem {
  int64_t batch;
  int64_t time;
  int64_t input;
  int64_t units;
  int64_t window;            // w, the number of inputs that are read at a time
  int32_t input_bits;        // of the signed inputs, 1 to 16
  int32_t input_zero_point;  // what is read before the first step and at masked steps
  int32_t state_max;
  int32_t candidate_max;
  bool go_backwards;  // read the inputs and the mask from the last step to the first
};

// Of each row of 2H numbers the first half belongs to the update gate.
struct MinIntegerWeights {
  const int8_t* kernel;       // [w, D, 2H], the oldest input first
  const int32_t* bias;        // [2H]
  const uint8_t* shift;       // [2H], to the right
  const int32_t* multiplier;  // [2H], or null
};

struct MinIntegerTensors {
  IntegerInputs inputs;          // [B, T, D]
  IntegerInputs initial_inputs;  // [B, w - 1, D], oldest first, or both null for the zero point
  const int16_t* initial_state;  // [B, H], or null for zeros
  const uint8_t* mask;           // [B, T], or null; zero: the step keeps the state
  int16_t* outputs;              // [B, T, H], or null where only the last state is wanted
  int16_t* final_state;          // [B, H]
};

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_CORE_MIN_INTEGER_PROBLEM_H_
