// The recurrence and its gradient against plain loops in double, written from the equations of
// docs/explanation/recurrence.md, over sizes below, at and above the tiles.

#include "cc_ops/core/add_gru.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "cc_ops/core/shapes.h"
#include "cc_ops/core/thread_pool.h"
#include "tests/cc_ops/core/instruction_set.h"
#include "tests/cc_ops/core/recurrence_cases.h"
#include "tests/cc_ops/core/what_is_wrong.h"

namespace addrnn {
namespace {

struct Case {
  Problem problem;
  std::vector<double> inputs, kernel, recurrent_kernel, bias, initial_state, d_outputs,
      d_final_state;
  std::vector<uint8_t> mask;
};

Case MakeCase(const Problem& p, bool masked) {
  std::mt19937 generator(
      static_cast<unsigned>(p.batch * 1000003 + p.time * 10007 + p.input * 101 + p.units));
  Case c = {p, {}, {}, {}, {}, {}, {}, {}, {}};
  c.inputs = Random(generator, p.batch * p.time * p.input, 1);
  c.kernel = Random(generator, p.input * 2 * p.units, 1 / std::sqrt(p.input + 1.0));
  c.recurrent_kernel = Random(generator, p.units * 2 * p.units, 0.4 / std::sqrt(p.units + 1.0));
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
  std::vector<double> outputs, final_state, d_inputs, d_kernel, d_recurrent_kernel, d_bias,
      d_initial_state;
};

// Forward, then backward through remembered gates, one row and one step at a time.
Expected Reference(const Case& c) {
  const Problem& p = c.problem;
  const int64_t h = p.units, gates = 2 * h;
  Expected e;
  e.outputs.assign(p.batch * p.time * h, 0);
  e.final_state.assign(p.batch * h, 0);
  e.d_inputs.assign(c.inputs.size(), 0);
  e.d_kernel.assign(c.kernel.size(), 0);
  e.d_recurrent_kernel.assign(c.recurrent_kernel.size(), 0);
  e.d_bias.assign(gates, 0);
  e.d_initial_state.assign(p.batch * h, 0);
  const double s = p.state_shift;
  for (int64_t b = 0; b < p.batch; ++b) {
    std::vector<std::vector<double>> states(
        1,
        std::vector<double>(c.initial_state.data() + b * h, c.initial_state.data() + (b + 1) * h));
    std::vector<std::vector<double>> z_of;
    const auto x_of = [&](int64_t t) {
      return c.inputs.data() + (b * p.time + (p.go_backwards ? p.time - 1 - t : t)) * p.input;
    };
    const auto live = [&](int64_t t) {
      return c.mask.empty() || c.mask[b * p.time + (p.go_backwards ? p.time - 1 - t : t)];
    };
    for (int64_t t = 0; t < p.time; ++t) {
      std::vector<double> z(c.bias), state(h);
      for (int64_t j = 0; j < gates; ++j) {
        for (int64_t k = 0; k < p.input; ++k) z[j] += x_of(t)[k] * c.kernel[k * gates + j];
        for (int64_t k = 0; k < h; ++k) z[j] += states[t][k] * c.recurrent_kernel[k * gates + j];
      }
      for (int64_t j = 0; j < h; ++j) {
        double slope;
        const double candidate = Activate(p.activation, z[h + j], &slope);
        const double sum =
            Relu(states[t][j] + s - Relu(-z[j])) + Relu(candidate + s - Relu(z[j])) - s;
        state[j] = live(t) ? std::min(sum, p.state_max) : states[t][j];
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
        const double kept = states[t][j] + s - Relu(-u), written = candidate + s - Relu(u);
        const double passed = Relu(kept) + Relu(written) - s < p.state_max ? g : 0;
        dz[j] = (kept > 0 && u < 0 ? passed : 0) - (written > 0 && u > 0 ? passed : 0);
        dz[h + j] = written > 0 ? passed * slope : 0;
        carry[j] = kept > 0 ? passed : 0;
      }
      double* d_x = e.d_inputs.data() + (x_of(t) - c.inputs.data());
      for (int64_t j = 0; j < gates; ++j) {
        e.d_bias[j] += dz[j];
        for (int64_t k = 0; k < p.input; ++k) {
          e.d_kernel[k * gates + j] += x_of(t)[k] * dz[j];
          d_x[k] += dz[j] * c.kernel[k * gates + j];
        }
        for (int64_t k = 0; k < h; ++k) e.d_recurrent_kernel[k * gates + j] += states[t][k] * dz[j];
      }
      for (int64_t k = 0; k < h; ++k) {
        for (int64_t j = 0; j < gates; ++j) carry[k] += dz[j] * c.recurrent_kernel[k * gates + j];
      }
    }
    for (int64_t j = 0; j < h; ++j) e.d_initial_state[b * h + j] = carry[j];
  }
  return e;
}

template <typename S>
struct Computed {
  std::vector<S> outputs, final_state, d_inputs, d_kernel, d_recurrent_kernel, d_bias,
      d_initial_state;
};

template <typename S>
Computed<S> Compute(const Case& c) {
  const Problem& p = c.problem;
  const int64_t sequence = p.batch * p.time * p.units;
  const bool tanh = p.activation == Activation::kTanh;
  Guarded<S> inputs(c.inputs), kernel(c.kernel), recurrent_kernel(c.recurrent_kernel), bias(c.bias),
      initial_state(c.initial_state), d_outputs(c.d_outputs), d_final_state(c.d_final_state);
  Guarded<S> outputs(sequence), final_state(p.batch * p.units), candidates(tanh ? sequence : 0);
  Guarded<uint8_t> reserve(sequence);
  const Weights<S> weights = {kernel.data(), recurrent_kernel.data(), bias.data()};
  const ForwardTensors<S> forward = {inputs.data(),
                                     initial_state.data(),
                                     c.mask.empty() ? nullptr : c.mask.data(),
                                     outputs.data(),
                                     final_state.data(),
                                     reserve.data(),
                                     tanh ? candidates.data() : nullptr};
  AddGruForward(p, weights, forward);

  Guarded<S> d_inputs(c.inputs.size()), d_kernel(c.kernel.size()),
      d_recurrent_kernel(c.recurrent_kernel.size()), d_bias(2 * p.units),
      d_initial_state(p.batch * p.units);
  BackwardTensors<S> backward = {inputs.data(),
                                 kernel.data(),
                                 recurrent_kernel.data(),
                                 initial_state.data(),
                                 outputs.data(),
                                 reserve.data(),
                                 tanh ? candidates.data() : nullptr,
                                 d_outputs.data(),
                                 d_final_state.data(),
                                 d_inputs.data(),
                                 d_kernel.data(),
                                 d_recurrent_kernel.data(),
                                 d_bias.data(),
                                 d_initial_state.data()};
  AddGruBackward(p, p.go_backwards, backward);
  return {outputs.values(),        final_state.values(),        d_inputs.values(),
          d_kernel.values(),       d_recurrent_kernel.values(), d_bias.values(),
          d_initial_state.values()};
}

template <typename S>
void ExpectAgreement(const Case& c, double tolerance) {
  const Problem& p = c.problem;
  SCOPED_TRACE("batch " + std::to_string(p.batch) + " time " + std::to_string(p.time) + " input " +
               std::to_string(p.input) + " units " + std::to_string(p.units) + " activation " +
               std::to_string(static_cast<int>(p.activation)));
  const Computed<S> computed = Compute<S>(c);
  const Expected expected = Reference(c);
  ExpectNear(computed.outputs, expected.outputs, tolerance, "outputs");
  ExpectNear(computed.final_state, expected.final_state, tolerance, "final_state");
  ExpectNear(computed.d_inputs, expected.d_inputs, tolerance, "d_inputs");
  ExpectNear(computed.d_kernel, expected.d_kernel, tolerance, "d_kernel");
  ExpectNear(computed.d_recurrent_kernel, expected.d_recurrent_kernel, tolerance,
             "d_recurrent_kernel");
  ExpectNear(computed.d_bias, expected.d_bias, tolerance, "d_bias");
  ExpectNear(computed.d_initial_state, expected.d_initial_state, tolerance, "d_initial_state");
}

class AddGruTest : public InstructionSetTest {};

TEST_F(AddGruTest, AgreesWithLoopsAcrossTileEdges) {
  const int64_t sizes[][4] = {{1, 1, 1, 1},   {1, 5, 7, 8},    {2, 3, 8, 9},    {3, 4, 9, 16},
                              {4, 2, 1, 17},  {5, 3, 16, 31},  {6, 2, 31, 32},  {7, 3, 3, 33},
                              {12, 2, 5, 63}, {13, 2, 64, 64}, {33, 2, 2, 130}, {97, 2, 3, 5},
                              {2, 50, 3, 4},  {3, 90, 2, 3},   {300, 1, 3, 4},  {2, 3, 0, 17}};
  for (const auto& size : sizes) {
    const Problem p = {size[0], size[1], size[2], size[3], Activation::kRelu, 0, kInfinity, false};
    ExpectAgreement<double>(MakeCase(p, false), 1e-12);
  }
}

TEST_F(AddGruTest, AgreesForEveryActivationShiftBoundMaskAndDirection) {
  for (Activation activation :
       {Activation::kLinear, Activation::kRelu, Activation::kHardTanh, Activation::kTanh}) {
    for (double shift : {0.0, 0.5}) {
      for (double bound : {kInfinity, 1.5}) {
        for (bool masked : {false, true}) {
          for (bool backwards : {false, true}) {
            const Problem p = {7, 5, 3, 19, activation, shift, bound, backwards};
            ExpectAgreement<double>(MakeCase(p, masked), 1e-12);
          }
        }
      }
    }
  }
}

// Few rows have kernels of their own: blocks of up to 8 vectors, chunks of 48 steps.
TEST_F(AddGruTest, FewRows) {
  for (int64_t batch = 1; batch <= 6; ++batch) {
    for (int64_t units : {7, 16, 63, 64, 65, 127, 129}) {
      const Problem p = {batch, 3, 5, units, Activation::kRelu, 0, kInfinity, units % 2 == 1};
      ExpectAgreement<double>(MakeCase(p, units > 64), 1e-12);
      ExpectAgreement<float>(MakeCase(p, units < 64), 2e-5);
    }
    for (int64_t steps : {47, 48, 49, 97}) {
      for (int64_t units : {4, 33}) {
        const Problem p = {batch, steps, 3, units, Activation::kHardTanh, 0.5, 2, steps % 2 == 0};
        ExpectAgreement<double>(MakeCase(p, true), 1e-12);
      }
    }
  }
}

// Large enough for several threads: rows, units at every step, and groups of rows backward.
template <typename S>
void ExpectSameFromEveryNumberOfThreads(const Case& c) {
  SetNumThreads(1);
  const Computed<S> alone = Compute<S>(c);
  for (int threads : {2, 3, 8}) {
    SetNumThreads(threads);
    const Computed<S> together = Compute<S>(c);
    EXPECT_EQ(alone.outputs, together.outputs);
    EXPECT_EQ(alone.d_inputs, together.d_inputs);
    EXPECT_EQ(alone.d_kernel, together.d_kernel);
    EXPECT_EQ(alone.d_recurrent_kernel, together.d_recurrent_kernel);
    EXPECT_EQ(alone.d_bias, together.d_bias);
    EXPECT_EQ(alone.d_initial_state, together.d_initial_state);
  }
  SetNumThreads(0);
}

TEST_F(AddGruTest, RowsSharedOut) {
  const Problem p = {97, 12, 33, 70, Activation::kRelu, 0, 4, false};
  const Case c = MakeCase(p, true);
  SetNumThreads(3);
  ExpectAgreement<double>(c, 1e-12);
  ExpectSameFromEveryNumberOfThreads<double>(c);
  ExpectSameFromEveryNumberOfThreads<float>(c);
}

TEST_F(AddGruTest, UnitsSharedOutAtEveryStep) {
  const Problem p = {1, 3, 9, 1450, Activation::kRelu, 0, kInfinity, false};
  const Case c = MakeCase(p, true);
  SetNumThreads(3);
  ExpectAgreement<double>(c, 1e-12);
  ExpectSameFromEveryNumberOfThreads<float>(c);
}

// Inputs and states of zeros are passed over; one that is not, wherever it is, counts.
TEST_F(AddGruTest, ZerosAreSkippedExactly) {
  for (int64_t lonely : {0, 1, 15, 16, 17, 38}) {
    const Problem p = {2, 2, 39, 39, Activation::kLinear, 0, kInfinity, false};
    Case c = MakeCase(p, false);
    for (int64_t i = 0; i < 39; ++i) {
      for (int64_t row = 0; row < 4; ++row) c.inputs[row * 39 + i] *= i == lonely && row != 2;
      for (int64_t row = 0; row < 2; ++row) c.initial_state[row * 39 + i] *= i == lonely && row;
    }
    ExpectAgreement<double>(c, 1e-12);
  }
}

TEST_F(AddGruTest, SinglePrecision) {
  // Sums of float products, some of them through several steps; a kink taken the other way would
  // show.
  const Problem p = {9, 4, 5, 33, Activation::kTanh, 0, kInfinity, false};
  ExpectAgreement<float>(MakeCase(p, false), 1e-5);
}

TEST_F(AddGruTest, EmptySizes) {
  for (int axis = 0; axis < 4; ++axis) {
    int64_t size[4] = {2, 3, 4, 5};
    size[axis] = 0;
    const Problem p = {size[0], size[1], size[2], size[3], Activation::kRelu, 0, kInfinity, false};
    ExpectAgreement<double>(MakeCase(p, false), 1e-12);
  }
}

TEST_F(AddGruTest, ConcurrentCallsAgree) {
  const Problem p = {48, 16, 33, 70, Activation::kHardTanh, 0.5, 2, false};
  const Case c = MakeCase(p, false);
  const Computed<float> alone = Compute<float>(c);
  SetNumThreads(3);
  std::vector<std::thread> callers;
  for (int i = 0; i < 6; ++i) {
    callers.emplace_back([&] {
      for (int repeat = 0; repeat < 5; ++repeat) {
        const Computed<float> again = Compute<float>(c);
        EXPECT_EQ(alone.outputs, again.outputs);
        EXPECT_EQ(alone.d_kernel, again.d_kernel);
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  SetNumThreads(0);
}

TEST_F(AddGruTest, NanIsNotHidden) {
  Problem p = {2, 2, 3, 9, Activation::kRelu, 0, 4, false};
  for (Activation activation :
       {Activation::kLinear, Activation::kRelu, Activation::kHardTanh, Activation::kTanh}) {
    p.activation = activation;
    Case c = MakeCase(p, false);
    c.inputs[0] = std::nan("");
    const Computed<float> computed = Compute<float>(c);
    for (int64_t j = 0; j < p.units; ++j)
      EXPECT_TRUE(std::isnan(computed.outputs[j])) << static_cast<int>(activation);
  }
}

// A weight counts as soon as what it is multiplied with is not zero.
TEST_F(AddGruTest, NanInWeightsIsNotHidden) {
  for (int64_t batch : {1, 7}) {
    const Problem p = {batch, 3, 3, 9, Activation::kLinear, 0.5, kInfinity, false};
    for (int which : {0, 1}) {
      Case c = MakeCase(p, false);
      (which == 0 ? c.kernel : c.recurrent_kernel)[0] = std::nan("");
      c.initial_state[0] = 1;
      EXPECT_TRUE(std::isnan(Compute<float>(c).outputs[0])) << batch << " " << which;
    }
  }
}

// Without a bound no state is ever cut off, not even one that has overflown.
TEST_F(AddGruTest, OverflowIsNotABound) {
  const Problem p = {1, 1, 1, 1, Activation::kRelu, 0, kInfinity, false};
  Case c = MakeCase(p, false);
  c.inputs = {0};
  c.kernel = c.recurrent_kernel = {0, 0};
  c.initial_state = {3e38};
  c.bias = {0, 3e38};
  c.d_outputs = {1};
  c.d_final_state = {0};
  const Computed<float> computed = Compute<float>(c);
  EXPECT_TRUE(std::isinf(computed.outputs[0]));
  EXPECT_EQ(computed.d_initial_state[0], 1);
  EXPECT_EQ(computed.d_bias[1], 1);
}

// Marked values are summed, everything else is kept, exactly, over any number of steps.
TEST_F(AddGruTest, ExactAdder) {
  const int64_t steps = 10000;
  const Problem p = {1, steps, 2, 1, Activation::kRelu, 0, kInfinity, false};
  std::vector<float> inputs(2 * steps), outputs(steps), state(1);
  float sum = 0;
  std::mt19937 generator(7);
  for (int64_t t = 0; t < steps; ++t) {
    inputs[2 * t] = static_cast<float>(generator() % 256) / 256;
    inputs[2 * t + 1] = generator() % 2;
    sum += inputs[2 * t] * inputs[2 * t + 1];
  }
  const std::vector<float> kernel = {0, 1, -1, 0}, recurrent_kernel = {0, 0}, bias = {1, 0};
  ForwardTensors<float> tensors = {};
  tensors.inputs = inputs.data();
  tensors.outputs = outputs.data();
  tensors.final_state = state.data();
  AddGruForward(p, {kernel.data(), recurrent_kernel.data(), bias.data()}, tensors);
  EXPECT_EQ(state[0], sum);
  EXPECT_EQ(outputs.back(), sum);
}

TEST(CheckTest, SaysWhatIsWrong) {
  Problem p = {1, 1, 1, 1, Activation::kRelu, 0, kInfinity, false};
  EXPECT_EQ(WhatIsWrong(p), "");
  p.batch = -1;
  EXPECT_NE(WhatIsWrong(p).find("negative"), std::string::npos);
  p.batch = int64_t{1} << 40;
  p.time = int64_t{1} << 40;
  EXPECT_NE(WhatIsWrong(p).find("too large"), std::string::npos);
  p.batch = p.time = 1;
  p.state_shift = std::nan("");
  EXPECT_NE(WhatIsWrong(p).find("state_shift"), std::string::npos);
  p.state_shift = 1;
  p.state_max = -1;
  EXPECT_NE(WhatIsWrong(p).find("state_max"), std::string::npos);
  p.state_shift = 0;
  p.state_max = 1e-45f;
  EXPECT_NE(WhatIsWrong(p).find("received 1.40129846e-45 with"), std::string::npos);
  p.state_max = -0.1f;
  EXPECT_NE(WhatIsWrong(p).find("received -0.100000001 with"), std::string::npos);
}

TEST(CheckTest, NamesTheTensorOfTheWrongShape) {
  const auto wrong = [](auto change, bool allow_step = false) {
    TensorShapes shapes = {{2, 3, 4}, {4, 10}, {5, 10}, Shape{10}, Shape{2, 5}, Shape{2, 3}};
    change(shapes);
    try {
      CheckedSizes(shapes, allow_step);
      return std::string();
    } catch (const Error& error) {
      return std::string(error.what());
    }
  };
  using T = TensorShapes;
  EXPECT_EQ(wrong([](T&) {}), "");
  EXPECT_EQ(wrong([](T& t) { t.bias = t.initial_state = t.mask = std::nullopt; }), "");
  EXPECT_EQ(wrong([](T& t) { t.inputs = {2, 4}; }),
            "inputs must be of shape [batch, time, input], received [2, 4]");
  EXPECT_EQ(wrong([](T& t) { t.inputs = {2, 4}, t.mask = Shape{2, 1}; }, true), "");
  EXPECT_EQ(wrong([](T& t) { t.kernel = {4, 11}; }),
            "kernel must be of shape [4, 10], received [4, 11]");
  EXPECT_EQ(wrong([](T& t) { t.recurrent_kernel = {5}; }),
            "recurrent_kernel must be of shape [units, 2 * units], received [5]");
  EXPECT_EQ(wrong([](T& t) { t.recurrent_kernel = {5, 9}; }),
            "recurrent_kernel must be of shape [5, 10], received [5, 9]");
  EXPECT_EQ(wrong([](T& t) { t.bias = Shape{}; }), "bias must be of shape [10], received []");
  EXPECT_EQ(wrong([](T& t) { t.initial_state = Shape{3, 5}; }),
            "initial_state must be of shape [2, 5], received [3, 5]");
  EXPECT_EQ(wrong([](T& t) { t.mask = Shape{2, 4}; }),
            "mask must be of shape [2, 3], received [2, 4]");
}

}  // namespace
}  // namespace addrnn
