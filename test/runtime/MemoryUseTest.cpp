// Planned memory is what a session then holds.
#include "Fixture.h"
#include "llmir/runtime/engine/Session.h"
#include <gmock/gmock.h>

using namespace llmir;

namespace {

TEST(MemoryUse, APlanIsWhatASessionHolds) {
  LoadedFixture loaded(1);
  for (int32_t sequences : {1, 3})
    for (int64_t context : {1, 7, 500}) {
      SessionOptions options =
          engineSession(loaded.program->manifest(), context, sequences, /*prefillChunk=*/20);
      auto planned = planMemory(loaded.program->manifest(), options);
      auto session = Session::create(*loaded.device, *loaded.program, options);
      ASSERT_TRUE(planned && session);
      MemoryUse held = (*session)->memory();
      EXPECT_EQ(held.weights, planned->weights);
      EXPECT_EQ(held.kv, planned->kv);
      EXPECT_EQ(held.scratch, planned->scratch);
      EXPECT_EQ(held.logits, planned->logits);
      EXPECT_EQ(held.total(), planned->total());
    }
}

TEST(MemoryUse, SizesFollowFromTheManifest) {
  LoadedFixture loaded(1); // blocks of 4 tokens, 16 bytes each of K and V, 8 bytes of scratch
  const Manifest &manifest = loaded.program->manifest();
  auto planned = planMemory(manifest, engineSession(manifest, 9, 2, 20));
  ASSERT_TRUE(planned);
  EXPECT_EQ(planned->weights, 64);
  EXPECT_EQ(planned->kv, 2 * 128); // 6 blocks, 96 bytes, to a multiple of 64
  EXPECT_EQ(planned->scratch, 32 * 8);
  EXPECT_EQ(planned->logits, 2 * 97 * 4);
}

TEST(MemoryUse, ACacheBeyondAllMemoryIsAnError) {
  LoadedFixture loaded(1);
  const Manifest &manifest = loaded.program->manifest();
  EXPECT_THAT(planMemory(manifest, engineSession(manifest, INT32_MAX, 1024, 1)).error().message,
              testing::HasSubstr("more memory than can be addressed"));
}

} // namespace
