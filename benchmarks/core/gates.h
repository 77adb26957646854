#ifndef KERAS_ADDRNN_BENCHMARKS_CORE_GATES_H_
#define KERAS_ADDRNN_BENCHMARKS_CORE_GATES_H_

// The gate alone, h' from u, c and h: by additions, as here, and by a product with a sigmoid, as in
// the multiplication-based baseline, once per instruction set. The compiler vectorises all but the
// look-ups in a table. Integers are fixed-point numbers, with as many fractional bits as leave room
// for a sum.

#include <stdint.h>

#include <string>

#include "cc_ops/core/kernels/kernels.h"

namespace addrnn {

template <typename T>
using GateFunction = void (*)(const T* u, const T* c, const T* h, T* next, int64_t n);

template <typename T>
struct Gates {
  GateFunction<T> addition;
  GateFunction<T> sigmoid;       // exact to the precision of float; by a table of 256 for integers
  GateFunction<T> hard_sigmoid;  // relu6(u + 3) / 6; for integers u + 1/2 between 0 and 1
};

struct GateTable {
  Gates<float> float32;
  Gates<int32_t> int32;
  Gates<int16_t> int16;
  Gates<int8_t> int8;
  // The whole cell with the gate of the baseline, by the kernels of this project.
  const Kernels<float>* multiplying_cell;
};

const GateTable& GatesFor(const std::string& instruction_set);

}  // namespace addrnn

#endif  // KERAS_ADDRNN_BENCHMARKS_CORE_GATES_H_
