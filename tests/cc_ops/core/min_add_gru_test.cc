// The recurrence with gates on inputs alone, and its gradient, against plain loops in double,
// written from the equations of docs/explanation/parallel-in-time.md, over sizes below, at and
// above the tiles.

#include "cc_ops/core/min_add_gru.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "cc_ops/core/error.h"
#include "cc_ops/core/shapes.h"
#include "cc_ops/core/thread_pool.h"
#include "tests/cc_ops/core/instruction_set.h"
#include "tests/cc_ops/core/recurrence_cases.h"

namespace addrnn {
namespace {

struct Case {
  MinProblem problem;
  std::vector<double> inputs, initial_inputs, kernel, bias, initial_state, d_outputs, d_final_state;
  std::vector<uint8_t> mask;
};

Case MakeCase(const MinProblem& p, bool masked) {
  std::mt19937 generator(static_cast<unsigned>(p.batch * 1000003 + p.time * 10007 + p.input * 101 +
                                               p.units * 11 + p.window));
  Case c = {p, {}, {}, {}, {}, {}, {}, {}, {}};
  c.inputs = Random(generator, p.batch * p.time * p.input, 1);
  c.initial_inputs = Random(generator, p.batch * (p.window - 1) * p.input, 1);
  c.kernel =
      Random(generator, p.window * p.input * 2 * p.units, 1 / std::sqrt(p.window * p.input + 1.0));
  c.bias = Random(generator, 2 * p.units, 0.3);
  c.initial_state = Random(generator, p.batch * p.units, 1);
  c.d_outputs = Random(generator, p.batch * p.time * p.units, 1);
  c.d_final_state = Random(generator, p.batch * p.units, 1);
  if (masked) {
    for (int64_t i = 0; i < p.batch * p.time; ++i) c.mask.push_back(generator() % 3 != 0);
  }
  return c;
}

struct Expected {
  std::vector<double> outputs, final_state, d_inputs, d_initial_inputs, d_kernel, d_bias,
      d_initial_state;
};

// One row at a time; within it one step at a time, forward and back.
Expected Reference(const Case& c) {
  const MinProblem& p = c.problem;
  const int64_t h = p.units, gates = 2 * h, before = p.window - 1;
  Expected e;
  e.outputs.assign(p.batch * p.time * h, 0);
  e.final_state.assign(p.batch * h, 0);
  e.d_inputs.assign(c.inputs.size(), 0);
  e.d_initial_inputs.assign(c.initial_inputs.size(), 0);
  e.d_kernel.assign(c.kernel.size(), 0);
  e.d_bias.assign(gates, 0);
  e.d_initial_state.assign(p.batch * h, 0);
  for (int64_t b = 0; b < p.batch; ++b) {
    const auto t_in = [&](int64_t t) { return p.go_backwards ? p.time - 1 - t : t; };
    const auto live = [&](int64_t t) { return c.mask.empty() || c.mask[b * p.time + t_in(t)]; };
    // Where input k of step s is, among the inputs or those before; -1 where it reads as 0.
    const auto at = [&](int64_t s, int64_t k) {
      return s < 0     ? (b * before + before + s) * p.input + k
             : live(s) ? (b * p.time + t_in(s)) * p.input + k
                       : -1;
    };
    std::vector<std::vector<double>> states(1, std::vector<double>(h)), z_of;
    for (int64_t j = 0; j < h; ++j) states[0][j] = Relu(c.initial_state[b * h + j]);
    for (int64_t t = 0; t < p.time; ++t) {
      std::vector<double> z(c.bias), state(h);
      for (int64_t age = 0; age < p.window; ++age) {
        for (int64_t k = 0; k < p.input; ++k) {
          const int64_t from = at(t - age, k);
          if (from < 0) continue;
          const double x = t < age ? c.initial_inputs[from] : c.inputs[from];
          const double* weights = c.kernel.data() + ((before - age) * p.input + k) * gates;
          for (int64_t j = 0; j < gates; ++j) z[j] += x * weights[j];
        }
      }
      for (int64_t j = 0; j < h; ++j) {
        double slope;
        const double q = Relu(Activate(p.activation, z[h + j], &slope) - Relu(z[j]));
        state[j] = live(t) ? std::max(states[t][j] - Relu(-z[j]), q) : states[t][j];
        e.outputs[(b * p.time + t) * h + j] = state[j];
      }
      z_of.push_back(z);
      states.push_back(state);
    }
    std::vector<double> carry(c.d_final_state.data() + b * h, c.d_final_state.data() + (b + 1) * h);
    for (int64_t j = 0; j < h; ++j) e.final_state[b * h + j] = states.back()[j];
    for (int64_t t = p.time - 1; t >= 0; --t) {
      std::vector<double> dz(gates, 0);
      for (int64_t j = 0; j < h; ++j) {
        const double g = carry[j] + c.d_outputs[(b * p.time + t) * h + j];
        carry[j] = g;
        if (!live(t)) continue;
        double slope;
        const double u = z_of[t][j], candidate = Activate(p.activation, z_of[t][h + j], &slope);
        const double q = Relu(candidate - Relu(u));
        const bool kept = states[t][j] - Relu(-u) > q, written = !kept && q > 0;
        dz[j] = (kept && u < 0 ? g : 0) - (written && u > 0 ? g : 0);
        dz[h + j] = written ? g * slope : 0;
        carry[j] = kept ? g : 0;
      }
      for (int64_t j = 0; j < gates; ++j) e.d_bias[j] += dz[j];
      for (int64_t age = 0; age < p.window; ++age) {
        for (int64_t k = 0; k < p.input; ++k) {
          const int64_t from = at(t - age, k);
          if (from < 0) continue;
          const double x = t < age ? c.initial_inputs[from] : c.inputs[from];
          double& d_x = t < age ? e.d_initial_inputs[from] : e.d_inputs[from];
          const int64_t row = ((before - age) * p.input + k) * gates;
          for (int64_t j = 0; j < gates; ++j) {
            e.d_kernel[row + j] += x * dz[j];
            d_x += c.kernel[row + j] * dz[j];
          }
        }
      }
    }
    for (int64_t j = 0; j < h; ++j) {
      e.d_initial_state[b * h + j] = c.initial_state[b * h + j] > 0 ? carry[j] : 0;
    }
  }
  return e;
}

template <typename S>
struct Computed {
  std::vector<S> outputs, final_state, d_inputs, d_initial_inputs, d_kernel, d_bias,
      d_initial_state;
};

template <typename S>
Computed<S> Compute(const Case& c) {
  const MinProblem& p = c.problem;
  const int64_t sequence = p.batch * p.time * p.units;
  const bool tanh = p.activation == Activation::kTanh;
  Guarded<S> inputs(c.inputs), initial_inputs(c.initial_inputs), kernel(c.kernel), bias(c.bias),
      initial_state(c.initial_state), d_outputs(c.d_outputs), d_final_state(c.d_final_state);
  Guarded<S> outputs(sequence), final_state(p.batch * p.units), candidates(tanh ? sequence : 0);
  Guarded<uint8_t> reserve(sequence);
  const MinInputs<S> given = {inputs.data(), initial_inputs.data(),
                              c.mask.empty() ? nullptr : c.mask.data()};
  MinForwardTensors<S> forward = {};
  static_cast<MinInputs<S>&>(forward) = given;
  forward.initial_state = initial_state.data();
  forward.outputs = outputs.data();
  forward.final_state = final_state.data();
  forward.reserve = reserve.data();
  if (tanh) forward.candidates = candidates.data();
  MinAddGruForward(p, {kernel.data(), bias.data()}, forward);

  Guarded<S> d_inputs(c.inputs.size()), d_initial_inputs(c.initial_inputs.size()),
      d_kernel(c.kernel.size()), d_bias(2 * p.units), d_initial_state(p.batch * p.units);
  MinBackwardTensors<S> backward = {};
  static_cast<MinInputs<S>&>(backward) = given;
  backward.kernel = kernel.data();
  backward.initial_state = initial_state.data();
  backward.reserve = reserve.data();
  if (tanh) backward.candidates = candidates.data();
  backward.d_outputs = d_outputs.data();
  backward.d_final_state = d_final_state.data();
  backward.d_inputs = d_inputs.data();
  backward.d_initial_inputs = d_initial_inputs.data();
  backward.d_kernel = d_kernel.data();
  backward.d_bias = d_bias.data();
  backward.d_initial_state = d_initial_state.data();
  MinAddGruBackward(p, p.go_backwards, backward);
  return {outputs.values(),          final_state.values(), d_inputs.values(),
          d_initial_inputs.values(), d_kernel.values(),    d_bias.values(),
          d_initial_state.values()};
}

template <typename S>
void ExpectAgreement(const Case& c, double tolerance) {
  const MinProblem& p = c.problem;
  SCOPED_TRACE("batch " + std::to_string(p.batch) + " time " + std::to_string(p.time) + " input " +
               std::to_string(p.input) + " units " + std::to_string(p.units) + " window " +
               std::to_string(p.window) + " activation " +
               std::to_string(static_cast<int>(p.activation)));
  const Computed<S> computed = Compute<S>(c);
  const Expected expected = Reference(c);
  ExpectNear(computed.outputs, expected.outputs, tolerance, "outputs");
  ExpectNear(computed.final_state, expected.final_state, tolerance, "final_state");
  ExpectNear(computed.d_inputs, expected.d_inputs, tolerance, "d_inputs");
  ExpectNear(computed.d_initial_inputs, expected.d_initial_inputs, tolerance, "d_initial_inputs");
  ExpectNear(computed.d_kernel, expected.d_kernel, tolerance, "d_kernel");
  ExpectNear(computed.d_bias, expected.d_bias, tolerance, "d_bias");
  ExpectNear(computed.d_initial_state, expected.d_initial_state, tolerance, "d_initial_state");
}

class MinAddGruTest : public InstructionSetTest {};

TEST_F(MinAddGruTest, AgreesWithLoopsAcrossTileEdges) {
  const int64_t sizes[][5] = {
      {1, 1, 1, 1, 1},  {1, 5, 7, 8, 1},    {2, 3, 8, 9, 2},    {3, 4, 9, 16, 3},
      {4, 2, 1, 17, 5}, {5, 3, 16, 31, 2},  {6, 12, 31, 32, 3}, {7, 13, 3, 33, 1},
      {1, 6, 5, 63, 4}, {13, 2, 64, 64, 1}, {2, 31, 2, 130, 3}, {97, 2, 3, 5, 2},
      {2, 50, 3, 4, 7}, {3, 90, 2, 3, 1},   {300, 1, 3, 4, 2},  {2, 3, 0, 17, 2},
      {1, 1, 2, 3, 9},  {2, 7, 33, 65, 8},  {1, 60, 3, 5, 61},  {33, 28, 4, 7, 3}};
  for (const auto& size : sizes) {
    const MinProblem p = {{size[0], size[1], size[2], size[3], size[4]}, Activation::kRelu, false};
    ExpectAgreement<double>(MakeCase(p, false), 1e-12);
  }
}

TEST_F(MinAddGruTest, AgreesForEveryActivationMaskDirectionAndWindow) {
  for (Activation activation :
       {Activation::kLinear, Activation::kRelu, Activation::kHardTanh, Activation::kTanh}) {
    for (int64_t window : {1, 2, 4}) {
      for (bool masked : {false, true}) {
        for (bool backwards : {false, true}) {
          const MinProblem p = {{7, 8, 3, 19, window}, activation, backwards};
          ExpectAgreement<double>(MakeCase(p, masked), 1e-12);
        }
      }
    }
  }
}

// More steps than a chunk of the backward pass or a block of the forward pass, and so many that
// steps too are gone through in groups; the window reaches over all of their edges.
TEST_F(MinAddGruTest, AgreesAcrossChunksBlocksAndGroupsOfSteps) {
  for (int64_t window : {1, 3, 40}) {
    for (int64_t time : {255, 256, 257, 259, 513, 1700}) {
      const MinProblem p = {{1, time, 3, 9, window}, Activation::kRelu, window == 3};
      ExpectAgreement<double>(MakeCase(p, time % 2 == 1), 1e-11);
    }
  }
  const MinProblem wide = {{2, 500, 700, 3, 2}, Activation::kRelu, false};
  ExpectAgreement<double>(MakeCase(wide, false), 1e-11);
  const MinProblem rows = {{3, 600, 2, 5, 300}, Activation::kHardTanh, true};
  ExpectAgreement<double>(MakeCase(rows, true), 1e-11);
}

template <typename S>
void ExpectSameFromEveryNumberOfThreads(const Case& c) {
  SetNumThreads(1);
  const Computed<S> alone = Compute<S>(c);
  for (int threads : {2, 3, 8}) {
    SetNumThreads(threads);
    const Computed<S> together = Compute<S>(c);
    EXPECT_EQ(alone.outputs, together.outputs);
    EXPECT_EQ(alone.final_state, together.final_state);
    EXPECT_EQ(alone.d_inputs, together.d_inputs);
    EXPECT_EQ(alone.d_initial_inputs, together.d_initial_inputs);
    EXPECT_EQ(alone.d_kernel, together.d_kernel);
    EXPECT_EQ(alone.d_bias, together.d_bias);
    EXPECT_EQ(alone.d_initial_state, together.d_initial_state);
  }
  SetNumThreads(0);
}

TEST_F(MinAddGruTest, RowsSharedOut) {
  const Case c = MakeCase({{97, 24, 33, 70, 3}, Activation::kRelu, false}, true);
  SetNumThreads(3);
  ExpectAgreement<double>(c, 1e-12);
  ExpectSameFromEveryNumberOfThreads<double>(c);
  ExpectSameFromEveryNumberOfThreads<float>(c);
}

TEST_F(MinAddGruTest, UnitsAndStepsSharedOut) {
  const Case c = MakeCase({{1, 2000, 17, 130, 2}, Activation::kRelu, false}, true);
  SetNumThreads(3);
  ExpectAgreement<double>(c, 1e-11);
  ExpectSameFromEveryNumberOfThreads<float>(c);
}

TEST_F(MinAddGruTest, SinglePrecision) {
  const MinProblem p = {{9, 14, 5, 33, 3}, Activation::kTanh, false};
  ExpectAgreement<float>(MakeCase(p, false), 1e-5);
}

TEST_F(MinAddGruTest, EmptySizes) {
  for (int axis = 0; axis < 4; ++axis) {
    for (int64_t window : {1, 3}) {
      int64_t size[4] = {2, 3, 4, 5};
      size[axis] = 0;
      const MinProblem p = {{size[0], size[1], size[2], size[3], window}, Activation::kRelu, false};
      ExpectAgreement<double>(MakeCase(p, false), 1e-12);
    }
  }
}

// It stays in the state of every unit, from the step that reads it on.
TEST_F(MinAddGruTest, NanIsNotHidden) {
  MinProblem p = {{2, 3, 3, 9, 1}, Activation::kRelu, false};
  for (Activation activation :
       {Activation::kLinear, Activation::kRelu, Activation::kHardTanh, Activation::kTanh}) {
    p.activation = activation;
    Case c = MakeCase(p, false);
    c.inputs[0] = std::nan("");
    const Computed<float> computed = Compute<float>(c);
    for (int64_t i = 0; i < 3 * p.units; ++i) {
      EXPECT_TRUE(std::isnan(computed.outputs[i])) << static_cast<int>(activation) << " " << i;
    }
  }
}

// In the candidate alone, which the gate would not have written.
TEST_F(MinAddGruTest, NanInWeightsIsNotHidden) {
  const MinProblem p = {{1, 3, 3, 9, 2}, Activation::kLinear, false};
  Case c = MakeCase(p, false);
  c.kernel[p.units] = std::nan("");
  c.initial_state[0] = 1e9;
  EXPECT_TRUE(std::isnan(Compute<float>(c).outputs[0]));
}

// In whole numbers every order of the steps has the same bits, and so has every type.
TEST_F(MinAddGruTest, WholeNumbersAreExact) {
  Case c = MakeCase({{3, 700, 4, 21, 3}, Activation::kRelu, false}, true);
  const auto round = [](std::vector<double>& values, double scale) {
    for (double& value : values) value = std::nearbyint(scale * value);
  };
  round(c.inputs, 3);
  round(c.initial_inputs, 3);
  round(c.kernel, 3);
  round(c.bias, 3);
  round(c.initial_state, 9);
  round(c.d_outputs, 2);
  round(c.d_final_state, 2);
  ExpectAgreement<float>(c, 0);
  ExpectAgreement<double>(c, 0);
}

TEST(MinCheckTest, SaysWhatIsWrong) {
  const auto wrong = [](const MinSizes& sizes) {
    try {
      Check(sizes);
      return std::string();
    } catch (const Error& error) {
      return std::string(error.what());
    }
  };
  EXPECT_EQ(wrong({1, 1, 1, 1, 1}), "");
  EXPECT_NE(wrong({1, -1, 1, 1, 1}).find("negative, received -1"), std::string::npos);
  EXPECT_NE(wrong({1, 1, 1, 1, 0}).find("window must have at least 1 input, received 0"),
            std::string::npos);
  const int64_t large = int64_t{1} << 40;
  EXPECT_NE(wrong({large, large, 1, 1, 1}).find("too large"), std::string::npos);
  EXPECT_NE(wrong({1, 1, large, 1, large}).find("too large"), std::string::npos);
}

TEST(MinCheckTest, NamesTheTensorOfTheWrongShape) {
  const auto wrong = [](auto change) {
    MinTensorShapes shapes = {{2, 3, 4},   {2, 4, 10},  Shape{10},
                              Shape{2, 5}, Shape{2, 3}, Shape{2, 1, 4}};
    change(shapes);
    try {
      CheckedMinSizes(shapes);
      return std::string();
    } catch (const Error& error) {
      return std::string(error.what());
    }
  };
  using T = MinTensorShapes;
  EXPECT_EQ(wrong([](T&) {}), "");
  EXPECT_EQ(
      wrong([](T& t) { t.bias = t.initial_state = t.mask = t.initial_inputs = std::nullopt; }), "");
  EXPECT_EQ(wrong([](T& t) { t.inputs = {2, 4}; }),
            "inputs must be of shape [batch, time, input], received [2, 4]");
  EXPECT_EQ(wrong([](T& t) { t.kernel = {4, 10}; }),
            "kernel must be of shape [kernel_size, input, 2 * units], received [4, 10]");
  EXPECT_EQ(wrong([](T& t) { t.kernel = {2, 4, 11}; }),
            "kernel must be of shape [kernel_size, input, 2 * units], received [2, 4, 11]");
  EXPECT_EQ(wrong([](T& t) { t.kernel = {2, 5, 10}; }),
            "kernel must be of shape [2, 4, 10], received [2, 5, 10]");
  EXPECT_EQ(wrong([](T& t) { t.bias = Shape{}; }), "bias must be of shape [10], received []");
  EXPECT_EQ(wrong([](T& t) { t.initial_state = Shape{3, 5}; }),
            "initial_state must be of shape [2, 5], received [3, 5]");
  EXPECT_EQ(wrong([](T& t) { t.mask = Shape{2, 4}; }),
            "mask must be of shape [2, 3], received [2, 4]");
  EXPECT_EQ(wrong([](T& t) { t.initial_inputs = Shape{2, 2, 4}; }),
            "initial_inputs must be of shape [2, 1, 4], received [2, 2, 4]");
}

}  // namespace
}  // namespace addrnn
