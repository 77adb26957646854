#ifndef KERAS_ADDRNN_BENCHMARKS_CORE_CEILING_H_
#define KERAS_ADDRNN_BENCHMARKS_CORE_CEILING_H_

// How many floating-point operations one thread can do in a second: independent chains of
// multiply-adds on registers alone.

#include <string>

namespace addrnn {

// In FLOP/s, a multiply-add counted as two, with the vectors of an instruction set as
// dispatch.h names it. Takes less than a millisecond; the best of three runs.
double FmaCeiling(const std::string& instruction_set);

}  // namespace addrnn

#endif  // KERAS_ADDRNN_BENCHMARKS_CORE_CEILING_H_
