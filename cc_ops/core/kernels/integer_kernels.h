#ifndef KERAS_ADDRNN_CC_OPS_CORE_KERNELS_INTEGER_KERNELS_H_
#define KERAS_ADDRNN_CC_OPS_CORE_KERNELS_INTEGER_KERNELS_H_

// The interface of the integer kernels: one table of functions per instruction set, each of which
// does one piece of work in one thread. Sizes are in bytes; packed and scratch begin at a multiple
// of 64.

#include "cc_ops/core/integer_problem.h"
#include "cc_ops/core/min_integer_problem.h"

namespace addrnn {

struct IntegerTask {
  IntegerProblem problem;
  IntegerTensors tensors;
  const uint8_t* packed;  // by pack
  bool rescale;           // there are multipliers
};

struct IntegerDenseTask {
  IntegerDenseProblem problem;
  IntegerDenseTensors tensors;
  const uint8_t* packed;  // by pack_dense
};

struct MinIntegerTask {
  MinIntegerProblem problem;
  MinIntegerTensors tensors;
  const uint8_t* packed;  // by pack_min
  bool rescale;           // there are multipliers
};

struct IntegerKernels {
  int64_t tile_rows;  // batch rows that are computed together

  int64_t (*packed_size)(const IntegerProblem&);
  void (*pack)(const IntegerProblem&, const IntegerWeights&, uint8_t* packed);
  int64_t (*scratch_size)(const IntegerProblem&, int64_t rows);
  // All steps of the batch rows [row_begin, row_end).
  void (*forward)(const IntegerTask&, int64_t row_begin, int64_t row_end, uint8_t* scratch);

  int64_t (*packed_dense_size)(const IntegerDenseProblem&);
  void (*pack_dense)(const IntegerDenseProblem&, const IntegerDenseWeights&, uint8_t* packed);
  int64_t (*dense_scratch_size)(const IntegerDenseProblem&, int64_t rows);
  void (*dense)(const IntegerDenseTask&, int64_t row_begin, int64_t row_end, uint8_t* scratch);

  int64_t (*packed_min_size)(const MinIntegerProblem&);
  void (*pack_min)(const MinIntegerProblem&, const MinIntegerWeights&, uint8_t* packed);
  int64_t (*min_panels)(const MinIntegerProblem&);  // of units: what threads may share out
  int64_t (*min_scratch_size)(const MinIntegerProblem&);
  // All steps of the batch rows [row_begin, row_end), for the units of those panels.
  void (*forward_min)(const MinIntegerTask&, int64_t row_begin, int64_t row_end,
                      int64_t panel_begin, int64_t panel_end, uint8_t* scratch);
};

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_CORE_KERNELS_INTEGER_KERNELS_H_
