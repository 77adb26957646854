#ifndef KERAS_ADDRNN_CC_OPS_CORE_INTEGER_PROBLEM_H_
#define KERAS_ADDRNN_CC_OPS_CORE_INTEGER_PROBLEM_H_

// What one call in integers computes (docs/explanation/integer.md), and on which buffers. Plain
// data without any include of the C++ library, as in problem.h.

#include <stddef.h>
#include <stdint.h>

namespace addrnn {

// B rows of T steps, D inputs and H units. The state is from -state_shift to state_max.
struct IntegerProblem {
  int64_t batch;
  int64_t time;
  int64_t input;
  int64_t units;
  int32_t input_bits;  // of the signed inputs, 1 to 16
  int32_t state_shift;
  int32_t state_max;
  int32_t candidate_min;
  int32_t candidate_max;
  bool go_backwards;  // read the inputs and the mask from the last step to the first
};

// Of each row of 2H numbers the first half belongs to the update gate.
struct IntegerWeights {
  const int8_t* kernel;            // [D, 2H]
  const int8_t* recurrent_kernel;  // [H, 2H]
  const int32_t* bias;             // [2H]
  const uint8_t* kernel_shift;     // [2H], to the left
  const uint8_t* recurrent_shift;  // [2H], to the left
  const uint8_t* shift;            // [2H], to the right
  const int32_t* multiplier;       // [2H], or null
};

// Integers in either type; the other pointer is null.
struct IntegerInputs {
  const int8_t* int8;
  const int16_t* int16;
};

struct IntegerTensors {
  IntegerInputs inputs;          // [B, T, D]
  const int16_t* initial_state;  // [B, H], or null for zeros
  const uint8_t* mask;           // [B, T], or null; zero: the step keeps the state
  int16_t* outputs;              // [B, T, H], or null where only the last state is wanted
  int16_t* final_state;          // [B, H]
};

// A dense layer of C units on rows of F inputs: its outputs are the accumulators.
struct IntegerDenseProblem {
  int64_t rows;
  int64_t input;
  int64_t units;
  int32_t input_bits;  // of the signed inputs, 1 to 16
};

struct IntegerDenseWeights {
  const int8_t* kernel;  // [F, C]
  const int32_t* bias;   // [C]
};

struct IntegerDenseTensors {
  IntegerInputs inputs;  // [rows, F]
  int32_t* outputs;      // [rows, C]
};

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_CORE_INTEGER_PROBLEM_H_
