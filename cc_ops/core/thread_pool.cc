#include "cc_ops/core/thread_pool.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cfenv>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

namespace addrnn {
namespace {

// How often a thread looks for work, or for the end of it, before it goes to sleep: some tens of
// microseconds, the time between two parallel phases of one call.
constexpr int kSpins = 2000;

void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

int Processors() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return std::max(CPU_COUNT(&set), 1);
#endif
  return std::max<int>(std::thread::hardware_concurrency(), 1);
}

// One call of ParallelFor. A worker that comes late finds no index left and touches nothing but
// these numbers, so nobody has to wait for it: on a busy machine that could take milliseconds.
struct Job {
  // By a caller, while no worker uses it.
  void Begin(const Body& body_of_call, int size, int most_workers) {
    body = body_of_call;
    n = size;
    workers = most_workers;
    std::fegetenv(&environment);
    done.store(0, std::memory_order_relaxed);
    next.store(0, std::memory_order_relaxed);
  }

  // True if this thread finished the last index.
  bool Work() {
    bool last = false;
    for (int i; (i = next.fetch_add(1, std::memory_order_relaxed)) < n;) {
      body.call(body.function, i);
      last = done.fetch_add(1, std::memory_order_acq_rel) + 1 == n;
    }
    return last;
  }

  bool Done() const { return done.load(std::memory_order_acquire) == n; }

  Body body = {};  // the caller's; it lives while indices are left
  int n = 0;
  int workers = 0;
  std::fenv_t environment;
  std::atomic<int> next{0};
  std::atomic<int> done{0};
  std::atomic<int> users{0};  // workers; they come under the pool's mutex only
};

class ThreadPool {
 public:
  // False where another call has the pool.
  bool Run(int n, int threads, const Body& body) {
    if (taken_.exchange(true, std::memory_order_acquire)) return false;
    Job* job;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      // Workers stay for the life of the process and are woken for every call that wants at least
      // as many.
      try {
        for (; workers_ < threads - 1; ++workers_) {
          if (jobs_.size() < static_cast<size_t>(workers_) + 2) jobs_.emplace_back();
          std::thread(&ThreadPool::Work, this, workers_).detach();
        }
      } catch (const std::exception&) {
        // The system gives no more threads: fewer do the same work.
      }
      job = UnusedJob();
      job->Begin(body, n, threads - 1);
      job_ = job;
      generation_.fetch_add(1, std::memory_order_release);
    }
    wake_.notify_all();
    job->Work();
    for (int spin = 0; spin < kSpins && !job->Done(); ++spin) Pause();
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, [&] { return job->Done(); });
    taken_.store(false, std::memory_order_release);
    return true;
  }

 private:
  void Work(int id) {
    uint64_t seen = 0;
    for (;;) {
      for (int spin = 0; spin < kSpins && generation_.load(std::memory_order_acquire) == seen;
           ++spin)
        Pause();
      Job* job;
      {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [&] { return generation_.load(std::memory_order_relaxed) != seen; });
        seen = generation_.load(std::memory_order_relaxed);
        job = job_;
        if (id >= job->workers) continue;
        job->users.fetch_add(1, std::memory_order_relaxed);
      }
      // As the caller: TensorFlow's threads flush subnormal numbers to zero, and a result must not
      // depend on which thread computed it.
      std::fesetenv(&job->environment);
      if (job->Work()) {
        std::lock_guard<std::mutex> lock(mutex_);
        done_.notify_one();
      }
      job->users.fetch_sub(1, std::memory_order_release);
    }
  }

  // There is one more than there are workers, each of which may still be late with another.
  Job* UnusedJob() {
    for (Job& job : jobs_) {
      if (job.users.load(std::memory_order_acquire) == 0) return &job;
    }
    std::abort();
  }

  std::atomic<bool> taken_{false};  // by a call
  std::mutex mutex_;
  std::condition_variable wake_, done_;
  std::deque<Job> jobs_ = std::deque<Job>(1);
  Job* job_ = nullptr;
  std::atomic<uint64_t> generation_{0};
  int workers_ = 0;
};

std::atomic<int> limit{0};
std::atomic<ThreadPool*> current{nullptr};

// Never deleted: its threads run until the process ends. A forked child has no threads and starts
// anew.
ThreadPool& Pool() {
  static const int registered = pthread_atfork(nullptr, nullptr, [] { current.store(nullptr); });
  (void)registered;
  ThreadPool* pool = current.load();
  if (pool == nullptr) {
    ThreadPool* made = new ThreadPool;
    if (current.compare_exchange_strong(pool, made)) return *made;
    delete made;
  }
  return *pool;
}

}  // namespace

int NumThreads() {
  const int set = limit.load();
  if (set > 0) return set;
  static const int processors = Processors();
  return processors;
}

void SetNumThreads(int n) { limit.store(std::max(n, 0)); }

void ParallelFor(int n, const Body& body) {
  const int threads = std::min(n, NumThreads());
  if (threads > 1 && Pool().Run(n, threads, body)) return;
  for (int i = 0; i < n; ++i) body.call(body.function, i);
}

}  // namespace addrnn
