#ifndef KERAS_ADDRNN_TESTS_CC_OPS_CORE_INSTRUCTION_SET_H_
#define KERAS_ADDRNN_TESTS_CC_OPS_CORE_INSTRUCTION_SET_H_

#include <gtest/gtest.h>

#include "cc_ops/core/dispatch.h"

namespace addrnn {

// The tests run once per instruction set, which KERAS_ADDRNN_ISA names; those that this machine
// does not have are skipped and not taken for passed.
class InstructionSetTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string requested = RequestedInstructionSet();
    if (!requested.empty() && requested != InstructionSet())
      GTEST_SKIP() << "this machine has no " << requested;
  }
};

}  // namespace addrnn

#endif  // KERAS_ADDRNN_TESTS_CC_OPS_CORE_INSTRUCTION_SET_H_
