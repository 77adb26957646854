#include "cc_ops/core/thread_pool.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

namespace addrnn {
namespace {

class ThreadPoolTest : public testing::Test {
 protected:
  void TearDown() override { SetNumThreads(0); }
};

void ExpectEachOnce(int n) {
  std::vector<std::atomic<int>> calls(n);
  ParallelFor(n, [&](int i) { calls[i].fetch_add(1); });
  for (int i = 0; i < n; ++i) EXPECT_EQ(calls[i].load(), 1);
}

TEST_F(ThreadPoolTest, CallsEachOnce) {
  for (int threads : {1, 2, 3, 7}) {
    SetNumThreads(threads);
    EXPECT_EQ(NumThreads(), threads);
    for (int n : {0, 1, 2, 5, 100}) ExpectEachOnce(n);
  }
}

TEST_F(ThreadPoolTest, ManyShortCallsWithChangingSizes) {
  SetNumThreads(4);
  for (int i = 0; i < 2000; ++i) ExpectEachOnce(1 + i % 6);
}

TEST_F(ThreadPoolTest, CallsFromSeveralThreadsAtOnce) {
  SetNumThreads(3);
  std::vector<std::thread> callers;
  for (int i = 0; i < 5; ++i) {
    callers.emplace_back([] {
      for (int repeat = 0; repeat < 200; ++repeat) ExpectEachOnce(4);
    });
  }
  for (std::thread& caller : callers) caller.join();
}

TEST_F(ThreadPoolTest, NestedCallsFinish) {
  SetNumThreads(2);
  std::atomic<int> calls{0};
  ParallelFor(4, [&](int) { ParallelFor(3, [&](int) { calls.fetch_add(1); }); });
  EXPECT_EQ(calls.load(), 12);
}

TEST_F(ThreadPoolTest, ZeroMeansTheProcessors) {
  SetNumThreads(5);
  SetNumThreads(0);
  EXPECT_GE(NumThreads(), 1);
  EXPECT_LE(NumThreads(), static_cast<int>(std::thread::hardware_concurrency()));
}

// TSan follows no threads into a forked child.
#if !defined(__SANITIZE_THREAD__)
TEST_F(ThreadPoolTest, WorksInAForkedProcess) {
  SetNumThreads(3);
  ExpectEachOnce(6);
  const pid_t child = fork();
  if (child == 0) {
    std::atomic<int> sum{0};
    ParallelFor(6, [&](int i) { sum.fetch_add(i); });
    _exit(sum.load() == 15 ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
#endif

}  // namespace
}  // namespace addrnn
