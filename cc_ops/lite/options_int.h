#ifndef KERAS_ADDRNN_CC_OPS_LITE_OPTIONS_INT_H_
#define KERAS_ADDRNN_CC_OPS_LITE_OPTIONS_INT_H_

// The options of the integer operators in a LiteRT file: 20 bytes, little-endian, written by
// addrnn/lite/_operators.py.
//
//   offset  type      AddGruInt                    MinAddGruInt        AddGruIntDense
//        0  char[4]   "AGRI"                       "MGRI"              "AGRD"
//        4  uint32    version of this layout, 1    the same            the same
//        8  uint8     input_bits, 1 to 16          the same            the same
//        9  uint8     go_backwards: 0 or 1         the same            0
//       10  int16     state_shift                  input_zero_point    0
//       12  int16     state_max                    the same            0
//       14  int16     candidate_min                0                   0
//       16  int16     candidate_max                the same            0
//       18  uint16    0                            0                   0

#include <cstddef>

#include "cc_ops/core/integer_problem.h"
#include "cc_ops/core/min_integer_problem.h"

namespace addrnn {

// Reads the options into `problem`. Throws an Error that says what is wrong with them. The ranges
// of the numbers are left to Check().
void ReadOptions(const void* data, size_t size, IntegerProblem* problem);
void ReadOptions(const void* data, size_t size, MinIntegerProblem* problem);
void ReadOptions(const void* data, size_t size, IntegerDenseProblem* problem);

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_LITE_OPTIONS_INT_H_
