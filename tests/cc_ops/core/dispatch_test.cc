// Which instruction sets there are to choose from.

#include "cc_ops/core/dispatch.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

namespace addrnn {
namespace {

std::vector<std::string> Available() {
  std::istringstream names(AvailableInstructionSets());
  std::vector<std::string> available;
  for (std::string name; names >> name;) available.push_back(name);
  return available;
}

TEST(DispatchTest, LastIsWhatEveryMachineHas) {
#if defined(__aarch64__)
  EXPECT_EQ(Available().back(), "neon");
#else
  EXPECT_EQ(Available().back(), "baseline");
#endif
}

TEST(DispatchTest, BestUnlessAnotherIsRequested) {
  const std::vector<std::string> available = Available();
  const std::string requested = RequestedInstructionSet();
  bool obeyed = false;
  for (const std::string& name : available) obeyed |= name == requested;
  EXPECT_EQ(InstructionSet(), obeyed ? requested : available.front());
}

}  // namespace
}  // namespace addrnn
