#include "cc_ops/lite/weights.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "cc_ops/core/dispatch.h"

namespace addrnn {
namespace {

// One for each column, or a single one.
const TfLiteFloatArray& Scales(const TfLiteTensor& tensor, const char* name) {
  const auto fail = [&](const char* what) { throw Error{std::string(name) + what}; };
  const auto* quantization =
      static_cast<const TfLiteAffineQuantization*>(tensor.quantization_params);
  if (tensor.quantization_type != kTfLiteAffineQuantization || quantization == nullptr ||
      quantization->scale == nullptr || quantization->zero_point == nullptr) {
    fail(" of int8 must have a scale and a zero point");
  }
  const TfLiteFloatArray& scales = *quantization->scale;
  const TfLiteIntArray& zeros = *quantization->zero_point;
  const int last = tensor.dims->size - 1;
  const bool by_column =
      quantization->quantized_dimension == last && scales.size == tensor.dims->data[last];
  if (scales.size != 1 && !by_column) fail(" of int8 must have one scale, or one for each column");
  if ((zeros.size != 1 && zeros.size != scales.size) ||
      std::any_of(zeros.data, zeros.data + zeros.size, [](int zero) { return zero != 0; })) {
    fail(" of int8 must have zero points of 0");
  }
  if (!std::all_of(scales.data, scales.data + scales.size,
                   [](float scale) { return std::isfinite(scale) && scale >= 0; })) {
    fail(" of int8 must have scales that are finite and not negative");
  }
  return scales;
}

}  // namespace

void CheckWeights(const TfLiteTensor& tensor, const char* name) {
  if (tensor.type == kTfLiteFloat32) return;
  if (!IsConstant(tensor)) {
    throw Error{std::string(name) + " must be a constant, unless it is of type float32"};
  }
  if (tensor.type == kTfLiteInt8) Scales(tensor, name);
}

const float* WeightMatrix::Values(const TfLiteTensor& tensor, const char* name) {
  const int* dims = tensor.dims->data;
  const int64_t columns = dims[tensor.dims->size - 1];
  const int64_t n =
      std::accumulate(dims, dims + tensor.dims->size, int64_t{1}, std::multiplies<int64_t>());
  if (tensor.type == kTfLiteFloat32) return Data<float>(tensor, name, n);
  CheckWeights(tensor, name);
  if (expanded_.size() == static_cast<size_t>(n)) return expanded_.data();
  if (tensor.type == kTfLiteFloat16) {
    const auto* values = Data<Float16>(tensor, name, n);
    expanded_.resize(n);
    SelectedKernels<Float16>().widen(values, n, expanded_.data());
    return expanded_.data();
  }
  const TfLiteFloatArray& scales = Scales(tensor, name);
  const auto* values = Data<int8_t>(tensor, name, n);
  expanded_.resize(n);
  for (int64_t i = 0; i < n; ++i) {
    expanded_[i] = scales.data[scales.size == 1 ? 0 : i % columns] * values[i];
  }
  return expanded_.data();
}

}  // namespace addrnn
