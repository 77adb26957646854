#include "benchmarks/core/ceiling.h"

#include <time.h>

#include <algorithm>

#if defined(__x86_64__)
#define ADDRNN_VECTOR "+x"
#else
#define ADDRNN_VECTOR "+w"
#endif

namespace addrnn {
namespace {

constexpr int kRounds = 100000;
constexpr int kChains = 12;  // more than latency times throughput; all in registers

volatile float sink;

double ThreadSeconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec + 1e-9 * now.tv_nsec;
}

template <int kBytes>
struct Wide {
  typedef float Vector __attribute__((vector_size(kBytes)));
};

// Returns the seconds of kRounds rounds over kChains vectors of kBytes.
template <int kBytes>
inline __attribute__((always_inline)) double Seconds() {
  using Vector = typename Wide<kBytes>::Vector;
  const Vector zeros = {};
  const Vector factor = zeros + 0.9999f, term = zeros + 0.0001f;
  Vector chains[kChains];
#pragma GCC unroll 16
  for (int c = 0; c < kChains; ++c) chains[c] = zeros + (float)c;
  const double begin = ThreadSeconds();
  for (int i = 0; i < kRounds; ++i) {
#pragma GCC unroll 16
    for (int c = 0; c < kChains; ++c) {
      chains[c] = chains[c] * factor + term;
      asm volatile("" : ADDRNN_VECTOR(chains[c]));  // neither merged nor moved to memory
    }
  }
  const double seconds = ThreadSeconds() - begin;
  Vector sum = zeros;
#pragma GCC unroll 16
  for (int c = 0; c < kChains; ++c) sum += chains[c];
  sink = sum[0];
  return seconds;
}

double Baseline() { return Seconds<16>(); }
#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) double Avx2() { return Seconds<32>(); }
__attribute__((target("avx512f"))) double Avx512() { return Seconds<64>(); }
#endif

}  // namespace

double FmaCeiling(const std::string& instruction_set) {
  double (*seconds)() = Baseline;
  int lanes = 4;
#if defined(__x86_64__)
  if (instruction_set == "avx2") seconds = Avx2, lanes = 8;
  if (instruction_set == "avx512") seconds = Avx512, lanes = 16;
#endif
  double best = seconds();
  for (int i = 0; i < 2; ++i) best = std::min(best, seconds());
  return 2.0 * lanes * kChains * kRounds / best;
}

}  // namespace addrnn
