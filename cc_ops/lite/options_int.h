#ifndef KERAS_ADDRNN_CC_OPS_LITE_OPTIONS_INT_H_
#define KERAS_ADDRNN_CC_OPS_LITE_OPTIONS_INT_H_

// The options of the integer operators in a LiteRT file: 20 bytes, little-endian, written by
// keras_addrnn/lite/integer.py.
//
//   offset  type      AddGruInt                             AddGruIntDense
//        0  char[4]   "AGRI"                                "AGRD"
//        4  uint32    version of this layout, 1             the same
//        8  uint8     input_bits, 1 to 16                   the same
//        9  uint8     go_backwards: 0 or 1                  0
//       10  int16     state_shift                           0
//       12  int16     state_max                             0
//       14  int16     candidate_min                         0
//       16  int16     candidate_max                         0
//       18  uint16    0                                     0

#include <cstddef>

#include "cc_ops/core/integer_problem.h"

namespace addrnn {

// Reads the options into `problem`. Throws an Error that says what is wrong with them. The ranges
// of the numbers are left to Check().
void ReadOptions(const void* data, size_t size, IntegerProblem* problem);
void ReadOptions(const void* data, size_t size, IntegerDenseProblem* problem);

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_LITE_OPTIONS_INT_H_
