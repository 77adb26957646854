#ifndef KERAS_ADDRNN_CC_OPS_CORE_MIN_PROBLEM_H_
#define KERAS_ADDRNN_CC_OPS_CORE_MIN_PROBLEM_H_

// What one call of the recurrence with gates on inputs alone computes, and on which buffers. Plain
// data, as in problem.h.

#include "cc_ops/core/problem.h"

namespace addrnn {

// B rows of T steps, D inputs and H units; the gates of a step read the last w inputs.
struct MinSizes {
  int64_t batch;
  int64_t time;
  int64_t input;
  int64_t units;
  int64_t window;
};

// The recurrence of MinAddGRU in docs/explanation/parallel-in-time.md.
struct MinProblem : MinSizes {
  Activation activation;
  bool go_backwards;  // read the inputs and the mask from the last step to the first
};

template <typename S>
struct MinWeights {
  const S* kernel;  // [w, D, 2H] = [W_u | W_c]; the last of the w meets the newest input
  const S* bias;    // [2H], or null
};

// The inputs of a call, from which the windows are made.
template <typename S>
struct MinInputs {
  const S* inputs;          // [B, T, D]
  const S* initial_inputs;  // [B, w - 1, D], before the first step, oldest first; null for zeros
  const uint8_t* mask;      // [B, T], or null; zero: the step keeps the state, its input reads as 0
};

template <typename S>
struct MinForwardTensors : MinInputs<S> {
  const S* initial_state;  // [B, H], or null for zeros; below 0 it counts as 0
  S* outputs;              // [B, T, H]
  S* final_state;          // [B, H]
  uint8_t* reserve;        // [B, T, H] of GateBit, or null where no gradient is wanted
  S* candidates;           // [B, T, H] values of c_t; used for tanh with a reserve only, else null
};

template <typename S>
struct MinBackwardTensors : MinInputs<S> {
  const S* kernel;         // [w, D, 2H]
  const S* initial_state;  // [B, H], or null for zeros
  const uint8_t* reserve;  // [B, T, H], of the forward pass
  const S* candidates;     // [B, T, H], of the forward pass with tanh, else null
  const S* d_outputs;      // [B, T, H]
  const S* d_final_state;  // [B, H]
  S* d_inputs;             // [B, T, D], or null where it is not wanted
  S* d_initial_inputs;     // [B, w - 1, D], or null where it is not wanted
  S* d_kernel;             // [w, D, 2H]
  S* d_bias;               // [2H]
  S* d_initial_state;      // [B, H]
};

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_CORE_MIN_PROBLEM_H_
