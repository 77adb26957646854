#ifndef KERAS_ADDRNN_TESTS_CC_OPS_FUZZ_TENSOR_H_
#define KERAS_ADDRNN_TESTS_CC_OPS_FUZZ_TENSOR_H_

// Buffers of the targets in floating point: filled with any numbers, and compared.

#define ADDRNN_ISA fuzz
#include <cmath>
#include <cstring>
#include <initializer_list>
#include <memory>

#include "cc_ops/core/kernels/storage.h"
#include "tests/cc_ops/fuzz/source.h"

namespace addrnn {

// Ends where the allocation ends, so that ASan sees a step further; canaries are in front, where a
// number of elements puts the data off the alignment of vectors.
template <typename T>
class Tensor {
 public:
  Tensor(int64_t n, int offset, uint8_t fill)
      : n_(n), front_(kGuard + offset * sizeof(T)), bytes_(new uint8_t[front_ + n * sizeof(T)]) {
    std::memset(bytes_.get(), kCanary, front_);
    std::memset(bytes_.get() + front_, fill, n * sizeof(T));
  }
  ~Tensor() {
    for (size_t i = 0; i < front_; ++i) Check(bytes_[i] == kCanary, "written before a buffer");
  }
  T* data() const { return reinterpret_cast<T*>(bytes_.get() + front_); }
  int64_t size() const { return n_; }

 private:
  static constexpr size_t kGuard = 64;
  static constexpr uint8_t kCanary = 0xC5;
  int64_t n_;
  size_t front_;
  std::unique_ptr<uint8_t[]> bytes_;
};

template <typename S>
void FillWithNumbers(Source& source, bool wild, std::initializer_list<const Tensor<S>*> tensors) {
  for (const Tensor<S>* tensor : tensors) {
    for (int64_t i = 0; i < tensor->size(); ++i) {
      tensor->data()[i] = fuzz::ToStorage<S>(Compute<S>(source.Number(wild)));
    }
  }
}

inline void FillMask(Source& source, const Tensor<uint8_t>& mask) {
  for (int64_t i = 0; i < mask.size(); ++i) mask.data()[i] = source.Below(3);
}

// Which of two NaNs a sum hands on is the compiler's choice, which may differ between tiles.
template <typename T>
bool SameNumber(const T& a, const T& b) {
  if (std::memcmp(&a, &b, sizeof(T)) == 0) return true;
  if constexpr (sizeof(T) > 1)
    return std::isnan(fuzz::ToCompute(a)) && std::isnan(fuzz::ToCompute(b));
  return false;
}

template <typename T>
void CheckSame(const Tensor<T>& a, const Tensor<T>& b, const char* what) {
  for (int64_t i = 0; i < a.size(); ++i) Check(SameNumber(a.data()[i], b.data()[i]), what);
}

// Calls `body` with a number of one of the four types.
template <typename Body>
void WithType(int type, const Body& body) {
  switch (type) {
    case 0:
      return body(float());
    case 1:
      return body(double());
    case 2:
      return body(Float16());
    default:
      return body(BFloat16());
  }
}

}  // namespace addrnn

#endif  // KERAS_ADDRNN_TESTS_CC_OPS_FUZZ_TENSOR_H_
