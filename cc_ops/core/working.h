#ifndef KERAS_ADDRNN_CC_OPS_CORE_WORKING_H_
#define KERAS_ADDRNN_CC_OPS_CORE_WORKING_H_

// Working memory, and the division of work among threads.

#include <algorithm>
#include <memory>
#include <new>

#include "cc_ops/core/problem.h"
#include "cc_ops/core/thread_pool.h"

// Less work than this (in multiply-adds) is done sooner than another thread is woken. The fuzzer
// has a number of its own.
#ifndef ADDRNN_WORK_PER_THREAD
#define ADDRNN_WORK_PER_THREAD 2e6
#endif

namespace addrnn {

struct Free {
  void operator()(void* buffer) const { ::operator delete(buffer, std::align_val_t(64)); }
};

template <typename C>
using Buffer = std::unique_ptr<C[], Free>;

template <typename C>
Buffer<C> Allocate(int64_t n) {
  const size_t bytes = std::max<int64_t>(n, 1) * sizeof(C);
  return Buffer<C>(static_cast<C*>(::operator new(bytes, std::align_val_t(64))));
}

template <typename C>
Buffer<C> AllocateZeros(int64_t n) {
  Buffer<C> buffer = Allocate<C>(n);
  std::fill_n(buffer.get(), n, C(0));
  return buffer;
}

// Memory that is kept for the next call, and grows where that needs more.
template <typename C>
class Workspace {
 public:
  C* Reserve(int64_t n) {
    if (n > size_) {
      size_ = 0;  // should memory run out
      buffer_.reset();
      buffer_ = Allocate<C>(n);
      size_ = n;
    }
    return buffer_.get();
  }

 private:
  Buffer<C> buffer_;
  int64_t size_ = 0;
};

inline int64_t RoundUp(int64_t n, int64_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

// How many threads are worth waking for some multiply-adds, of at most `most`.
inline int Parts(double work, int64_t most) {
  const double parts =
      std::min({work / ADDRNN_WORK_PER_THREAD, double(most), double(NumThreads())});
  return std::max(int(parts), 1);
}

// The same for some steps.
inline int Parts(const Sizes& p, int64_t most, int64_t steps) {
  return Parts(2.0 * p.batch * steps * p.units * (p.input + p.units), most);
}

// Cuts [0, n) into even parts and calls body(part, begin, end) for each on the pool.
template <typename Body>
void ParallelParts(int parts, int64_t n, const Body& body) {
  if (parts == 1) {
    if (n > 0) body(0, int64_t{0}, n);
    return;
  }
  ParallelFor(parts, [&](int part) {
    const int64_t begin = n * part / parts, end = n * (part + 1) / parts;
    if (begin < end) body(part, begin, end);
  });
}

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_CORE_WORKING_H_
