#ifndef KERAS_ADDRNN_CC_OPS_LITE_FLUSH_SUBNORMALS_H_
#define KERAS_ADDRNN_CC_OPS_LITE_FLUSH_SUBNORMALS_H_

#include <cstdint>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace addrnn {

// While it lives, this thread takes subnormal numbers for zeros, as TensorFlow's threads do. A
// state that fades away after the last loud input becomes subnormal, and a step on such numbers
// takes many times as long. The pool's threads follow the calling one.
class FlushSubnormals {
 public:
#if defined(__x86_64__)
  FlushSubnormals() : before_(_mm_getcsr()) { _mm_setcsr(before_ | 0x8040); }  // results, inputs
  ~FlushSubnormals() { _mm_setcsr(before_); }

 private:
  uint32_t before_;
#elif defined(__aarch64__)
  FlushSubnormals() {
    asm volatile("mrs %0, fpcr" : "=r"(before_));
    asm volatile("msr fpcr, %0" : : "r"(before_ | (uint64_t{1} << 24)));
  }
  ~FlushSubnormals() { asm volatile("msr fpcr, %0" : : "r"(before_)); }

 private:
  uint64_t before_;
#else
  FlushSubnormals() = default;
#endif

 public:
  FlushSubnormals(const FlushSubnormals&) = delete;
  FlushSubnormals& operator=(const FlushSubnormals&) = delete;
};

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_LITE_FLUSH_SUBNORMALS_H_
