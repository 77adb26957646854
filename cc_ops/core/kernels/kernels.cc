// The table of kernels of one instruction set. Compiled once for each, with ADDRNN_ISA naming it.

#include "cc_ops/core/kernels/kernels.h"

#include "cc_ops/core/kernels/backward.h"
#include "cc_ops/core/kernels/forward.h"
#include "cc_ops/core/kernels/integer_dense.h"
#include "cc_ops/core/kernels/integer_forward.h"
#include "cc_ops/core/kernels/min_backward.h"
#include "cc_ops/core/kernels/min_forward.h"
#include "cc_ops/core/kernels/min_integer_forward.h"
#include "cc_ops/core/kernels/small_batch.h"

namespace addrnn {
namespace ADDRNN_ISA {

template <typename S>
constexpr Kernels<S> Table() {
  using C = Compute<S>;
  return {
      kTileRows,
      kLanes<C>,
      PackedForwardSize<C>,
      PackForward<S>,
      ForwardScratchSize<C>,
      Forward<S>,
      kSmallBatchRows,
      SizesOfSmallBatch<S>,
      PackSmallBatch<S>,
      BeginSmallBatch<S>,
      LoadSmallBatch<S>,
      ProjectSmallBatch<S>,
      ActiveInSmallBatch<S>,
      SmallBatchStep<S>,
      EndSmallBatch<S>,
      PackedBackwardSize<C>,
      PackBackward<S>,
      Backward<S>,
      WeightGradient<S>,
      LoadCarry<S>,
      StoreCarry<S>,
      StoreWeights<S>,
      Widen<S>,
      StepGateGradient<S>,
      {kLanes<C>, MinForwardLayout<C>::kGateVectors,
       [](const MinSizes& p) { return MinForwardLayout<C>(p).vectors; }, MinPackedForwardSize<C>,
       MinPackForward<S>, MinForwardScratchSize<C>, MinForward<S>, MinPackedBackwardSize<C>,
       MinPackBackward<S>, MinCarry<S>, MinGateGradient<S>, MinInputGradient<S>,
       MinWeightGradient<S>, MinLoadCarry<S>, MinStoreCarry<S>, MinStoreWeights<S>}};
}

extern const Kernels<float> kFloat32;
extern const Kernels<double> kFloat64;
extern const Kernels<Float16> kFloat16;
extern const Kernels<BFloat16> kBFloat16;
extern const IntegerKernels kInteger;

const Kernels<float> kFloat32 = Table<float>();
const Kernels<double> kFloat64 = Table<double>();
const Kernels<Float16> kFloat16 = Table<Float16>();
const Kernels<BFloat16> kBFloat16 = Table<BFloat16>();
const IntegerKernels kInteger = {
    kIntegerTileRows,      IntegerPackedSize,      PackInteger,      IntegerScratchSize,
    ForwardInteger,        IntegerDensePackedSize, PackIntegerDense, IntegerDenseScratchSize,
    IntegerDense,          MinIntegerPackedSize,   PackMinInteger,   MinIntegerPanels,
    MinIntegerScratchSize, ForwardMinInteger};

}  // namespace ADDRNN_ISA
}  // namespace addrnn
