// libFuzzer: any small problem in integers, sound or not. What Check() lets pass is computed, on
// one thread and on several, and compared with plain loops on int64; the sanitizers look for
// accesses outside of a buffer and for overflows.

#include <algorithm>

#include "cc_ops/core/thread_pool.h"
#include "tests/cc_ops/core/integer_cases.h"
#include "tests/cc_ops/core/min_integer_cases.h"
#include "tests/cc_ops/core/what_is_wrong.h"
#include "tests/cc_ops/fuzz/source.h"

namespace addrnn {
namespace {

void RunAddGru(Source& source) {
  // As a file says it: none of it is checked yet. Most numbers are small, or nothing would pass.
  IntegerCase c = {};
  IntegerProblem& p = c.problem;
  p.batch = source.Below(2) ? source.Below(6) : source.Below(50);
  p.time = source.Below(2) ? source.Below(4) : source.Below(40);
  p.input = source.Below(2) ? source.Below(6) : source.Below(70);
  p.units = source.Below(2) ? source.Below(20) : source.Below(140);
  constexpr int64_t kMostWork = 1 << 16;
  while (p.batch * p.time * (p.units + 1) * (p.input + p.units) > kMostWork) {
    *std::max({&p.batch, &p.time, &p.input, &p.units},
              [](const int64_t* a, const int64_t* b) { return *a < *b; }) /= 2;
  }
  const bool wild = source.Below(8) == 0;
  p.input_bits = wild ? source.Any<int8_t>() : 1 + source.Below(16);
  p.state_shift = source.Below(2) ? 0 : source.Any<int16_t>() & (wild ? -1 : 0x3FFF);
  p.state_max = source.Any<int16_t>() & (wild ? -1 : 0x3FFF);
  p.candidate_min = wild ? source.Any<int16_t>() : -p.state_shift;
  p.candidate_max = wild ? source.Any<int16_t>() : p.state_max;
  p.go_backwards = source.Below(2);
  if (!WhatIsWrong(p).empty()) return;

  const int64_t columns = 2 * p.units;
  const int8_t weights = source.Below(2) ? -1 : 7;
  const bool rescale = source.Below(2), masked = source.Below(2);
  const int32_t bias = source.Below(2) ? -1 : 0xFFFFF;
  for (int64_t i = 0; i < p.input * columns; ++i)
    c.kernel.push_back(source.Any<int8_t>() & weights);
  for (int64_t i = 0; i < p.units * columns; ++i) {
    c.recurrent_kernel.push_back(source.Any<int8_t>() & weights);
  }
  for (int64_t j = 0; j < columns; ++j) {
    c.bias.push_back(source.Any<int32_t>() & bias);
    c.kernel_shift.push_back(source.Byte() & (wild ? 255 : 3));
    c.recurrent_shift.push_back(source.Byte() & (wild ? 255 : 3));
    c.shift.push_back(source.Byte() & (wild ? 255 : rescale ? 63 : 15));
    if (rescale) c.multiplier.push_back(source.Any<int32_t>() & (wild ? -1 : INT32_MAX));
  }
  if (!WhatIsWrong(p, c.weights()).empty()) return;

  const int64_t greatest = (int64_t{1} << (p.input_bits - 1)) - 1;
  const bool bytes = p.input_bits <= 8 && source.Below(2);
  for (int64_t i = 0; i < p.batch * p.time * p.input; ++i) {
    c.inputs.push_back(bytes ? source.Any<int8_t>() : source.Any<int16_t>());
  }
  const bool started = source.Below(2);
  for (int64_t i = 0; started && i < p.batch * p.units; ++i) {
    c.initial_state.push_back(source.Any<int16_t>());
  }
  for (int64_t i = 0; masked && i < p.batch * p.time; ++i) c.mask.push_back(source.Below(3));

  IntegerCase inside = c;  // what the core makes of numbers out of range
  for (int16_t& x : inside.inputs) x = std::clamp<int64_t>(x, -greatest - 1, greatest);
  for (int16_t& h : inside.initial_state) h = std::clamp<int>(h, -p.state_shift, p.state_max);
  IntegerResults expected = IntegerReference(inside);
  expected.outputs.push_back(kIntegerCanary);
  expected.final_state.push_back(kIntegerCanary);
  PreparedInteger prepared;
  for (const int threads : {1, 2 + source.Below(3)}) {
    SetNumThreads(threads);
    const IntegerResults results = IntegerCore(c, prepared, bytes);
    Check(results.outputs == expected.outputs, "outputs differ from plain loops");
    Check(results.final_state == expected.final_state, "final_state differs from plain loops");
  }
}

void RunMinAddGru(Source& source) {
  MinIntegerCase c = {};
  MinIntegerProblem& p = c.problem;
  p.batch = source.Below(2) ? source.Below(6) : source.Below(50);
  p.time = source.Below(2) ? source.Below(4) : source.Below(70);
  p.input = source.Below(2) ? source.Below(6) : source.Below(70);
  p.units = source.Below(2) ? source.Below(20) : source.Below(140);
  p.window = source.Below(2) ? source.Below(5) : source.Below(80);
  constexpr int64_t kMostWork = 1 << 16;
  while (p.batch * p.time * (p.units + 1) * p.input * p.window > kMostWork) {
    *std::max({&p.batch, &p.time, &p.input, &p.units, &p.window},
              [](const int64_t* a, const int64_t* b) { return *a < *b; }) /= 2;
  }
  const bool wild = source.Below(8) == 0;
  p.input_bits = wild ? source.Any<int8_t>() : 1 + source.Below(16);
  p.input_zero_point = wild ? source.Any<int16_t>() : source.Below(2) - 1;
  p.state_max = source.Any<int16_t>() & (wild ? -1 : 0x7FFF);
  p.candidate_max = wild ? source.Any<int16_t>() : p.state_max / (1 + source.Below(2));
  p.go_backwards = source.Below(2);
  if (p.input_bits == 1) p.input_zero_point = std::min(p.input_zero_point, 0);
  if (!WhatIsWrong(p).empty()) return;

  const int64_t columns = 2 * p.units;
  const int8_t weights = source.Below(2) ? -1 : 7;
  const bool rescale = source.Below(2), masked = source.Below(2);
  const int32_t bias = source.Below(2) ? -1 : 0xFFFFF;
  for (int64_t i = 0; i < p.window * p.input * columns; ++i) {
    c.kernel.push_back(source.Any<int8_t>() & weights);
  }
  for (int64_t j = 0; j < columns; ++j) {
    c.bias.push_back(source.Any<int32_t>() & bias);
    c.shift.push_back(source.Byte() & (wild ? 255 : rescale ? 63 : 15));
    if (rescale) c.multiplier.push_back(source.Any<int32_t>() & (wild ? -1 : INT32_MAX));
  }
  if (!WhatIsWrong(p, c.weights()).empty()) return;

  const int64_t greatest = (int64_t{1} << (p.input_bits - 1)) - 1;
  const bool bytes = p.input_bits <= 8 && source.Below(2);
  const auto input = [&] { return bytes ? source.Any<int8_t>() : source.Any<int16_t>(); };
  for (int64_t i = 0; i < p.batch * p.time * p.input; ++i) c.inputs.push_back(input());
  const bool started = source.Below(2), continued = source.Below(2);
  for (int64_t i = 0; started && i < p.batch * p.units; ++i) {
    c.initial_state.push_back(source.Any<int16_t>());
  }
  for (int64_t i = 0; continued && i < p.batch * (p.window - 1) * p.input; ++i) {
    c.initial_inputs.push_back(input());
  }
  for (int64_t i = 0; masked && i < p.batch * p.time; ++i) c.mask.push_back(source.Below(3));

  MinIntegerCase inside = c;  // what the core makes of numbers out of range
  for (auto* inputs : {&inside.inputs, &inside.initial_inputs}) {
    for (int16_t& x : *inputs) x = std::clamp<int64_t>(x, -greatest - 1, greatest);
  }
  for (int16_t& h : inside.initial_state) h = std::clamp<int>(h, 0, p.state_max);
  IntegerResults expected = MinIntegerReference(inside);
  expected.outputs.push_back(kIntegerCanary);
  expected.final_state.push_back(kIntegerCanary);
  PreparedMinInteger prepared;
  for (const int threads : {1, 2 + source.Below(3)}) {
    SetNumThreads(threads);
    const IntegerResults results = MinIntegerCore(c, prepared, bytes);
    Check(results.outputs == expected.outputs, "outputs of MinAddGRU differ from plain loops");
    Check(results.final_state == expected.final_state,
          "final_state of MinAddGRU differs from plain loops");
  }
}

}  // namespace
}  // namespace addrnn

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  addrnn::Source source(data, size);
  if (source.Below(2)) {
    addrnn::RunMinAddGru(source);
  } else {
    addrnn::RunAddGru(source);
  }
  return 0;
}
