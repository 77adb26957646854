// One PreparedForward used many times gives, bit for bit, what new ones give, and allocates
// nothing; a row alone gives what it gives among many.

#include "cc_ops/core/prepared_forward.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <random>
#include <vector>

#include "cc_ops/core/add_gru.h"
#include "cc_ops/core/thread_pool.h"
#include "tests/cc_ops/core/instruction_set.h"

// Every allocation of the process comes through here.
namespace {

std::atomic<bool> counting{false};
std::atomic<int> allocations{0};

void* Counted(void* memory) {
  if (counting.load()) allocations.fetch_add(1);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

// Not inlined: GCC would take free for a mistake where it sees what was called `new`.
#define ADDRNN_ALLOCATION __attribute__((noinline))
ADDRNN_ALLOCATION void* operator new(size_t n) { return Counted(std::malloc(n > 0 ? n : 1)); }
ADDRNN_ALLOCATION void* operator new(size_t n, std::align_val_t alignment) {
  const size_t align = static_cast<size_t>(alignment);
  return Counted(std::aligned_alloc(align, (n + align - 1) / align * align));
}
ADDRNN_ALLOCATION void operator delete(void* memory) noexcept { std::free(memory); }
ADDRNN_ALLOCATION void operator delete(void* memory, size_t) noexcept { std::free(memory); }
ADDRNN_ALLOCATION void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
ADDRNN_ALLOCATION void operator delete(void* memory, size_t, std::align_val_t) noexcept {
  std::free(memory);
}
#undef ADDRNN_ALLOCATION

namespace addrnn {
namespace {

template <typename S>
struct Layer {
  int64_t input, units;
  std::vector<S> kernel, recurrent_kernel, bias;

  Layer(int64_t input, int64_t units) : input(input), units(units) {
    std::mt19937 generator(static_cast<unsigned>(input * 1009 + units));
    std::normal_distribution<double> normal(0, 0.3);
    for (int64_t i = 0; i < input * 2 * units; ++i) kernel.push_back(S(normal(generator)));
    for (int64_t i = 0; i < units * 2 * units; ++i) {
      recurrent_kernel.push_back(S(normal(generator) / std::sqrt(double(units))));
    }
    for (int64_t i = 0; i < 2 * units; ++i) bias.push_back(S(normal(generator)));
  }

  Weights<S> weights() const { return {kernel.data(), recurrent_kernel.data(), bias.data()}; }
};

template <typename S>
struct Sequences {
  Problem problem;
  std::vector<S> inputs, initial_state, outputs, final_state;
  std::vector<uint8_t> mask;

  Sequences(const Layer<S>& layer, int64_t batch, int64_t time)
      : problem{batch,
                time,
                layer.input,
                layer.units,
                Activation::kRelu,
                0,
                std::numeric_limits<double>::infinity(),
                false},
        outputs(batch * time * layer.units),
        final_state(batch * layer.units) {
    std::mt19937 generator(static_cast<unsigned>(batch * 31 + time));
    std::normal_distribution<double> normal(0, 1);
    for (int64_t i = 0; i < batch * time * layer.input; ++i) inputs.push_back(S(normal(generator)));
    for (int64_t i = 0; i < batch * layer.units; ++i) initial_state.push_back(S(normal(generator)));
    for (int64_t i = 0; i < batch * time; ++i) mask.push_back(generator() % 4 != 0);
  }

  ForwardTensors<S> tensors() {
    std::fill(outputs.begin(), outputs.end(), S(-7));
    std::fill(final_state.begin(), final_state.end(), S(-7));
    return {inputs.data(),  initial_state.data(), mask.data(),
            outputs.data(), final_state.data(),   nullptr,
            nullptr};
  }
};

class PreparedForwardTest : public InstructionSetTest {
 protected:
  void TearDown() override {
    counting = false;
    SetNumThreads(0);
  }
};

// Few rows and many, chunks of steps and their ends, and back again.
constexpr int64_t kShapes[][2] = {{1, 1},  {1, 5},  {1, 50}, {64, 3}, {64, 1}, {5, 97}, {1, 1},
                                  {0, 3},  {2, 48}, {2, 1},  {7, 0},  {7, 2},  {97, 2}, {3, 49},
                                  {33, 1}, {1, 50}, {4, 2},  {4, 60}, {3, 4}};

template <typename S>
void ExpectAsNewInTurn(const Layer<S>& layer) {
  PreparedForward<S> prepared;
  for (const auto& shape : kShapes) {
    SCOPED_TRACE("batch " + std::to_string(shape[0]) + " time " + std::to_string(shape[1]) +
                 " units " + std::to_string(layer.units));
    Sequences<S> once(layer, shape[0], shape[1]), again(once);
    AddGruForward(once.problem, layer.weights(), once.tensors());
    prepared.Prepare(again.problem, layer.weights());
    for (int repeat = 0; repeat < 3; ++repeat) {
      prepared.Run(again.tensors());
      EXPECT_EQ(once.outputs, again.outputs);
      EXPECT_EQ(once.final_state, again.final_state);
    }
  }
}

TEST_F(PreparedForwardTest, ServesShapesInTurn) {
  for (int64_t units : {1, 5, 16, 33, 64}) {
    for (int64_t input : {0, 1, 7}) {
      ExpectAsNewInTurn(Layer<float>(input, units));
      ExpectAsNewInTurn(Layer<double>(input, units));
    }
  }
}

TEST_F(PreparedForwardTest, FollowsTheNumberOfThreads) {
  const Layer<float> layer(33, 700);
  for (const auto& shape : {std::pair<int64_t, int64_t>{24, 2}, {1, 3}}) {
    Sequences<float> alone(layer, shape.first, shape.second), together(alone);
    SetNumThreads(1);
    PreparedForward<float> prepared;
    prepared.Prepare(alone.problem, layer.weights());
    prepared.Run(alone.tensors());
    for (int threads : {2, 5, 1, 3}) {
      SetNumThreads(threads);
      prepared.Run(together.tensors());
      EXPECT_EQ(alone.outputs, together.outputs) << threads;
      EXPECT_EQ(alone.final_state, together.final_state) << threads;
    }
  }
}

// The kernels of few rows and those of many take every sum in the same order.
template <typename S>
void ExpectSameAloneAsAmongMany(const Layer<S>& layer, int64_t batch, int64_t time) {
  Sequences<S> many(layer, batch, time);
  AddGruForward(many.problem, layer.weights(), many.tensors());
  const int64_t steps = time * layer.units;
  for (int64_t b = 0; b < batch; ++b) {
    Sequences<S> alone(layer, 1, time);
    std::copy_n(many.inputs.begin() + b * time * layer.input, time * layer.input,
                alone.inputs.begin());
    std::copy_n(many.initial_state.begin() + b * layer.units, layer.units,
                alone.initial_state.begin());
    std::copy_n(many.mask.begin() + b * time, time, alone.mask.begin());
    AddGruForward(alone.problem, layer.weights(), alone.tensors());
    const auto expected = many.outputs.begin() + b * steps;
    EXPECT_EQ(alone.outputs, std::vector<S>(expected, expected + steps)) << b;
  }
}

TEST_F(PreparedForwardTest, ARowAloneIsAsAmongMany) {
  for (int64_t units : {1, 16, 33, 129}) {
    ExpectSameAloneAsAmongMany(Layer<float>(7, units), 11, 60);
    ExpectSameAloneAsAmongMany(Layer<double>(3, units), 8, 5);
  }
}

// What was packed is not read again; what was not, is.
TEST_F(PreparedForwardTest, TellsWhichWeightsMustStay) {
  const Layer<float> layer(7, 32);
  PreparedForward<float> prepared;
  const auto expect_right = [&](int64_t batch, int64_t time, const Weights<float>& weights) {
    Sequences<float> once(layer, batch, time), again(once);
    AddGruForward(once.problem, layer.weights(), once.tensors());
    prepared.Prepare(again.problem, weights);
    prepared.Run(again.tensors());
    EXPECT_EQ(once.outputs, again.outputs);
  };
  const auto problem = [&](int64_t batch) { return Sequences<float>(layer, batch, 2).problem; };
  EXPECT_FALSE(prepared.Holds(problem(9)));
  {
    const Layer<float> gone = layer;
    expect_right(9, 2, gone.weights());
  }
  EXPECT_FALSE(prepared.reads_weights());
  EXPECT_TRUE(prepared.Holds(problem(70)));
  expect_right(70, 2, {});
  expect_right(9, 50, {});

  EXPECT_FALSE(prepared.Holds(problem(1)));
  expect_right(1, 2, layer.weights());
  EXPECT_TRUE(prepared.reads_weights());
  EXPECT_FALSE(prepared.Holds(problem(1)));
  EXPECT_FALSE(prepared.Holds(problem(9)));
  const Layer<float> moved = layer;
  expect_right(1, 3, moved.weights());
}

// Also where threads share out the units at every step, and for the first call after Prepare.
TEST_F(PreparedForwardTest, AllocatesNothingInACall) {
  for (int threads : {1, 2, 3}) {
    for (int64_t units : {20, 64, 1500}) {
      const Layer<float> layer(9, units);
      for (const auto& shape :
           {std::pair<int64_t, int64_t>{1, 1}, {1, 3}, {2, 50}, {12, 1}, {29, 2}}) {
        Sequences<float> sequences(layer, shape.first, shape.second);
        SetNumThreads(threads);
        ParallelFor(threads, [](int) {});  // the pool's threads are there
        PreparedForward<float> prepared;
        prepared.Prepare(sequences.problem, layer.weights());
        const ForwardTensors<float> tensors = sequences.tensors();
        allocations = 0;
        counting = true;
        for (int repeat = 0; repeat < 3; ++repeat) prepared.Run(tensors);
        counting = false;
        EXPECT_EQ(allocations, 0) << threads << " threads, " << units << " units, batch "
                                  << shape.first << ", time " << shape.second;
      }
    }
  }
}

TEST_F(PreparedForwardTest, ThatAllocationsAreCounted) {
  const Layer<float> layer(9, 64);
  Sequences<float> sequences(layer, 29, 2);
  allocations = 0;
  counting = true;
  AddGruForward(sequences.problem, layer.weights(), sequences.tensors());
  counting = false;
  EXPECT_GT(allocations, 0);
}

}  // namespace
}  // namespace addrnn
