#include "cc_ops/lite/options.h"

#include <cstdint>
#include <cstring>

#include "cc_ops/core/error.h"

namespace addrnn {
namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the bytes would have to be swapped");

struct MinLayout {
  char magic[4];
  uint32_t version;
  uint8_t activation;
  uint8_t go_backwards;
  uint16_t zero;
};
static_assert(sizeof(MinLayout) == 12, "no padding");

struct Layout : MinLayout {
  float state_shift;
  float state_max;
};
static_assert(sizeof(Layout) == 20, "no padding");

template <typename L>
L ReadLayout(const void* data, size_t size, const char* magic) {
  L layout;
  if (data == nullptr || size < sizeof(layout.magic) || std::memcmp(data, magic, 4) != 0) {
    throw Error("its options are not those that keras_addrnn.lite.convert writes");
  }
  if (size < 8) throw Error("its options are truncated");
  std::memcpy(&layout, data, 8);
  if (layout.version != 1)
    throw Error("its options are of a version that this delegate does not know");
  if (size != sizeof(layout)) throw Error("its options are of the wrong size");
  std::memcpy(&layout, data, sizeof(layout));
  if (layout.activation >= 4) throw Error("its options name no known activation");
  if (layout.go_backwards > 1 || layout.zero != 0) throw Error("its options hold impossible flags");
  return layout;
}

// Problem or MinProblem.
template <typename P>
void SetActivationAndDirection(const MinLayout& layout, P* problem) {
  constexpr Activation kActivations[] = {Activation::kLinear, Activation::kRelu,
                                         Activation::kHardTanh, Activation::kTanh};
  problem->activation = kActivations[layout.activation];
  problem->go_backwards = layout.go_backwards != 0;
}

}  // namespace

void ReadOptions(const void* data, size_t size, Problem* problem) {
  const auto layout = ReadLayout<Layout>(data, size, "AGRU");
  SetActivationAndDirection(layout, problem);
  problem->state_shift = layout.state_shift;
  problem->state_max = layout.state_max;
}

void ReadOptions(const void* data, size_t size, MinProblem* problem) {
  SetActivationAndDirection(ReadLayout<MinLayout>(data, size, "MGRU"), problem);
}

}  // namespace addrnn
