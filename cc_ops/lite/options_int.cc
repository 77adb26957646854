#include "cc_ops/lite/options_int.h"

#include <cstdint>
#include <cstring>

#include "cc_ops/core/error.h"

namespace addrnn {
namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the bytes would have to be swapped");

struct Layout {
  char magic[4];
  uint32_t version;
  uint8_t input_bits;
  uint8_t go_backwards;
  int16_t state_shift;  // in MinAddGruInt the input's zero point
  int16_t state_max;
  int16_t candidate_min;
  int16_t candidate_max;
  uint16_t zero;
};
static_assert(sizeof(Layout) == 20, "no padding");

Layout ReadLayout(const void* data, size_t size, const char* magic) {
  Layout layout;
  if (data == nullptr || size < sizeof(layout.magic) || std::memcmp(data, magic, 4) != 0) {
    throw Error("its options are not those that addrnn.lite.convert_integer writes");
  }
  if (size < 8) throw Error("its options are truncated");
  std::memcpy(&layout, data, 8);
  if (layout.version != 1)
    throw Error("its options are of a version that this delegate does not know");
  if (size != sizeof(layout)) throw Error("its options are of the wrong size");
  std::memcpy(&layout, data, sizeof(layout));
  if (layout.go_backwards > 1 || layout.zero != 0) throw Error("its options hold impossible flags");
  return layout;
}

}  // namespace

void ReadOptions(const void* data, size_t size, IntegerProblem* problem) {
  const Layout layout = ReadLayout(data, size, "AGRI");
  problem->input_bits = layout.input_bits;
  problem->go_backwards = layout.go_backwards != 0;
  problem->state_shift = layout.state_shift;
  problem->state_max = layout.state_max;
  problem->candidate_min = layout.candidate_min;
  problem->candidate_max = layout.candidate_max;
}

void ReadOptions(const void* data, size_t size, MinIntegerProblem* problem) {
  const Layout layout = ReadLayout(data, size, "MGRI");
  if (layout.candidate_min != 0) throw Error("its options hold impossible flags");
  problem->input_bits = layout.input_bits;
  problem->go_backwards = layout.go_backwards != 0;
  problem->input_zero_point = layout.state_shift;
  problem->state_max = layout.state_max;
  problem->candidate_max = layout.candidate_max;
}

void ReadOptions(const void* data, size_t size, IntegerDenseProblem* problem) {
  const Layout layout = ReadLayout(data, size, "AGRD");
  problem->input_bits = layout.input_bits;
}

}  // namespace addrnn
