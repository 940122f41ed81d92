// The roofs are measured with whatever instructions a model was compiled for.
#include "llmir/runtime/device/cpu/Roofs.h"
#include "Fixture.h"
#include "llmir/support/CpuInfo.h"

using namespace llmir;

namespace {

TEST(Roofs, OfEachInstructionSet) {
  auto device = CpuDevice::create(2);
  ASSERT_TRUE(device);
  for (const char *flag : {"", "avx2", "avx512_vnni"}) {
    Manifest manifest;
    if (*flag && !cpuFlags().contains(flag))
      continue;
    if (*flag)
      manifest.features = {flag};
    auto roofs = measureRoofs(**device, manifest, 1000001);
    ASSERT_TRUE(roofs) << roofs.error().message;
    EXPECT_EQ(roofs->bufferBytes, 1000001 / 512 * 512);
    EXPECT_GT(roofs->memoryPerSecond, 0);
    for (const ArithmeticRoof *roof : {&roofs->f32, &roofs->int8, &roofs->int16}) {
      EXPECT_FALSE(roof->name.empty());
      EXPECT_GT(roof->perSecond, 0);
    }
  }
}

TEST(Roofs, BufferIsBeyondTheCache) {
  EXPECT_GT(roofBufferBytes(), 0);
  auto device = CpuDevice::create(1);
  ASSERT_TRUE(device);
  EXPECT_NE(measureRoofs(**device, Manifest(), int64_t(1) << 62).has_value(), true);
}

} // namespace
