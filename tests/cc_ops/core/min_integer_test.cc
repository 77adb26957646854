// MinAddGRU in integers against plain loops on int64: equal, bit for bit, at any size and at the
// ends of every range.

#include "cc_ops/core/min_integer.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "cc_ops/core/thread_pool.h"
#include "tests/cc_ops/core/instruction_set.h"
#include "tests/cc_ops/core/min_integer_cases.h"
#include "tests/cc_ops/core/what_is_wrong.h"

namespace addrnn {
namespace {

class MinIntegerTest : public InstructionSetTest {
 protected:
  void TearDown() override { SetNumThreads(0); }
};

void ExpectResults(const MinIntegerCase& c, IntegerResults expected, PreparedMinInteger& prepared) {
  const MinIntegerProblem& p = c.problem;
  ASSERT_EQ(WhatIsWrong(p), "");
  ASSERT_EQ(WhatIsWrong(p, c.weights()), "");
  expected.outputs.push_back(kIntegerCanary);
  expected.final_state.push_back(kIntegerCanary);
  for (const bool bytes : {false, true}) {
    if (bytes && p.input_bits > 8) continue;
    const IntegerResults results = MinIntegerCore(c, prepared, bytes);
    const std::string what = "B=" + std::to_string(p.batch) + " T=" + std::to_string(p.time) +
                             " D=" + std::to_string(p.input) + " H=" + std::to_string(p.units) +
                             " w=" + std::to_string(p.window) +
                             " multiplier=" + std::to_string(!c.multiplier.empty());
    ASSERT_EQ(results.outputs, expected.outputs) << what;
    ASSERT_EQ(results.final_state, expected.final_state) << what;
  }
}

void ExpectReference(const MinIntegerCase& c, PreparedMinInteger& prepared) {
  ExpectResults(c, MinIntegerReference(c), prepared);
}

TEST_F(MinIntegerTest, EqualsLoopsAtSizesAroundTheTiles) {
  IntegerCases cases(1);
  for (const int64_t units : {1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65, 127, 130}) {
    for (const int64_t batch : {1, 2, 3, 5, 33}) {
      for (const Values values : {Values::kSmall, Values::kAny, Values::kExtreme}) {
        const MinIntegerSizes sizes = {batch, cases.Between(1, batch == 33 ? 3 : 9),
                                       cases.Between(1, 19), units, cases.Between(1, 5)};
        PreparedMinInteger prepared;
        ExpectReference(
            MakeMinInteger(cases, sizes, cases.Between(0, 1), cases.Between(0, 1), values),
            prepared);
        if (HasFatalFailure()) return;
      }
    }
  }
}

// Longer than a block of rows, and with windows longer than a sequence.
TEST_F(MinIntegerTest, EqualsLoopsOverLongSequencesAndWindows) {
  IntegerCases cases(2);
  for (const int64_t time : {1, 2, 31, 32, 33, 64, 70}) {
    for (const int64_t window : {1, 2, 3, 40, 100}) {
      PreparedMinInteger prepared;
      ExpectReference(MakeMinInteger(cases, {3, time, 3, 19, window}, time % 2, true, Values::kAny),
                      prepared);
      if (HasFatalFailure()) return;
    }
  }
}

TEST_F(MinIntegerTest, EqualsLoopsOnManySmallProblems) {
  IntegerCases cases(3);
  for (int i = 0; i < 2000; ++i) {
    const auto values = static_cast<Values>(cases.Between(0, 2));
    const MinIntegerSizes sizes = {cases.Between(1, 3), cases.Between(1, 5), cases.Between(1, 5),
                                   cases.Between(1, 5), cases.Between(1, 4)};
    PreparedMinInteger prepared;
    ExpectReference(MakeMinInteger(cases, sizes, cases.Between(0, 1), cases.Between(0, 1), values),
                    prepared);
    if (HasFatalFailure()) return;
  }
}

// One row is shared out by its units, many rows one by one.
TEST_F(MinIntegerTest, DoesNotDependOnTheNumberOfThreads) {
  IntegerCases cases(4);
  for (const int64_t batch : {1, 2, 9, 33}) {
    const MinIntegerCase c = MakeMinInteger(cases, {batch, batch == 1 ? 200 : 20, 33, 330, 3},
                                            batch % 2, true, Values::kAny);
    const IntegerResults expected = MinIntegerReference(c);
    for (const int threads : {1, 2, 3, 5}) {
      SetNumThreads(threads);
      PreparedMinInteger prepared;
      ExpectResults(c, expected, prepared);
      if (HasFatalFailure()) return;
    }
  }
}

// The threads may also change between Prepare and Run.
TEST_F(MinIntegerTest, OnePreparedObjectServesAnySizes) {
  IntegerCases cases(5);
  MinIntegerCase c = MakeMinInteger(cases, {1, 1, 9, 41, 3}, true, false, Values::kAny);
  PreparedMinInteger prepared;
  for (const int64_t batch : {1, 17, 2, 32, 9, 0, 70, 5}) {
    for (const int64_t time : {0, 1, 3, 40}) {
      const MinIntegerCase other =
          MakeMinInteger(cases, {batch, time, 9, 41, 3}, true, true, Values::kAny);
      c.problem.batch = batch, c.problem.time = time;
      c.inputs.assign(batch * time * 9, 0);
      const int64_t least = -(int64_t{1} << (c.problem.input_bits - 1));
      for (int16_t& x : c.inputs) x = static_cast<int16_t>(cases.Between(least, -least - 1));
      c.mask = other.mask;
      c.initial_inputs.clear(), c.initial_state.clear();
      for (int64_t i = 0; i < batch * 41; ++i) {
        c.initial_state.push_back(static_cast<int16_t>(cases.Between(0, c.problem.state_max)));
      }
      SetNumThreads(static_cast<int>(cases.Between(1, 4)));
      ExpectReference(c, prepared);
      if (HasFatalFailure()) return;
    }
  }
}

TEST_F(MinIntegerTest, ComputesTheLastStateAlone) {
  IntegerCases cases(6);
  const MinIntegerCase c = MakeMinInteger(cases, {3, 5, 4, 9, 2}, false, true, Values::kAny);
  const IntegerResults expected = MinIntegerReference(c);
  PreparedMinInteger prepared;
  prepared.Prepare(c.problem, c.weights());
  std::vector<int16_t> state(expected.final_state.size());
  MinIntegerTensors tensors = {};
  tensors.inputs.int16 = c.inputs.data();
  tensors.initial_inputs.int16 = c.initial_inputs.empty() ? nullptr : c.initial_inputs.data();
  tensors.initial_state = c.initial_state.empty() ? nullptr : c.initial_state.data();
  tensors.mask = c.mask.data();
  tensors.final_state = state.data();
  prepared.Run(tensors);
  EXPECT_EQ(state, expected.final_state);
}

MinIntegerCase Small() {
  MinIntegerCase c = {};
  c.problem = {1, 1, 1, 1, 1, 8, 0, 100, 100, false};
  c.kernel = {1, 1};
  c.bias = {0, 0};
  c.shift = {0, 0};
  c.inputs = {1};
  return c;
}

// By hand: u is the sum of two inputs, and the candidate 10 more than the last.
TEST_F(MinIntegerTest, FadesAndWrites) {
  MinIntegerCase c = Small();
  c.problem.time = 6, c.problem.window = 2, c.problem.input_zero_point = -1;
  c.kernel = {1, 0, 1, 1};  // the older, then the newer input, by [u | z]
  c.bias = {0, 10};
  //          u: 1, 5: raises; -9: fades; -13; masked, then the window reads -1 beside -3
  c.inputs = {2, 3, -12, -1, 99, -3};
  c.mask = {1, 1, 1, 1, 0, 1};
  c.initial_state = {20};
  PreparedMinInteger prepared;
  IntegerResults results = MinIntegerCore(c, prepared, true);
  results.outputs.pop_back();
  EXPECT_EQ(results.outputs, (std::vector<int16_t>{20, 20, 11, 9, 9, 7}));
}

TEST_F(MinIntegerTest, CutsOffInputsAndStatesOutOfRange) {
  IntegerCases cases(7);
  MinIntegerCase c = MakeMinInteger(cases, {5, 4, 3, 17, 3}, false, false, Values::kExtreme);
  c.problem.input_bits = 4, c.problem.input_zero_point = -8;
  c.problem.state_max = c.problem.candidate_max = 12;
  c.shift.assign(c.shift.size(), 0), c.bias.assign(c.bias.size(), 0);
  c.initial_inputs.assign(5 * 2 * 3, 0), c.initial_state.assign(5 * 17, 0);
  MinIntegerCase inside = c;
  const auto fill = [](std::vector<int16_t>& out, std::vector<int16_t>& in, int16_t low,
                       int16_t top) {
    for (size_t i = 0; i < out.size(); ++i) {
      out[i] = i % 2 ? INT16_MAX : INT16_MIN, in[i] = i % 2 ? top : low;
    }
  };
  fill(c.inputs, inside.inputs, -8, 7);
  fill(c.initial_inputs, inside.initial_inputs, -8, 7);
  fill(c.initial_state, inside.initial_state, 0, 12);
  for (const int64_t time : {4, 0}) {
    c.problem.time = inside.problem.time = time;
    PreparedMinInteger one, another;
    const IntegerResults results = MinIntegerCore(c, one, false);
    const IntegerResults expected = MinIntegerCore(inside, another, false);
    EXPECT_EQ(results.outputs, expected.outputs);
    EXPECT_EQ(results.final_state, expected.final_state);
  }
}

TEST(MinIntegerCheck, NamesWhatIsOutOfRange) {
  const auto expect = [](auto change, const char* says) {
    MinIntegerProblem p = Small().problem;
    change(p);
    EXPECT_NE(WhatIsWrong(p).find(says), std::string::npos)
        << "'" << WhatIsWrong(p) << "': " << says;
  };
  using P = MinIntegerProblem;
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(WhatIsWrong(Small().problem), "");
  expect([](P& p) { p.batch = -1; }, "must not be negative");
  expect([](P& p) { p.time = std::numeric_limits<int64_t>::min(); }, "must not be negative");
  expect([](P& p) { p.input = 0; }, "must be positive");
  expect([](P& p) { p.units = 0; }, "must be positive");
  expect([](P& p) { p.window = 0; },
         "must be positive, received batch 1, time 1, input 1, units 1");
  expect([](P& p) { p.units = kMost; }, "too large");
  expect([](P& p) { p.window = kMost; }, "too large");
  expect([](P& p) { p.window = p.input = int64_t{1} << 32; }, "too large");
  expect([](P& p) { p.batch = p.time = kMost; }, "too large");
  expect([](P& p) { p.input_bits = 0; }, "input_bits must be from 1 to 16, received 0");
  expect([](P& p) { p.input_bits = 17; }, "input_bits must be from 1 to 16, received 17");
  expect([](P& p) { p.input_zero_point = 128; }, "input_zero_point must be from -128 to 127");
  expect([](P& p) { p.input_zero_point = -129; }, "input_zero_point must be from -128 to 127");
  expect([](P& p) { p.state_max = -1; }, "state_max must be from 0 to 32767, received -1");
  expect([](P& p) { p.state_max = 32768; }, "state_max must be from 0 to 32767, received 32768");
  expect([](P& p) { p.candidate_max = -1; }, "candidate_max must be from 0 to 100, received -1");
  expect([](P& p) { p.candidate_max = 101; }, "candidate_max must be from 0 to 100, received 101");
}

TEST(MinIntegerCheck, ProvesThatNothingOverflows) {
  const auto invalid = [](auto change) {
    MinIntegerCase c = Small();
    c.problem.window = 2;
    c.kernel = {1, 1, 0, 2};
    change(c);
    return WhatIsWrong(c.problem, c.weights());
  };
  using C = MinIntegerCase;
  constexpr int32_t kMost = std::numeric_limits<int32_t>::max();
  EXPECT_EQ(invalid([](C&) {}), "");
  EXPECT_EQ(invalid([](C& c) { c.bias[1] = kMost - 3 * 128; }), "");
  EXPECT_EQ(invalid([](C& c) { c.bias[1] = kMost - 3 * 128 + 1; }),
            "the sum of column 1 could reach 2147483648, more than 32 bits hold");
  EXPECT_EQ(invalid([](C& c) { c.bias[0] = -kMost + 128; }), "");
  EXPECT_NE(invalid([](C& c) { c.bias[0] = -kMost + 127; }), "");
  EXPECT_NE(invalid([](C& c) { c.bias[0] = std::numeric_limits<int32_t>::min(); }), "");
  // The half that rounds.
  EXPECT_EQ(invalid([](C& c) { c.shift[0] = 31, c.bias[0] = (1 << 30) - 1 - 128; }), "");
  EXPECT_NE(invalid([](C& c) { c.shift[0] = 31, c.bias[0] = (1 << 30) - 128; }), "");
  EXPECT_EQ(
      invalid([](C& c) { c.multiplier = {1, kMost}, c.shift[0] = 62, c.bias[0] = kMost - 128; }),
      "");
  EXPECT_NE(invalid([](C& c) { c.shift[0] = 32; }).find("shift must be from 0 to 31, received 32"),
            std::string::npos);
  EXPECT_NE(invalid([](C& c) { c.multiplier = {1, 1}, c.shift[0] = 63; }).find("from 0 to 62"),
            std::string::npos);
  EXPECT_NE(invalid([](C& c) { c.multiplier = {0, 1}; }).find("multiplier must be from 1"),
            std::string::npos);
}

}  // namespace
}  // namespace addrnn
