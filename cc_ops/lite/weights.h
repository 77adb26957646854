#ifndef KERAS_ADDRNN_CC_OPS_LITE_WEIGHTS_H_
#define KERAS_ADDRNN_CC_OPS_LITE_WEIGHTS_H_

#include <vector>

#include "cc_ops/lite/tensors.h"

namespace addrnn {

// A matrix of weights [rows, columns], or several [..., rows, columns], of float32, or of float16
// or int8 that are constants of the file. int8 has scales without zero points: one, or one for each
// column.
class WeightMatrix {
 public:
  static constexpr std::initializer_list<TfLiteType> kTypes = {kTfLiteFloat32, kTfLiteFloat16,
                                                               kTfLiteInt8};

  // As float32: where the tensor lies, or expanded here, once. `tensor` is of kTypes, and its
  // shape is known to be sound.
  const float* Values(const TfLiteTensor& tensor, const char* name);

  // Gives the expanded values back.
  void Forget() { expanded_ = {}; }

 private:
  std::vector<float> expanded_;
};

// Throws unless Values can be had.
void CheckWeights(const TfLiteTensor& tensor, const char* name);

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_LITE_WEIGHTS_H_
