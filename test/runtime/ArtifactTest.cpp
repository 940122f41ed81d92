// The artifact's file: what is written is read back, and nothing that was damaged is taken.
#include "Fixture.h"
#include "test/support/Limit.h"
#include <cstddef>
#include <gmock/gmock.h>
#include <xxhash.h>

using namespace llmir;
using testing::HasSubstr;

namespace {

class ArtifactTest : public testing::Test {
protected:
  void SetUp() override {
    auto written = fixture.write();
    ASSERT_TRUE(written) << written.error().message;
    path = written->path();
    std::ifstream file(path, std::ios::binary);
    whole.assign(std::istreambuf_iterator<char>(file), {});
  }
  /// The error of a file with these bytes; empty: there is none.
  std::string errorOf(const std::string &bytes, Artifact::Check check = Artifact::Check::All) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
    auto artifact = Artifact::open(path, check);
    return artifact ? "" : artifact.error().message;
  }

  FixtureArtifact fixture;
  std::string path, whole;
};

TEST_F(ArtifactTest, HoldsWhatWasWritten) {
  auto artifact = Artifact::open(path);
  ASSERT_TRUE(artifact);
  EXPECT_EQ(artifact->manifest().model.name, "fixture");
  EXPECT_TRUE(std::ranges::equal(artifact->code(), fixture.code));
  EXPECT_EQ(artifact->weights().size(), 64u);
  EXPECT_EQ(uintptr_t(artifact->weights().data()) % 4096, 0u);
  EXPECT_TRUE(isArtifact(path));
  EXPECT_FALSE(isArtifact(LLMIR_FIXTURE_MODEL));
  EXPECT_FALSE(isArtifact("/nowhere"));
  EXPECT_FALSE(isArtifact("/"));
}

TEST_F(ArtifactTest, NoFlippedBitIsTaken) {
  auto intact = Artifact::open(path);
  ASSERT_TRUE(intact);
  const uint8_t *start = intact->weights().data() - artifactPageBytes;
  auto isPart = [&](size_t offset) {
    for (auto part : {intact->weights(), intact->code(), intact->text()})
      if (start + offset >= part.data() && start + offset < part.data() + part.size())
        return true;
    return offset < sizeof(ArtifactHeader);
  };
  size_t tried = 0;
  for (size_t offset = 0; offset < whole.size();
       offset += isPart(offset) && offset < 4200 ? 1 : 61) {
    if (!isPart(offset))
      continue;
    std::string damaged = whole;
    damaged[offset] = char(damaged[offset] ^ (1 << offset % 8));
    EXPECT_THAT(errorOf(damaged), HasSubstr(path)) << offset;
    ++tried;
  }
  EXPECT_GT(tried, 200u);
}

TEST_F(ArtifactTest, NoTruncatedFileIsTaken) {
  for (size_t size = 0; size < whole.size(); size += size < 200 ? 1 : 127)
    EXPECT_THAT(errorOf(whole.substr(0, size)), HasSubstr(path)) << size;
  EXPECT_THAT(errorOf(whole + "x"), HasSubstr("is damaged: it has"));
  EXPECT_EQ(errorOf(whole), "");
}

TEST_F(ArtifactTest, AFullDiskIsSaid) {
  // The second limit leaves room for all bytes, but not for the padding behind them.
  ASSERT_LT(whole.find_last_not_of('\0') + 1, whole.size());
  for (rlim_t most : {rlim_t(artifactPageBytes + 200), rlim_t(whole.size() - 1)}) {
    Limit limit(RLIMIT_FSIZE, most);
    auto written = fixture.write();
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().message, path + ": cannot be written: File too large");
  }
}

TEST_F(ArtifactTest, SaysWhatIsWrong) {
  EXPECT_THAT(errorOf("GGUF and more"), HasSubstr("is no compiled model"));
  std::string other = whole;
  other[8] = 99;
  EXPECT_THAT(errorOf(other), HasSubstr("artifact version 99, this program reads version 1"));
  std::string weights = whole;
  weights[artifactPageBytes + 5] = 'x';
  EXPECT_THAT(errorOf(weights), HasSubstr("is damaged: the part \"weights\""));
  EXPECT_EQ(errorOf(weights, Artifact::Check::AllButWeights), "");
}

TEST_F(ArtifactTest, NoSectionIsTakenFromOutside) {
  ArtifactHeader written;
  std::memcpy(&written, whole.data(), sizeof written);
  for (ArtifactSection ArtifactHeader::*section :
       {&ArtifactHeader::weights, &ArtifactHeader::code, &ArtifactHeader::manifest,
        &ArtifactHeader::text})
    for (auto [offset, bytes] :
         std::initializer_list<std::pair<uint64_t, uint64_t>>{{0, whole.size() + 1},
                                                              {whole.size() / 64 * 64 + 64, 0},
                                                              {64, ~uint64_t(0)},
                                                              {~uint64_t(63), 64},
                                                              {(written.*section).offset + 1, 1}}) {
      ArtifactHeader header = written;
      (header.*section).offset = offset;
      (header.*section).bytes = bytes;
      header.checksum = XXH3_64bits(&header, offsetof(ArtifactHeader, checksum));
      std::string forged = whole;
      std::memcpy(forged.data(), &header, sizeof header);
      EXPECT_THAT(errorOf(forged), HasSubstr("is damaged: a section lies outside"));
    }
}

TEST_F(ArtifactTest, WritesNothingOverWhatIsNoFile) {
  auto writer = ArtifactWriter::create(fixture.folder, 64);
  ASSERT_FALSE(writer);
  EXPECT_THAT(writer.error().message, HasSubstr("is no regular file"));
  auto missing = ArtifactWriter::create("/nowhere/x", 64);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().exitCode, exitOutputFailed);
  auto full = ArtifactWriter::create(fixture.folder / "huge", int64_t(1) << 60);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().exitCode, exitOutputFailed);
  EXPECT_THAT(full.error().message, HasSubstr("bytes cannot be allocated"));
  LittleMemory little(16 << 20);
  auto unmapped = ArtifactWriter::create(fixture.folder / "unmapped", 64 << 20);
  ASSERT_FALSE(unmapped);
  EXPECT_EQ(unmapped.error().exitCode, exitOutputFailed);
  EXPECT_THAT(unmapped.error().message, HasSubstr("unmapped: cannot be mapped: Cannot allocate"));
}

TEST_F(ArtifactTest, AMappedArtifactOutlivesItsReplacement) {
  auto mapped = Artifact::open(path);
  ASSERT_TRUE(mapped);
  fixture.manifest.model.name = "second";
  ASSERT_TRUE(fixture.write());
  EXPECT_EQ(mapped->weights().front(), 's');
  EXPECT_EQ(Artifact::open(path)->manifest().model.name, "second");
}

} // namespace
