#ifndef KERAS_ADDRNN_CC_OPS_CORE_DISPATCH_H_
#define KERAS_ADDRNN_CC_OPS_CORE_DISPATCH_H_

// Which of the compiled instruction sets is used: the best one that this machine can run, or the
// one that the environment variable KERAS_ADDRNN_ISA names.

#include <string>

#include "cc_ops/core/kernels/integer_kernels.h"
#include "cc_ops/core/kernels/kernels.h"

namespace addrnn {

// Separated by spaces, best first: those compiled in that this machine can run.
std::string AvailableInstructionSets();

// Of the kernels in use. Decided once, at the first call. A name in KERAS_ADDRNN_ISA that is not
// available is not obeyed: RequestedInstructionSet tells what was asked for.
std::string InstructionSet();
std::string RequestedInstructionSet();

template <typename S>
const Kernels<S>& SelectedKernels();
template <>
const Kernels<float>& SelectedKernels<float>();
template <>
const Kernels<double>& SelectedKernels<double>();
template <>
const Kernels<Float16>& SelectedKernels<Float16>();
template <>
const Kernels<BFloat16>& SelectedKernels<BFloat16>();
const IntegerKernels& SelectedIntegerKernels();

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_CORE_DISPATCH_H_
