#ifndef KERAS_ADDRNN_CC_OPS_CORE_PROBLEM_H_
#define KERAS_ADDRNN_CC_OPS_CORE_PROBLEM_H_

// What one call computes, and on which buffers. Plain data without any include of the C++ library:
// these structs are also seen by the kernel files, which are compiled once per instruction set.

#include <stddef.h>
#include <stdint.h>

namespace addrnn {

enum class Activation { kLinear, kRelu, kHardTanh, kTanh };

// B rows of T steps, D inputs and H units.
struct Sizes {
  int64_t batch;
  int64_t time;
  int64_t input;
  int64_t units;
};

// The recurrence of docs/explanation/recurrence.md.
struct Problem : Sizes {
  Activation activation;
  double state_shift;  // s >= 0
  double state_max;    // m, infinity where the state has no bound
  bool go_backwards;   // read the inputs and the mask from the last step to the first
};

// Storage types that are not arithmetic types of the language. All arithmetic on them is done in
// float.
struct Float16 {
  uint16_t bits;
};
struct BFloat16 {
  uint16_t bits;
};

// The type in which a storage type is computed.
template <typename S>
struct ComputeType {
  using type = float;
};
template <>
struct ComputeType<double> {
  using type = double;
};
template <typename S>
using Compute = typename ComputeType<S>::type;

template <typename S>
struct Weights {
  const S* kernel;            // [D, 2H] = [W_u | W_c]
  const S* recurrent_kernel;  // [H, 2H] = [R_u | R_c]
  const S* bias;              // [2H], or null
};

template <typename S>
struct ForwardTensors {
  const S* inputs;         // [B, T, D]
  const S* initial_state;  // [B, H], or null for zeros
  const uint8_t* mask;     // [B, T], or null; zero: the step keeps the state
  S* outputs;              // [B, T, H]
  S* final_state;          // [B, H]
  uint8_t* reserve;        // [B, T, H] of GateBit, or null where no gradient is wanted
  S* candidates;           // [B, T, H] values of c_t; used for tanh with a reserve only, else null
};

template <typename S>
struct BackwardTensors {
  const S* inputs;            // [B, T, D]
  const S* kernel;            // [D, 2H]
  const S* recurrent_kernel;  // [H, 2H]
  const S* initial_state;     // [B, H], or null for zeros
  const S* outputs;           // [B, T, H], of the forward pass
  const uint8_t* reserve;     // [B, T, H], of the forward pass
  const S* candidates;        // [B, T, H], of the forward pass with tanh, else null
  const S* d_outputs;         // [B, T, H]
  const S* d_final_state;     // [B, H]
  S* d_inputs;                // [B, T, D], or null where it is not wanted
  S* d_kernel;                // [D, 2H]
  S* d_recurrent_kernel;      // [H, 2H]
  S* d_bias;                  // [2H]
  S* d_initial_state;         // [B, H]
};

// One step's gradient without its matrix products. Reads what BackwardTensors reads, for T = 1.
template <typename S>
struct StepGradientTensors {
  const uint8_t* reserve;  // [B, H]
  const S* candidates;     // [B, H], with tanh, else null
  const S* d_outputs;      // [B, H]
  const S* d_final_state;  // [B, H]
  S* d_sums;               // [B, 2H] dz, the gradient of x W + h R + b
  S* d_state;              // [B, H] of h_{t-1}, where the gate keeps it
};

// All that the backward pass has to know of one unit at one step (docs/explanation/recurrence.md).
// A masked step is kKeep alone, a step whose state was cut off at state_max has no bit at all.
enum GateBit : uint8_t {
  kKeep = 1,          // dh_{t-1} takes g
  kWrite = 2,         // dz_c takes g (times the derivative of tanh)
  kUpdateOpens = 4,   // du takes +g: u < 0 and the old state passed
  kUpdateCloses = 8,  // du takes -g: u > 0 and the candidate passed
};

// The distance between rows of n elements: an odd number of cache lines. Rows that are a power of
// two apart would compete for the same sets of the cache.
template <typename C>
__attribute__((always_inline)) constexpr int64_t SpreadStride(int64_t n) {
  constexpr int64_t kLine = 64 / sizeof(C);
  return ((n + kLine - 1) / kLine | 1) * kLine;
}

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_CORE_PROBLEM_H_
