// The integer layers on NumPy arrays.

#include "cc_ops/python/integer.h"

#include <mutex>
#include <string>

#include "cc_ops/core/error.h"
#include "cc_ops/core/integer.h"
#include "cc_ops/core/min_integer.h"
#include "cc_ops/python/arrays.h"
#include "cc_ops/python/release_gil.h"

namespace addrnn {
namespace {

// One of the two types of inputs.
IntegerInputs InputsOf(const py::array& array, const char* name = "inputs") {
  const bool contiguous = (array.flags() & py::array::c_style) != 0;
  if (contiguous && py::isinstance<py::array_t<int8_t>>(array)) {
    return {static_cast<const int8_t*>(array.data()), nullptr};
  }
  if (contiguous && py::isinstance<py::array_t<int16_t>>(array)) {
    return {nullptr, static_cast<const int16_t*>(array.data())};
  }
  throw Error(std::string(name) + " must be a C-contiguous array of int8 or int16");
}

class IntegerAddGru {
 public:
  IntegerAddGru(const Array<int8_t>& kernel, const Array<int8_t>& recurrent_kernel,
                const Array<int32_t>& bias, const Array<uint8_t>& kernel_shift,
                const Array<uint8_t>& recurrent_shift, const Array<uint8_t>& shift,
                const std::optional<Array<int32_t>>& multiplier, int32_t input_bits,
                int32_t state_shift, int32_t state_max, int32_t candidate_min,
                int32_t candidate_max, bool go_backwards) {
    CheckRank("kernel", ShapeOf(kernel), 2, "[D, 2 * H]");
    IntegerProblem& p = problem_;
    p.input = kernel.shape(0);
    p.units = kernel.shape(1) / 2;
    p.input_bits = input_bits;
    p.state_shift = state_shift;
    p.state_max = state_max;
    p.candidate_min = candidate_min;
    p.candidate_max = candidate_max;
    p.go_backwards = go_backwards;
    Check(p);
    const Shape columns = {2 * p.units};
    CheckShape("kernel", ShapeOf(kernel), {p.input, 2 * p.units});
    CheckShape("recurrent_kernel", ShapeOf(recurrent_kernel), {p.units, 2 * p.units});
    CheckShape("bias", ShapeOf(bias), columns);
    CheckShape("kernel_shift", ShapeOf(kernel_shift), columns);
    CheckShape("recurrent_shift", ShapeOf(recurrent_shift), columns);
    CheckShape("shift", ShapeOf(shift), columns);
    if (multiplier) CheckShape("multiplier", ShapeOf(*multiplier), columns);
    const IntegerWeights weights = {kernel.data(),         recurrent_kernel.data(), bias.data(),
                                    kernel_shift.data(),   recurrent_shift.data(),  shift.data(),
                                    DataOrNull(multiplier)};
    Check(p, weights);
    prepared_.Prepare(p, weights);
  }

  py::tuple Run(const py::array& inputs, const std::optional<Array<int16_t>>& initial_state,
                const std::optional<Array<bool>>& mask) {
    IntegerProblem p = problem_;
    CheckRank("inputs", ShapeOf(inputs), 3, "[batch, time, input]");
    p.batch = inputs.shape(0);
    p.time = inputs.shape(1);
    Check(p);
    CheckShape("inputs", ShapeOf(inputs), {p.batch, p.time, p.input});
    if (initial_state) CheckShape("initial_state", ShapeOf(*initial_state), {p.batch, p.units});
    if (mask) CheckShape("mask", ShapeOf(*mask), {p.batch, p.time});
    Array<int16_t> outputs(Shape{p.batch, p.time, p.units}), state(Shape{p.batch, p.units});
    const IntegerTensors tensors = {InputsOf(inputs), DataOrNull(initial_state),
                                    reinterpret_cast<const uint8_t*>(DataOrNull(mask)),
                                    outputs.mutable_data(), state.mutable_data()};
    {
      const ReleaseGil released;
      const std::lock_guard<std::mutex> lock(mutex_);
      prepared_.Prepare(p, {});
      prepared_.Run(tensors);
    }
    return py::make_tuple(outputs, state);
  }

 private:
  IntegerProblem problem_ = {};
  std::mutex mutex_;  // threads of Python may call at once, and there is one working memory
  PreparedInteger prepared_;
};

class IntegerMinAddGru {
 public:
  IntegerMinAddGru(const Array<int8_t>& kernel, const Array<int32_t>& bias,
                   const Array<uint8_t>& shift, const std::optional<Array<int32_t>>& multiplier,
                   int32_t input_bits, int32_t input_zero_point, int32_t state_max,
                   int32_t candidate_max, bool go_backwards) {
    CheckRank("kernel", ShapeOf(kernel), 3, "[w, D, 2 * H]");
    MinIntegerProblem& p = problem_;
    p.window = kernel.shape(0);
    p.input = kernel.shape(1);
    p.units = kernel.shape(2) / 2;
    p.input_bits = input_bits;
    p.input_zero_point = input_zero_point;
    p.state_max = state_max;
    p.candidate_max = candidate_max;
    p.go_backwards = go_backwards;
    Check(p);
    const Shape columns = {2 * p.units};
    CheckShape("kernel", ShapeOf(kernel), {p.window, p.input, 2 * p.units});
    CheckShape("bias", ShapeOf(bias), columns);
    CheckShape("shift", ShapeOf(shift), columns);
    if (multiplier) CheckShape("multiplier", ShapeOf(*multiplier), columns);
    const MinIntegerWeights weights = {kernel.data(), bias.data(), shift.data(),
                                       DataOrNull(multiplier)};
    Check(p, weights);
    prepared_.Prepare(p, weights);
  }

  py::tuple Run(const py::array& inputs, const std::optional<Array<int16_t>>& initial_state,
                const std::optional<Array<bool>>& mask,
                const std::optional<py::array>& initial_inputs) {
    MinIntegerProblem p = problem_;
    CheckRank("inputs", ShapeOf(inputs), 3, "[batch, time, input]");
    p.batch = inputs.shape(0);
    p.time = inputs.shape(1);
    Check(p);
    CheckShape("inputs", ShapeOf(inputs), {p.batch, p.time, p.input});
    if (initial_state) CheckShape("initial_state", ShapeOf(*initial_state), {p.batch, p.units});
    if (mask) CheckShape("mask", ShapeOf(*mask), {p.batch, p.time});
    Array<int16_t> outputs(Shape{p.batch, p.time, p.units}), state(Shape{p.batch, p.units});
    MinIntegerTensors tensors = {};
    tensors.inputs = InputsOf(inputs);
    if (initial_inputs) {
      const Shape shape = {p.batch, p.window - 1, p.input};
      CheckShape("initial_inputs", ShapeOf(*initial_inputs), shape);
      tensors.initial_inputs = InputsOf(*initial_inputs, "initial_inputs");
    }
    tensors.initial_state = DataOrNull(initial_state);
    tensors.mask = reinterpret_cast<const uint8_t*>(DataOrNull(mask));
    tensors.outputs = outputs.mutable_data();
    tensors.final_state = state.mutable_data();
    {
      const ReleaseGil released;
      const std::lock_guard<std::mutex> lock(mutex_);
      prepared_.Prepare(p, {});
      prepared_.Run(tensors);
    }
    return py::make_tuple(outputs, state);
  }

 private:
  MinIntegerProblem problem_ = {};
  std::mutex mutex_;
  PreparedMinInteger prepared_;
};

class IntegerDense {
 public:
  IntegerDense(const Array<int8_t>& kernel, const Array<int32_t>& bias, int32_t input_bits) {
    CheckRank("kernel", ShapeOf(kernel), 2, "[F, C]");
    problem_ = {0, kernel.shape(0), kernel.shape(1), input_bits};
    Check(problem_);
    CheckShape("bias", ShapeOf(bias), {problem_.units});
    const IntegerDenseWeights weights = {kernel.data(), bias.data()};
    Check(problem_, weights);
    prepared_.Prepare(problem_, weights);
  }

  Array<int32_t> Run(const py::array& inputs) {
    IntegerDenseProblem p = problem_;
    CheckRank("inputs", ShapeOf(inputs), 2, "[rows, F]");
    p.rows = inputs.shape(0);
    Check(p);
    CheckShape("inputs", ShapeOf(inputs), {p.rows, p.input});
    Array<int32_t> outputs(Shape{p.rows, p.units});
    const IntegerDenseTensors tensors = {InputsOf(inputs), outputs.mutable_data()};
    {
      const ReleaseGil released;
      const std::lock_guard<std::mutex> lock(mutex_);
      prepared_.Prepare(p, {});
      prepared_.Run(tensors);
    }
    return outputs;
  }

 private:
  IntegerDenseProblem problem_ = {};
  std::mutex mutex_;
  PreparedIntegerDense prepared_;
};

}  // namespace

void DefineInteger(py::module_& module) {
  py::class_<IntegerAddGru>(
      module, "IntegerAddGru",
      "The recurrence in integers (docs/explanation/integer.md), prepared once.")
      .def(py::init<const Array<int8_t>&, const Array<int8_t>&, const Array<int32_t>&,
                    const Array<uint8_t>&, const Array<uint8_t>&, const Array<uint8_t>&,
                    const std::optional<Array<int32_t>>&, int32_t, int32_t, int32_t, int32_t,
                    int32_t, bool>(),
           py::kw_only(), py::arg("kernel").noconvert(), py::arg("recurrent_kernel").noconvert(),
           py::arg("bias").noconvert(), py::arg("kernel_shift").noconvert(),
           py::arg("recurrent_shift").noconvert(), py::arg("shift").noconvert(),
           py::arg("multiplier").noconvert(), py::arg("input_bits"), py::arg("state_shift"),
           py::arg("state_max"), py::arg("candidate_min"), py::arg("candidate_max"),
           py::arg("go_backwards"))
      .def("run", &IntegerAddGru::Run, py::arg("inputs").noconvert(),
           py::arg("initial_state").noconvert() = py::none(),
           py::arg("mask").noconvert() = py::none(),
           "On C-contiguous arrays, inputs of int8 or int16: returns (outputs, final state), "
           "int16.");
  py::class_<IntegerMinAddGru>(
      module, "IntegerMinAddGru",
      "MinAddGRU in integers (docs/explanation/integer.md), prepared once.")
      .def(py::init<const Array<int8_t>&, const Array<int32_t>&, const Array<uint8_t>&,
                    const std::optional<Array<int32_t>>&, int32_t, int32_t, int32_t, int32_t,
                    bool>(),
           py::kw_only(), py::arg("kernel").noconvert(), py::arg("bias").noconvert(),
           py::arg("shift").noconvert(), py::arg("multiplier").noconvert(), py::arg("input_bits"),
           py::arg("input_zero_point"), py::arg("state_max"), py::arg("candidate_max"),
           py::arg("go_backwards"))
      .def("run", &IntegerMinAddGru::Run, py::arg("inputs").noconvert(),
           py::arg("initial_state").noconvert() = py::none(),
           py::arg("mask").noconvert() = py::none(),
           py::arg("initial_inputs").noconvert() = py::none(),
           "On C-contiguous arrays, inputs of int8 or int16: returns (outputs, final state), "
           "int16.");
  py::class_<IntegerDense>(module, "IntegerDense", "A dense layer in integers, prepared once.")
      .def(py::init<const Array<int8_t>&, const Array<int32_t>&, int32_t>(), py::kw_only(),
           py::arg("kernel").noconvert(), py::arg("bias").noconvert(), py::arg("input_bits"))
      .def("run", &IntegerDense::Run, py::arg("inputs").noconvert(),
           "On a C-contiguous array [rows, F] of int8 or int16: returns int32 [rows, C].");
}

}  // namespace addrnn
