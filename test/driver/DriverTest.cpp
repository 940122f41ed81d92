// The driver with a shell script in the compiler's place: exit codes, signals, caching, trust.
#include "llmir/driver/ArtifactCache.h"
#include "llmir/driver/CompilerProcess.h"
#include <csignal>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <sys/stat.h>

using namespace llmir;
using testing::HasSubstr;
namespace fs = std::filesystem;

namespace {

class Driver : public testing::Test {
protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "llmir-driver-XXXXXX";
    folder = mkdtemp(pattern.data());
    setenv("LLMIR_CACHE", (folder / "cache").c_str(), 1);
    std::ofstream(folder / "model.gguf") << "model";
    script("umask 0\ntouch $4/manifest.json $4/model.so $4/weights.bin\necho run >> " +
           (folder / "runs").string());
  }
  void TearDown() override { fs::remove_all(folder); }

  void script(const std::string &body) {
    std::ofstream(compiler()) << "#!/bin/sh\n" << body << "\n";
    fs::permissions(compiler(), fs::perms::owner_all);
  }
  std::string compiler() const { return folder / "llmirc"; }
  std::string model() const { return folder / "model.gguf"; }
  Expected<Artifact> obtain(ArtifactOptions options = {}) {
    return obtainArtifact(model(), compiler(), options);
  }
  int runs() const {
    std::ifstream file(folder / "runs");
    int count = 0;
    for (std::string line; std::getline(file, line);)
      ++count;
    return count;
  }
  size_t cachedFolders() const {
    return size_t(
        std::distance(fs::directory_iterator(folder / "cache"), fs::directory_iterator()));
  }

  fs::path folder;
};

TEST_F(Driver, CompilesOnceForEachSetOfOptions) {
  ASSERT_TRUE(obtain());
  auto again = obtain();
  ASSERT_TRUE(again);
  EXPECT_EQ(runs(), 1);
  ArtifactOptions other;
  other.kv = "f32";
  EXPECT_NE(obtain(other)->path(), again->path());
  EXPECT_EQ(runs(), 2);
  std::ofstream(model()) << "changed";
  ASSERT_TRUE(obtain());
  EXPECT_EQ(runs(), 3);
  EXPECT_EQ(cachedFolders(), 3u);
}

TEST_F(Driver, AnIncompleteArtifactIsMadeAgain) {
  std::string path = obtain()->path();
  fs::remove(fs::path(path) / "model.so");
  EXPECT_EQ(obtain()->path(), path);
  EXPECT_EQ(runs(), 2);
  EXPECT_TRUE(fs::exists(fs::path(path) / "model.so"));
  EXPECT_EQ(cachedFolders(), 1u);
}

TEST_F(Driver, WithoutCacheNothingStays) {
  ArtifactOptions options;
  options.useCache = false;
  std::string path;
  {
    auto artifact = obtain(options);
    ASSERT_TRUE(artifact);
    path = artifact->path();
    EXPECT_TRUE(fs::exists(fs::path(path) / "model.so"));
  }
  EXPECT_FALSE(fs::exists(path));
  EXPECT_FALSE(fs::exists(folder / "cache"));
}

TEST_F(Driver, LoadsOnlyWhatNobodyElseCanWrite) {
  fs::path path = obtain()->path();
  chmod((path / "model.so").c_str(), 0666);
  EXPECT_THAT(obtain().error().message, HasSubstr("can be written by other users"));
  chmod((path / "model.so").c_str(), 0644);
  EXPECT_TRUE(obtain());
  fs::rename(path / "model.so", path / "elsewhere.so");
  fs::create_symlink(path / "elsewhere.so", path / "model.so");
  EXPECT_THAT(obtain().error().message, HasSubstr("is a link"));
}

TEST_F(Driver, TheCompilersErrorBecomesOurs) {
  script("echo progress >&2\necho 'error: model.gguf: is broken' >&2\nexit 1");
  testing::internal::CaptureStderr();
  auto artifact = obtain();
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "progress\n");
  ASSERT_FALSE(artifact);
  EXPECT_EQ(artifact.error().message, "model.gguf: is broken");
  EXPECT_EQ(cachedFolders(), 0u);
}

TEST_F(Driver, ACrashIsADiagnostic) {
  script("kill -SEGV $$");
  EXPECT_THAT(obtain().error().message, HasSubstr("ended by signal 11"));
  script("kill -KILL $$");
  EXPECT_THAT(obtain().error().message, HasSubstr("out of memory"));
  script("exit 3");
  EXPECT_THAT(obtain().error().message, HasSubstr("exit code 3 and no message"));
  EXPECT_THAT(runCompiler("/nowhere/llmirc", {}).error().message, HasSubstr("/nowhere/llmirc"));
  EXPECT_EQ(cachedFolders(), 0u);
}

TEST_F(Driver, InterruptsReachTheCompiler) {
  // A shell starts background jobs with SIGINT ignored, and children inherit that.
  signal(SIGINT, SIG_DFL);
  script("trap 'exit 0' USR1\nkill -INT $PPID\nsleep 10 & wait");
  EXPECT_EQ(obtain().error().message, "interrupted");
  EXPECT_EQ(cachedFolders(), 0u);
}

TEST_F(Driver, NamesWhatIsWrongWithTheModelFile) {
  EXPECT_THAT(obtainArtifact(folder / "none", compiler(), {}).error().message,
              HasSubstr("none: no such file"));
  EXPECT_THAT(obtainArtifact(folder, compiler(), {}).error().message, HasSubstr("is a folder"));
  std::ofstream(folder / "empty");
  EXPECT_THAT(obtainArtifact(folder / "empty", compiler(), {}).error().message,
              HasSubstr("is empty"));
}

} // namespace
