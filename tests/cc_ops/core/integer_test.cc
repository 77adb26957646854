// The recurrence in integers against plain loops on int64: equal, bit for bit, at any size and at
// the ends of every range.

#include "cc_ops/core/integer.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "cc_ops/core/thread_pool.h"
#include "tests/cc_ops/core/instruction_set.h"
#include "tests/cc_ops/core/integer_cases.h"
#include "tests/cc_ops/core/what_is_wrong.h"

namespace addrnn {
namespace {

class IntegerTest : public InstructionSetTest {
 protected:
  void TearDown() override { SetNumThreads(0); }
};

void ExpectResults(const IntegerCase& c, IntegerResults expected, PreparedInteger& prepared) {
  const IntegerProblem& p = c.problem;
  ASSERT_EQ(WhatIsWrong(p), "");
  ASSERT_EQ(WhatIsWrong(p, c.weights()), "");
  expected.outputs.push_back(kIntegerCanary);
  expected.final_state.push_back(kIntegerCanary);
  for (const bool bytes : {false, true}) {
    if (bytes && p.input_bits > 8) continue;
    const IntegerResults results = IntegerCore(c, prepared, bytes);
    const std::string what = "B=" + std::to_string(p.batch) + " T=" + std::to_string(p.time) +
                             " D=" + std::to_string(p.input) + " H=" + std::to_string(p.units) +
                             " multiplier=" + std::to_string(!c.multiplier.empty());
    ASSERT_EQ(results.outputs, expected.outputs) << what;
    ASSERT_EQ(results.final_state, expected.final_state) << what;
  }
}

void ExpectReference(const IntegerCase& c, PreparedInteger& prepared) {
  ExpectResults(c, IntegerReference(c), prepared);
}

TEST_F(IntegerTest, EqualsLoopsAtSizesAroundTheTiles) {
  IntegerCases cases(1);
  for (const int64_t units : {1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65, 127, 130}) {
    for (const int64_t batch : {1, 2, 3, 5, 33}) {
      for (const Values values : {Values::kSmall, Values::kAny, Values::kExtreme}) {
        const int64_t input = cases.Between(1, 35), time = cases.Between(1, batch == 33 ? 3 : 9);
        const IntegerCase c =
            cases.Make(batch, time, input, units, cases.Between(0, 1), cases.Between(0, 1), values);
        PreparedInteger prepared;
        ExpectReference(c, prepared);
      }
    }
  }
}

// Longer than a chunk of steps, whatever the rows.
TEST_F(IntegerTest, EqualsLoopsOverLongSequences) {
  IntegerCases cases(2);
  for (const int64_t batch : {1, 3, 4, 7, 17, 40}) {
    for (const bool rescale : {false, true}) {
      PreparedInteger prepared;
      ExpectReference(cases.Make(batch, 70, 5, 19, rescale, true, Values::kAny), prepared);
    }
  }
}

TEST_F(IntegerTest, EqualsLoopsOnManySmallProblems) {
  IntegerCases cases(3);
  for (int i = 0; i < 2000; ++i) {
    const auto values = static_cast<Values>(cases.Between(0, 2));
    PreparedInteger prepared;
    ExpectReference(
        cases.Make(cases.Between(1, 3), cases.Between(1, 4), cases.Between(1, 5),
                   cases.Between(1, 5), cases.Between(0, 1), cases.Between(0, 1), values),
        prepared);
    if (HasFatalFailure()) return;
  }
}

TEST_F(IntegerTest, DoesNotDependOnTheNumberOfThreads) {
  IntegerCases cases(4);
  for (const int64_t batch : {2, 9, 33, 70}) {
    const IntegerCase c = cases.Make(batch, 20, 40, 130, batch % 2, true, Values::kAny);
    const IntegerResults expected = IntegerReference(c);
    for (const int threads : {1, 2, 3, 5}) {
      SetNumThreads(threads);
      PreparedInteger prepared;
      ExpectResults(c, expected, prepared);
    }
  }
}

// The threads may also change between Prepare and Run, and a part may have any number of rows.
TEST_F(IntegerTest, OnePreparedObjectServesAnySizes) {
  IntegerCases cases(5);
  IntegerCase c = cases.Make(1, 1, 9, 21, true, false, Values::kAny);
  PreparedInteger prepared;
  for (const int64_t batch : {1, 17, 2, 32, 9, 0, 70, 5}) {
    for (const int64_t time : {0, 1, 3, 40}) {
      const IntegerCase other = cases.Make(batch, time, 9, 21, true, true, Values::kAny);
      c.problem.batch = batch, c.problem.time = time;
      c.inputs.assign(batch * time * 9, 0);
      const int64_t least = -(int64_t{1} << (c.problem.input_bits - 1));
      for (int16_t& x : c.inputs) x = static_cast<int16_t>(cases.Between(least, -least - 1));
      c.mask = other.mask;
      c.initial_state.clear();
      SetNumThreads(static_cast<int>(cases.Between(1, 4)));
      ExpectReference(c, prepared);
    }
  }
}

TEST_F(IntegerTest, ComputesTheLastStateAlone) {
  IntegerCases cases(6);
  const IntegerCase c = cases.Make(3, 5, 4, 9, false, true, Values::kAny);
  const IntegerResults expected = IntegerReference(c);
  PreparedInteger prepared;
  prepared.Prepare(c.problem, c.weights());
  std::vector<int16_t> state(expected.final_state.size());
  IntegerTensors tensors = {};
  tensors.inputs.int16 = c.inputs.data();
  tensors.initial_state = c.initial_state.empty() ? nullptr : c.initial_state.data();
  tensors.mask = c.mask.data();
  tensors.final_state = state.data();
  prepared.Run(tensors);
  EXPECT_EQ(state, expected.final_state);
}

// By hand: the exact adder of docs/explanation/recurrence.md. One unit; a marked step adds its
// value to the state, and every other step keeps it.
TEST_F(IntegerTest, AddsExactly) {
  constexpr int64_t kSteps = 1000;
  IntegerCase c = {};
  c.problem = {1, kSteps, 2, 1, 8, 0, 32767, 0, 32767, false};
  c.kernel = {0, 1, -100, 0};  // [value | marker] x [u | z]
  c.recurrent_kernel = {0, 0};
  c.bias = {100 * 100, 0};
  c.kernel_shift = c.recurrent_shift = c.shift = {0, 0};
  int64_t sum = 0;
  for (int64_t t = 0; t < kSteps; ++t) {
    const int16_t value = t % 101, marker = t % 7 == 0 ? 100 : 0;
    c.inputs.insert(c.inputs.end(), {value, marker});
    if (marker != 0) sum += value;
  }
  PreparedInteger prepared;
  EXPECT_EQ(IntegerCore(c, prepared, true).final_state[0], sum);
}

TEST_F(IntegerTest, CutsOffInputsAndStatesOutOfRange) {
  IntegerCases cases(7);
  IntegerCase c = cases.Make(5, 4, 3, 17, false, false, Values::kExtreme);
  c.problem.input_bits = 4;
  c.problem.state_shift = 3, c.problem.state_max = 12;
  c.problem.candidate_min = 0, c.problem.candidate_max = 12;
  for (auto* shifts : {&c.kernel_shift, &c.recurrent_shift, &c.shift}) {
    shifts->assign(shifts->size(), 0);
  }
  c.bias.assign(c.bias.size(), 0);
  IntegerCase inside = c;
  inside.initial_state.assign(5 * 17, 0), c.initial_state.assign(5 * 17, 0);
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    c.inputs[i] = i % 2 ? INT16_MAX : INT16_MIN, inside.inputs[i] = i % 2 ? 7 : -8;
  }
  for (size_t i = 0; i < c.initial_state.size(); ++i) {
    c.initial_state[i] = i % 2 ? INT16_MAX : INT16_MIN, inside.initial_state[i] = i % 2 ? 12 : -3;
  }
  PreparedInteger one, another;
  EXPECT_EQ(IntegerCore(c, one, false).outputs, IntegerCore(inside, another, false).outputs);
}

TEST_F(IntegerTest, DenseEqualsLoops) {
  IntegerCases cases(8);
  for (const int64_t units : {1, 3, 10, 31, 32, 33, 64, 65, 200}) {
    for (const int64_t rows : {0, 1, 2, 5, 33, 70}) {
      const int64_t input = cases.Between(1, 150);
      IntegerDenseProblem p = {rows, input, units, static_cast<int32_t>(cases.Between(1, 16))};
      const int64_t greatest = int64_t{1} << (p.input_bits - 1);
      const bool extreme = cases.Between(0, 1);
      std::vector<int8_t> kernel;
      for (int64_t i = 0; i < input * units; ++i) {
        kernel.push_back(
            static_cast<int8_t>(cases.Value(-127, 127, extreme ? Values::kExtreme : Values::kAny)));
      }
      std::vector<int32_t> bias;
      for (int64_t j = 0; j < units; ++j) {
        int64_t left = INT32_MAX;
        for (int64_t k = 0; k < input; ++k) left -= std::abs(int{kernel[k * units + j]}) * greatest;
        bias.push_back(static_cast<int32_t>(cases.Value(-left, left, Values::kExtreme)));
      }
      std::vector<int16_t> inputs;
      for (int64_t i = 0; i < rows * input; ++i) {
        inputs.push_back(static_cast<int16_t>(
            cases.Value(-greatest, greatest - 1, extreme ? Values::kExtreme : Values::kAny)));
      }
      ASSERT_EQ(WhatIsWrong(p), "");
      ASSERT_EQ(WhatIsWrong(p, IntegerDenseWeights{kernel.data(), bias.data()}), "");
      std::vector<int32_t> expected;
      for (int64_t r = 0; r < rows; ++r) {
        for (int64_t j = 0; j < units; ++j) {
          int64_t sum = bias[j];
          for (int64_t k = 0; k < input; ++k) {
            sum += int64_t{inputs[r * input + k]} * kernel[k * units + j];
          }
          expected.push_back(static_cast<int32_t>(sum));
        }
      }
      expected.push_back(kIntegerCanary);
      std::vector<int32_t> outputs(rows * units + 1, kIntegerCanary);
      PreparedIntegerDense prepared;
      prepared.Prepare(p, {kernel.data(), bias.data()});
      prepared.Run({{nullptr, inputs.data()}, outputs.data()});
      ASSERT_EQ(outputs, expected) << rows << " rows, " << input << " inputs, " << units;
      if (p.input_bits > 8) continue;
      const std::vector<int8_t> narrow(inputs.begin(), inputs.end());
      outputs.assign(outputs.size(), kIntegerCanary);
      prepared.Run({{narrow.data(), nullptr}, outputs.data()});
      ASSERT_EQ(outputs, expected) << rows << " rows of bytes, " << input << " inputs, " << units;
    }
  }
}

IntegerCase Small() {
  IntegerCase c = {};
  c.problem = {1, 1, 1, 1, 8, 0, 100, 0, 100, false};
  c.kernel = {1, 1};
  c.recurrent_kernel = {1, 1};
  c.bias = {0, 0};
  c.kernel_shift = c.recurrent_shift = c.shift = {0, 0};
  c.inputs = {1};
  return c;
}

TEST(IntegerCheck, NamesWhatIsOutOfRange) {
  const auto expect = [](auto change, const char* says) {
    IntegerProblem p = Small().problem;
    change(p);
    EXPECT_NE(WhatIsWrong(p).find(says), std::string::npos)
        << "'" << WhatIsWrong(p) << "': " << says;
  };
  using P = IntegerProblem;
  EXPECT_EQ(WhatIsWrong(Small().problem), "");
  expect([](P& p) { p.batch = -1; }, "must not be negative");
  expect([](P& p) { p.time = std::numeric_limits<int64_t>::min(); }, "must not be negative");
  expect([](P& p) { p.input = 0; }, "must be positive");
  expect([](P& p) { p.units = 0; }, "must be positive");
  expect([](P& p) { p.units = std::numeric_limits<int64_t>::max(); }, "too large");
  expect([](P& p) { p.batch = p.time = std::numeric_limits<int64_t>::max(); }, "too large");
  expect([](P& p) { p.input_bits = 0; }, "input_bits must be from 1 to 16, received 0");
  expect([](P& p) { p.input_bits = 17; }, "input_bits must be from 1 to 16, received 17");
  expect([](P& p) { p.state_shift = -1; }, "state_shift must be from 0 to 32767, received -1");
  expect([](P& p) { p.state_max = 32768; }, "state_max must be from 0 to 32767, received 32768");
  expect([](P& p) { p.state_shift = 32767; }, "state_max must be from 0 to 0, received 100");
  expect([](P& p) { p.candidate_min = -1; }, "candidate_min must be from 0 to 100, received -1");
  expect([](P& p) { p.candidate_max = 101; }, "candidate_max must be from 0 to 100, received 101");
  expect([](P& p) { p.candidate_min = 9, p.candidate_max = 8; }, "received 9 and 8");
}

TEST(IntegerCheck, ProvesThatNothingOverflows) {
  const auto invalid = [](auto change) {
    IntegerCase c = Small();
    change(c);
    return WhatIsWrong(c.problem, c.weights());
  };
  using C = IntegerCase;
  constexpr int32_t kMost = std::numeric_limits<int32_t>::max();
  EXPECT_EQ(invalid([](C&) {}), "");
  // 128 from the inputs, 100 from the state.
  EXPECT_EQ(invalid([](C& c) { c.bias[1] = kMost - 228; }), "");
  EXPECT_EQ(invalid([](C& c) { c.bias[1] = kMost - 227; }),
            "the sum of column 1 could reach 2147483648, more than 32 bits hold");
  EXPECT_EQ(invalid([](C& c) { c.bias[0] = -kMost + 228; }), "");
  EXPECT_NE(invalid([](C& c) { c.bias[0] = -kMost + 227; }), "");
  EXPECT_NE(invalid([](C& c) { c.bias[0] = std::numeric_limits<int32_t>::min(); }), "");
  EXPECT_EQ(invalid([](C& c) { c.problem.state_shift = 101, c.bias[1] = kMost - 229; }), "");
  EXPECT_NE(invalid([](C& c) { c.problem.state_shift = 101, c.bias[1] = kMost - 228; }), "");
  // The half that rounds.
  EXPECT_EQ(invalid([](C& c) { c.shift[0] = 31, c.bias[0] = (1 << 30) - 1 - 228; }), "");
  EXPECT_NE(invalid([](C& c) { c.shift[0] = 31, c.bias[0] = (1 << 30) - 228; }), "");
  EXPECT_EQ(
      invalid([](C& c) { c.multiplier = {1, kMost}, c.shift[0] = 62, c.bias[0] = kMost - 228; }),
      "");
  EXPECT_EQ(invalid([](C& c) { c.kernel_shift[0] = 23; }), "");
  EXPECT_NE(invalid([](C& c) { c.kernel_shift[0] = 24; }), "");
  EXPECT_EQ(invalid([](C& c) { c.recurrent_shift[1] = 24; }), "");
  EXPECT_NE(invalid([](C& c) { c.recurrent_shift[1] = 25; }), "");
  EXPECT_EQ(invalid([](C& c) { c.kernel = {0, -128}, c.kernel_shift = {31, 16}; }), "");
  EXPECT_NE(invalid([](C& c) { c.kernel_shift[1] = 32; }).find("kernel_shift must be from 0 to 31"),
            std::string::npos);
  EXPECT_NE(invalid([](C& c) { c.recurrent_shift[0] = 255; }).find("recurrent_shift must be"),
            std::string::npos);
  EXPECT_NE(invalid([](C& c) { c.shift[0] = 32; }).find("shift must be from 0 to 31, received 32"),
            std::string::npos);
  EXPECT_NE(invalid([](C& c) { c.multiplier = {1, 1}, c.shift[0] = 63; }).find("from 0 to 62"),
            std::string::npos);
  EXPECT_NE(invalid([](C& c) { c.multiplier = {0, 1}; }).find("multiplier must be from 1"),
            std::string::npos);
}

TEST(IntegerCheck, ProvesThatADenseLayerDoesNotOverflow) {
  constexpr int32_t kMost = std::numeric_limits<int32_t>::max();
  const std::vector<int8_t> kernel = {1, -128, 2, 127};  // [2, 2]
  const auto invalid = [&](std::vector<int32_t> bias, int32_t bits) {
    return WhatIsWrong(IntegerDenseProblem{1, 2, 2, bits},
                       IntegerDenseWeights{kernel.data(), bias.data()});
  };
  EXPECT_EQ(invalid({0, kMost - 255 * 128}, 8), "");
  EXPECT_NE(invalid({0, kMost - 255 * 128 + 1}, 8).find("column 1"), std::string::npos);
  EXPECT_NE(invalid({std::numeric_limits<int32_t>::min(), 0}, 1).find("column 0"),
            std::string::npos);
  EXPECT_NE(WhatIsWrong(IntegerDenseProblem{-1, 2, 2, 8}).find("must not be negative"),
            std::string::npos);
  EXPECT_NE(WhatIsWrong(IntegerDenseProblem{1, 0, 2, 8}).find("must be positive"),
            std::string::npos);
  EXPECT_NE(WhatIsWrong(IntegerDenseProblem{1, 2, 2, 17}).find("input_bits"), std::string::npos);
  EXPECT_NE(WhatIsWrong(IntegerDenseProblem{1, 2, std::numeric_limits<int64_t>::max(), 8})
                .find("too large"),
            std::string::npos);
}

}  // namespace
}  // namespace addrnn
