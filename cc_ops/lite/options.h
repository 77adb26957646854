#ifndef KERAS_ADDRNN_CC_OPS_LITE_OPTIONS_H_
#define KERAS_ADDRNN_CC_OPS_LITE_OPTIONS_H_

// The options of an AddGru operator in a LiteRT file: 20 bytes, little-endian, written by
// addrnn/lite/_operators.py.
//
//   offset  type      content
//        0  char[4]   "AGRU"
//        4  uint32    version of this layout, 1
//        8  uint8     activation: 0 linear, 1 relu, 2 hard_tanh, 3 tanh
//        9  uint8     go_backwards: 0 or 1
//       10  uint16    0
//       12  float32   state_shift
//       16  float32   state_max, infinity where the state has no bound
//
// Those of a MinAddGru are the first 12 of these bytes, with "MGRU" for "AGRU".

#include <cstddef>

#include "cc_ops/core/min_problem.h"
#include "cc_ops/core/problem.h"

namespace addrnn {

// Reads the options into `problem`. Throws an Error that says what is wrong with them. state_shift
// and state_max are left to Check().
void ReadOptions(const void* data, size_t size, Problem* problem);
void ReadOptions(const void* data, size_t size, MinProblem* problem);

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_LITE_OPTIONS_H_
