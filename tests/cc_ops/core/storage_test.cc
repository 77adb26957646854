// The conversions of 16-bit floats, over all of their values.

#define ADDRNN_ISA storage_test
#include "cc_ops/core/kernels/storage.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace addrnn {
namespace {

using storage_test::BitsOf;
using storage_test::FloatOf;
using storage_test::ToCompute;
using storage_test::ToStorage;

TEST(Float16Test, RoundTripsEveryValue) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const float value = ToCompute(Float16{static_cast<uint16_t>(bits)});
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(ToCompute(ToStorage<Float16>(value))));
    } else {
      EXPECT_EQ(ToStorage<Float16>(value).bits, bits);
    }
  }
}

TEST(BFloat16Test, RoundTripsEveryValue) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const float value = ToCompute(BFloat16{static_cast<uint16_t>(bits)});
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(ToCompute(ToStorage<BFloat16>(value))));
    } else {
      EXPECT_EQ(ToStorage<BFloat16>(value).bits, bits);
    }
  }
}

TEST(Float16Test, KnownValues) {
  EXPECT_EQ(ToCompute(Float16{0x3C00}), 1.0f);
  EXPECT_EQ(ToCompute(Float16{0xC000}), -2.0f);
  EXPECT_EQ(ToCompute(Float16{0x7BFF}), 65504.0f);
  EXPECT_EQ(ToCompute(Float16{0x0001}), std::ldexp(1.0f, -24));
  EXPECT_EQ(ToCompute(Float16{0xFC00}), -std::numeric_limits<float>::infinity());
}

// The neighbours on both sides, and the ties between them, of every finite value.
TEST(Float16Test, RoundsToNearestEven) {
  for (uint32_t bits = 0; bits < 0x7BFF; ++bits) {
    const float low = ToCompute(Float16{static_cast<uint16_t>(bits)});
    const float high = ToCompute(Float16{static_cast<uint16_t>(bits + 1)});
    const float middle = low + (high - low) / 2;
    EXPECT_EQ(ToStorage<Float16>(middle).bits, bits + (bits & 1));
    EXPECT_EQ(ToStorage<Float16>(std::nextafter(middle, 0.0f)).bits, bits);
    EXPECT_EQ(ToStorage<Float16>(std::nextafter(middle, 1e9f)).bits, bits + 1);
    EXPECT_EQ(ToStorage<Float16>(-middle).bits, 0x8000 + bits + (bits & 1));
  }
  EXPECT_EQ(ToStorage<Float16>(65519.99f).bits, 0x7BFF);
  EXPECT_EQ(ToStorage<Float16>(65520.0f).bits, 0x7C00);
}

TEST(BFloat16Test, RoundsToNearestEven) {
  for (uint32_t bits = 0; bits < 0x7F7F; ++bits) {
    const uint32_t middle = bits << 16 | 0x8000;
    EXPECT_EQ(ToStorage<BFloat16>(FloatOf(middle)).bits, bits + (bits & 1));
    EXPECT_EQ(ToStorage<BFloat16>(FloatOf(middle - 1)).bits, bits);
    EXPECT_EQ(ToStorage<BFloat16>(FloatOf(middle + 1)).bits, bits + 1);
  }
  EXPECT_EQ(BitsOf(ToCompute(BFloat16{0x3F80})), BitsOf(1.0f));
}

}  // namespace
}  // namespace addrnn
