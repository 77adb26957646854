#ifndef KERAS_ADDRNN_CC_OPS_CORE_KERNELS_SIMD_H_
#define KERAS_ADDRNN_CC_OPS_CORE_KERNELS_SIMD_H_

// Vectors of the width that this file is compiled for, by the GCC/Clang vector extensions. The
// kernel headers keep to the namespace of their instruction set and include no header of the C++
// library: an inline function that two instruction sets share could be taken, at link time, from
// the one the machine cannot run.

#include <stddef.h>
#include <stdint.h>

#ifndef ADDRNN_ISA
#error "ADDRNN_ISA must name the instruction set that this file is compiled for."
#endif

#define ADDRNN_INLINE inline __attribute__((always_inline))

namespace addrnn {
namespace ADDRNN_ISA {

#if defined(__AVX512F__)
constexpr int kVectorBytes = 64;
constexpr bool kManyRegisters = true;
#elif defined(__AVX2__)
constexpr int kVectorBytes = 32;
constexpr bool kManyRegisters = false;
#elif defined(__aarch64__)
constexpr int kVectorBytes = 16;
constexpr bool kManyRegisters = true;
#else
constexpr int kVectorBytes = 16;
constexpr bool kManyRegisters = false;
#endif

template <typename C>
struct Simd;

template <>
struct Simd<float> {
  using Integer = int32_t;
  typedef float Vector __attribute__((vector_size(kVectorBytes)));
  typedef int32_t Mask __attribute__((vector_size(kVectorBytes)));
  typedef uint8_t Bytes __attribute__((vector_size(kVectorBytes / 4)));
};

template <>
struct Simd<double> {
  using Integer = int64_t;
  typedef double Vector __attribute__((vector_size(kVectorBytes)));
  typedef int64_t Mask __attribute__((vector_size(kVectorBytes)));
  typedef uint8_t Bytes __attribute__((vector_size(kVectorBytes / 8)));
};

template <typename C>
using Vector = typename Simd<C>::Vector;
template <typename C>
using Mask = typename Simd<C>::Mask;  // all bits of a lane set, or none
template <typename C>
using Bytes = typename Simd<C>::Bytes;  // one byte per lane

template <typename C>
constexpr int kLanes = kVectorBytes / sizeof(C);

template <typename C>
ADDRNN_INLINE Vector<C> Load(const C* from) {
  Vector<C> v;
  __builtin_memcpy(&v, from, sizeof(v));
  return v;
}

template <typename C>
ADDRNN_INLINE void Store(C* to, Vector<C> v) {
  __builtin_memcpy(to, &v, sizeof(v));
}

// `a - zeros` and not `zeros + a`: only the first is exactly `a` for every a, and so costs nothing.
template <typename C>
ADDRNN_INLINE Vector<C> Broadcast(C a) {
  return a - Vector<C>{};
}

template <typename C>
ADDRNN_INLINE Vector<C> And(Mask<C> mask, Vector<C> v) {
  return (Vector<C>)(mask & (Mask<C>)v);
}

// For AVX2 GCC converts bytes one by one.
#if defined(__AVX2__) && !defined(__AVX512F__) && defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define ADDRNN_SHUFFLES_BYTES
#endif
#endif

// One byte per lane, from memory; the lane's lowest byte is what counts.
template <typename C>
ADDRNN_INLINE Mask<C> LoadBytes(const uint8_t* from) {
#ifdef ADDRNN_SHUFFLES_BYTES
  if constexpr (sizeof(C) == 4) {
    typedef uint64_t Words __attribute__((vector_size(32)));
    typedef uint8_t Shuffled __attribute__((vector_size(32)));
    uint64_t word;
    __builtin_memcpy(&word, from, sizeof(word));
    const Shuffled v = (Shuffled)(Words{word, word, word, word});
    return (Mask<C>)__builtin_shufflevector(
        v, v, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3,  //
        20, 20, 20, 20, 21, 21, 21, 21, 22, 22, 22, 22, 23, 23, 23, 23);
  }
#endif
  Bytes<C> bytes;
  __builtin_memcpy(&bytes, from, sizeof(bytes));
  return __builtin_convertvector(bytes, Mask<C>);
}

// The lowest byte of each of the first n lanes, to memory.
template <typename C>
ADDRNN_INLINE void StoreBytes(Mask<C> v, int64_t n, uint8_t* to) {
#ifdef ADDRNN_SHUFFLES_BYTES
  if constexpr (sizeof(C) == 4) {
    typedef uint8_t Shuffled __attribute__((vector_size(32)));
    const Shuffled whole = (Shuffled)v;
    const Shuffled bytes =
        __builtin_shufflevector(whole, whole, 0, 4, 8, 12, 16, 20, 24, 28, 0, 4, 8, 12, 16, 20, 24,
                                28, 0, 4, 8, 12, 16, 20, 24, 28, 0, 4, 8, 12, 16, 20, 24, 28);
    __builtin_memcpy(to, &bytes, n);
    return;
  }
#endif
  const Bytes<C> bytes = __builtin_convertvector(v, Bytes<C>);
  __builtin_memcpy(to, &bytes, n);
}

// If b is a NaN, so is the result: written as the instruction of x86 works.
template <typename C>
ADDRNN_INLINE Vector<C> Max(Vector<C> a, Vector<C> b) {
  return a > b ? a : b;
}

template <typename C>
ADDRNN_INLINE Vector<C> Min(Vector<C> a, Vector<C> b) {
  return a < b ? a : b;
}

}  // namespace ADDRNN_ISA
}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_CORE_KERNELS_SIMD_H_
