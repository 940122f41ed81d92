// The driver with a stand-in or a shell script in the compiler's place: exit codes, signals,
// caching, trust, places that cannot be written.
#include "llmir/abi/ArtifactWriter.h"
#include "llmir/driver/CompilerProcess.h"
#include "llmir/driver/FileLock.h"
#include "llmir/driver/ObtainArtifact.h"
#include "llmir/driver/PartialFile.h"
#include <csignal>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <sys/wait.h>

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
    setenv("FAKE_COMPILER_RUNS", (folder / "runs").c_str(), 1);
    std::ofstream(folder / "model.gguf") << "model";
    script(realRun);
  }
  void TearDown() override { fs::remove_all(folder); }

  void script(const std::string &body) {
    std::ofstream(compiler()) << "#!/bin/sh\n" << body << "\n";
    fs::permissions(compiler(), fs::perms::owner_all);
  }
  std::string compiler() const { return folder / "llmirc"; }
  std::string model() const { return folder / "model.gguf"; }
  Expected<Artifact> obtain(const ArtifactOptions &options = {}) {
    return obtainArtifact(model(), compiler(), options);
  }
  /// What obtain() writes to stderr; it must succeed.
  std::string warnings(const ArtifactOptions &options = {}) {
    testing::internal::CaptureStderr();
    auto artifact = obtain(options);
    EXPECT_TRUE(artifact) << artifact.error().message;
    return testing::internal::GetCapturedStderr();
  }
  int runs() const {
    std::ifstream file(folder / "runs");
    int count = 0;
    for (std::string line; std::getline(file, line);)
      ++count;
    return count;
  }
  size_t cachedFiles() const {
    return size_t(
        std::distance(fs::directory_iterator(folder / "cache"), fs::directory_iterator()));
  }
  /// Changes one byte of a file.
  static void damage(const std::string &path, int64_t offset) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(offset);
    char byte = char(file.get());
    file.seekp(offset);
    file.put(char(byte ^ 1));
  }

  const std::string realRun = std::string("exec ") + LLMIR_FAKE_COMPILER + " \"$@\"";
  fs::path folder;
};

TEST_F(Driver, CompilesOnceForEachSetOfOptions) {
  auto first = obtain();
  ASSERT_TRUE(first) << first.error().message;
  auto again = obtain();
  ASSERT_TRUE(again);
  EXPECT_EQ(runs(), 1);
  ArtifactOptions other;
  other.kv = "f32";
  EXPECT_NE(obtain(other)->path(), again->path());
  EXPECT_EQ(runs(), 2);
  ArtifactOptions quantised;
  quantised.quantize = "int8";
  EXPECT_NE(obtain(quantised)->path(), again->path());
  EXPECT_EQ(runs(), 3);
  ArtifactOptions reduced;
  reduced.pipeline.disabledPasses = {"cse"};
  EXPECT_NE(obtain(reduced)->path(), again->path());
  EXPECT_EQ(runs(), 4);
  EXPECT_EQ(cachedFiles(), 4u);
}

TEST_F(Driver, AChangedModelIsCompiledAgainAndItsOldArtifactsGo) {
  std::string old = obtain()->path();
  std::ofstream(model()) << "changed";
  ASSERT_TRUE(obtain());
  EXPECT_EQ(runs(), 2);
  EXPECT_FALSE(fs::exists(old));
  EXPECT_EQ(cachedFiles(), 1u);
  // Replaced by a file of the same size and date.
  auto date = fs::last_write_time(model());
  std::ofstream(folder / "new") << "replace";
  fs::last_write_time(folder / "new", date);
  fs::rename(folder / "new", model());
  ASSERT_TRUE(obtain());
  EXPECT_EQ(runs(), 3);
}

TEST_F(Driver, WhoShowsPassesCompilesAnew) {
  ASSERT_TRUE(obtain());
  ArtifactOptions options;
  options.pipeline.timing = true;
  ASSERT_TRUE(obtain(options));
  EXPECT_EQ(runs(), 2);
  EXPECT_EQ(cachedFiles(), 1u);
}

TEST_F(Driver, AnyDamageIsFoundAndMadeGood) {
  std::string path = obtain()->path();
  const auto bytes = int64_t(fs::file_size(path));
  int expected = 1;
  // The header, the weights behind its page, the manifest; the padding between holds nothing.
  for (int64_t offset : {int64_t(0), int64_t(9), int64_t(17), int64_t(40), int64_t(127),
                         int64_t(artifactPageBytes), int64_t(artifactPageBytes) + 63, bytes - 70}) {
    damage(path, offset);
    std::string warned = warnings();
    EXPECT_THAT(warned, HasSubstr("warning: " + path)) << offset;
    EXPECT_EQ(std::count(warned.begin(), warned.end(), '\n'), 1);
    EXPECT_EQ(runs(), ++expected) << offset;
    EXPECT_EQ(warnings(), "");
  }
  for (int64_t size : {int64_t(0), int64_t(5), int64_t(127), bytes - 70}) {
    fs::resize_file(path, size);
    EXPECT_THAT(warnings(), HasSubstr("warning: " + path)) << size;
    EXPECT_EQ(runs(), ++expected) << size;
  }
  EXPECT_EQ(cachedFiles(), 1u);
}

TEST_F(Driver, AnArtifactUnderAForeignNameIsNotUsed) {
  ArtifactOptions other;
  other.kv = "f32";
  std::string mine = obtain()->path(), foreign = obtain(other)->path();
  fs::copy_file(foreign, mine, fs::copy_options::overwrite_existing);
  EXPECT_THAT(warnings(), HasSubstr("was made for another place"));
  EXPECT_EQ(obtain()->manifest().kv.elementType, "f16");
}

TEST_F(Driver, WithoutCacheNothingStays) {
  ArtifactOptions options;
  options.useCache = false;
  auto artifact = obtain(options);
  ASSERT_TRUE(artifact) << artifact.error().message;
  EXPECT_FALSE(fs::exists(artifact->path()));
  EXPECT_EQ(artifact->weights().size(), 64u);
  EXPECT_FALSE(fs::exists(folder / "cache"));
}

TEST_F(Driver, KilledCompilationsLeaveNothingForLong) {
  std::string path = obtain()->path();
  fs::remove(path);
  std::ofstream(path + ".abcdef.partial") << "half";
  ASSERT_TRUE(obtain());
  EXPECT_EQ(cachedFiles(), 1u);
}

TEST_F(Driver, FilesAreTheirOwnersOnly) {
  mode_t before = umask(0);
  auto artifact = obtain();
  umask(before);
  ASSERT_TRUE(artifact);
  EXPECT_EQ(artifact->info().st_mode & 0777u, 0600u);
  EXPECT_EQ(fs::status(folder / "cache").permissions(), fs::perms::owner_all);
}

TEST_F(Driver, LoadsOnlyWhatNobodyElseCanWrite) {
  std::string path = obtain()->path();
  chmod(path.c_str(), 0666);
  EXPECT_THAT(obtain().error().message, HasSubstr("can be written by other users"));
  chmod(path.c_str(), 0644);
  EXPECT_TRUE(obtain());
  if (geteuid() != 0)
    GTEST_SKIP() << "only root can give files away";
  ASSERT_EQ(chown(path.c_str(), 12345, gid_t(-1)), 0);
  EXPECT_THAT(obtain().error().message, HasSubstr("belongs to another user (id 12345)"));
}

TEST_F(Driver, ManyProcessesCompileOnce) {
  script("sleep 0.3\n" + realRun);
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i)
    if (pid_t child = fork(); child == 0)
      _exit(obtain() ? 0 : 1);
    else
      children.push_back(child);
  for (pid_t child : children) {
    int status = 1;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(runs(), 1);
  EXPECT_EQ(cachedFiles(), 1u);
}

TEST_F(Driver, WhereTheCacheCannotBeWrittenTheModelIsCompiledForOneRun) {
  // Not a folder at all: no user, root included, can write there.
  std::ofstream(folder / "file") << "x";
  setenv("LLMIR_CACHE", (folder / "file" / "cache").c_str(), 1);
  std::string warned = warnings();
  EXPECT_THAT(warned, HasSubstr("compiled for this run only"));
  EXPECT_EQ(std::count(warned.begin(), warned.end(), '\n'), 1);
  EXPECT_EQ(runs(), 1);
  // A full one: the compiler itself finds out.
  setenv("LLMIR_CACHE", (folder / "cache").c_str(), 1);
  script("case \"$4\" in */cache/*) echo 'error: disk full' >&2; exit 3;; esac\n" + realRun);
  warned = warnings();
  EXPECT_EQ(warned, "warning: disk full: the model is compiled for this run only\n");
  EXPECT_EQ(cachedFiles(), 0u);
}

TEST_F(Driver, AnArtifactRunsInItsModelsPlace) {
  const std::string output = folder / "out.llmir";
  ASSERT_TRUE(compileTo(output, model(), compiler(), {}));
  EXPECT_EQ(runs(), 1);
  auto artifact = obtainArtifact(output, compiler(), {});
  ASSERT_TRUE(artifact) << artifact.error().message;
  EXPECT_EQ(runs(), 1);
  EXPECT_FALSE(fs::exists(folder / "cache"));

  ArtifactOptions other;
  other.kv = "f32";
  EXPECT_THAT(obtainArtifact(output, compiler(), other).error().message,
              HasSubstr("was compiled with --kv f16"));
  ArtifactOptions looking;
  looking.pipeline.timing = true;
  EXPECT_THAT(obtainArtifact(output, compiler(), looking).error().message,
              HasSubstr("--timing needs the model file"));
  EXPECT_THAT(compileTo(folder / "second", output, compiler(), {}).error().message,
              HasSubstr("is compiled already"));

  std::ofstream(model()) << "changed";
  testing::internal::CaptureStderr();
  EXPECT_TRUE(obtainArtifact(output, compiler(), {}));
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("has changed since"));
  fs::remove(model());
  EXPECT_TRUE(obtainArtifact(output, compiler(), {}));

  damage(output, artifactPageBytes);
  EXPECT_THAT(obtainArtifact(output, compiler(), {}).error().message, HasSubstr("is damaged"));
}

TEST_F(Driver, CompileReplacesArtifactsAndNothingElse) {
  const std::string output = folder / "out.llmir";
  ASSERT_TRUE(compileTo(output, model(), compiler(), {}));
  ASSERT_TRUE(compileTo(output, model(), compiler(), {}));
  EXPECT_THAT(compileTo(model(), model(), compiler(), {}).error().message,
              HasSubstr("is the model itself"));
  std::ofstream(folder / "letter") << "Dear";
  EXPECT_THAT(compileTo(folder / "letter", model(), compiler(), {}).error().message,
              HasSubstr("is there already and no compiled model"));
  EXPECT_THAT(compileTo(folder / "none" / "out", model(), compiler(), {}).error().message,
              HasSubstr("cannot be written: No such file"));
  script("echo half > $4\necho 'error: broken' >&2\nexit 1");
  EXPECT_EQ(compileTo(output, model(), compiler(), {}).error().message, "broken");
  EXPECT_TRUE(Artifact::open(output)); // the old one is still whole
  for (const auto &entry : fs::directory_iterator(folder))
    EXPECT_THAT(entry.path().string(), testing::Not(testing::EndsWith(".partial")));
}

TEST_F(Driver, AFileThatCannotTakeItsNameIsAnError) {
  const std::string path = folder / "taken";
  auto file = PartialFile::beside(path);
  ASSERT_TRUE(file) << file.error().message;
  fs::create_directory(path);
  EXPECT_EQ(file->keep().error().message, path + ": cannot be written: Is a directory");
}

TEST_F(Driver, ListsWhatTheCacheHolds) {
  const std::string cache = folder / "cache";
  EXPECT_TRUE(listCache(cache, Artifact::Check::All)->empty());
  std::string path = obtain()->path();
  auto state = [&](Artifact::Check check = Artifact::Check::All) {
    return listCache(cache, check)->front().staleness;
  };
  EXPECT_EQ(state(), Staleness::None);
  fs::rename(model(), folder / "away");
  EXPECT_EQ(state(), Staleness::ModelIsGone);
  std::ofstream(model()) << "another";
  EXPECT_EQ(state(), Staleness::ModelHasChanged);
  damage(path, artifactPageBytes);
  EXPECT_EQ(state(Artifact::Check::AllButWeights), Staleness::ModelHasChanged);
  EXPECT_EQ(state(), Staleness::Damaged);
  fs::rename(path, path + ".x.partial");
  EXPECT_EQ(state(), Staleness::Unfinished);
}

TEST_F(Driver, TheCompilersErrorBecomesOurs) {
  script("echo progress >&2\necho 'error: model.gguf: is broken' >&2\nexit 1");
  testing::internal::CaptureStderr();
  auto artifact = obtain();
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "progress\n");
  ASSERT_FALSE(artifact);
  EXPECT_EQ(artifact.error().message, "model.gguf: is broken");
  EXPECT_EQ(cachedFiles(), 0u);
}

TEST_F(Driver, ACrashIsADiagnostic) {
  script("kill -SEGV $$");
  EXPECT_THAT(obtain().error().message, HasSubstr("ended by signal 11"));
  script("kill -KILL $$");
  EXPECT_THAT(obtain().error().message, HasSubstr("out of memory"));
  script("exit 4");
  EXPECT_THAT(obtain().error().message, HasSubstr("exit code 4 and no message"));
  EXPECT_THAT(runCompiler("/nowhere/llmirc", {}).error().message, HasSubstr("/nowhere/llmirc"));
  EXPECT_EQ(cachedFiles(), 0u);
}

TEST_F(Driver, InterruptsReachTheCompiler) {
  // A shell starts background jobs with SIGINT ignored, and children inherit that.
  signal(SIGINT, SIG_DFL);
  script("trap 'exit 0' USR1\nkill -INT $PPID\nsleep 10 2> /dev/null & wait");
  EXPECT_EQ(obtain().error().message, "interrupted");
  EXPECT_EQ(cachedFiles(), 0u);
}

TEST_F(Driver, NamesWhatIsWrongWithTheModelFile) {
  EXPECT_THAT(obtainArtifact(folder / "none", compiler(), {}).error().message,
              HasSubstr("none: no such file"));
  EXPECT_THAT(obtainArtifact(folder, compiler(), {}).error().message, HasSubstr("is a folder"));
  std::ofstream(folder / "empty") << "";
  EXPECT_THAT(obtainArtifact(folder / "empty", compiler(), {}).error().message,
              HasSubstr("is empty"));
}

} // namespace
