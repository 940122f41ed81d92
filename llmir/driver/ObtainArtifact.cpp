// Look, lock, look again, compile, rename.
#include "llmir/driver/ObtainArtifact.h"

#include "llmir/driver/CompilerProcess.h"
#include "llmir/driver/FileLock.h"
#include "llmir/driver/PartialFile.h"
#include "llmir/formats/model/OpenModel.h"
#include "llmir/support/StandardStreams.h"
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <unistd.h>

namespace llmir {

namespace fs = std::filesystem;

namespace {

void warn(const std::string &text) { printTo(stderr, "warning: {}\n", text); }

Status checkModelFile(const std::string &model) {
  std::error_code code;
  fs::file_status status = fs::status(model, code);
  if (!fs::exists(status))
    return fail("{}: no such file", model);
  if (fs::is_directory(status)) {
    auto files = modelFiles(model);
    return files ? Status() : forward(files);
  }
  if (fs::is_regular_file(status) && fs::file_size(model, code) == 0)
    return fail("{}: is empty; a GGUF file is expected", model);
  return {};
}

/// Whether a file of this name would be one of a model's directory.
bool liesIn(const std::string &output, const std::string &model) {
  std::error_code code;
  const fs::path folder = fs::absolute(output, code).lexically_normal().parent_path();
  return fs::is_directory(model, code) && fs::equivalent(folder, model, code);
}

Status runCompile(const std::string &output, const std::string &model, const std::string &compiler,
                  const ArtifactOptions &options, const std::string &key = "") {
  std::vector<std::string> words = {"compile", model, "-o", output};
  if (!key.empty())
    words.insert(words.end(), {"--cache-key", key});
  for (std::string &word : options.arguments(/*all=*/true))
    words.push_back(std::move(word));
  return runCompiler(compiler, words);
}

/// A new folder in the system's place for temporary files; goes with all that is in it.
class TemporaryFolder {
public:
  static Expected<TemporaryFolder> create() {
    std::error_code code;
    std::string pattern = fs::temp_directory_path(code) / "llmir-XXXXXX";
    if (code || !mkdtemp(pattern.data()))
      return fail("a temporary folder cannot be made ({}): set TMPDIR",
                  code ? code.message() : std::strerror(errno));
    TemporaryFolder folder;
    folder.path = std::move(pattern);
    return folder;
  }
  TemporaryFolder(TemporaryFolder &&other) noexcept : path(std::exchange(other.path, {})) {}
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path.empty())
      fs::remove_all(path, ignored);
  }
  std::string path;

private:
  TemporaryFolder() = default;
};

/// The file is gone when this returns; its contents stay mapped.
Expected<Artifact> compileForThisRun(const std::string &model, const std::string &compiler,
                                     const ArtifactOptions &options) {
  auto folder = TemporaryFolder::create();
  if (!folder)
    return forward(folder);
  std::string path = fs::path(folder->path) / modelName(model);
  if (Status status = runCompile(path, model, compiler, options); !status)
    return forward(status);
  return Artifact::open(path);
}

/// An artifact that the user gave in a model's place.
Expected<Artifact> openGiven(const std::string &path, const ArtifactOptions &options) {
  auto artifact = Artifact::open(path);
  if (!artifact)
    return artifact;
  for (Status status : {checkTrust(*artifact), checkOptions(*artifact, options)})
    if (!status)
      return forward(status);
  if (modelStaleness(artifact->manifest()) == Staleness::ModelHasChanged)
    warn(fmt::format("{}: {} has changed since it was compiled", path,
                     artifact->manifest().modelFile));
  return artifact;
}

/// One artifact of the cache.
class CacheSlot {
public:
  CacheSlot(const std::string &folder, const std::string &model, const std::string &compiler,
            const ArtifactOptions &options, std::string key)
      : folder(folder), model(model), compiler(compiler), options(options), key(std::move(key)),
        path(artifactPath(folder, model, this->key)) {}

  /// What is there, if it is usable. Errors: it is there, and others can write it.
  Expected<std::optional<Artifact>> find() {
    if (options.pipeline.shows() || access(path.c_str(), F_OK) != 0)
      return std::nullopt;
    auto artifact = Artifact::open(path);
    std::string problem;
    if (!artifact)
      problem = artifact.error().message;
    else if (Status status = checkTrust(*artifact); !status)
      return forward(status);
    else if (artifact->manifest().cacheKey != key)
      problem = fmt::format("{}: was made for another place; compile the model again", path);
    if (!problem.empty()) {
      if (std::exchange(lastProblem, problem) != problem)
        warn(problem + " (done now)");
      return std::nullopt;
    }
    markAsUsed(path);
    return std::optional(std::move(*artifact));
  }

  /// Fills it. An error with exitOutputFailed: the cache cannot be written.
  Expected<Artifact> fill() {
    std::error_code code;
    fs::create_directories(fs::path(folder).parent_path(), code);
    if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
      return unwritable(fmt::format("{}: cannot be made: {}", folder, std::strerror(errno)));
    auto lock = FileLock::acquire(path + ".lock", [&] {
      if (isatty(STDERR_FILENO))
        printTo(stderr, "waiting for another process that compiles {}\n", model);
    });
    if (!lock)
      return unwritable(lock.error().message);
    auto found = find();
    if (!found)
      return forward(found);
    if (*found)
      return std::move(**found);
    removeOutdated();
    auto partial = PartialFile::beside(path);
    if (!partial)
      return unwritable(partial.error().message);
    if (Status status = runCompile(partial->path(), model, compiler, options, key); !status)
      return forward(status);
    if (Status status = partial->keep(); !status)
      return unwritable(status.error().message);
    return Artifact::open(path);
  }

private:
  static tl::unexpected<Error> unwritable(std::string message) {
    return tl::unexpected<Error>({std::move(message), exitOutputFailed});
  }

  /// What a killed compilation of this artifact has left, and artifacts of the model as it was
  /// before it changed: nobody will ask for them again.
  void removeOutdated() const {
    auto entries = listCache(folder, Artifact::Check::AllButWeights);
    if (!entries)
      return;
    const std::string file = modelLocation(model);
    for (const CacheEntry &entry : *entries)
      if ((entry.staleness == Staleness::Unfinished && entry.path.starts_with(path)) ||
          (entry.staleness == Staleness::ModelHasChanged &&
           modelLocation(entry.manifest->modelFile) == file))
        unlink(entry.path.c_str());
  }

  const std::string &folder, &model, &compiler;
  const ArtifactOptions &options;
  const std::string key, path;
  std::string lastProblem;
};

} // namespace

Status checkOptions(const Artifact &artifact, const ArtifactOptions &options) {
  const Manifest &manifest = artifact.manifest();
  auto check = [&](const char *flag, const std::string &asked, const std::string &usual,
                   const std::string &is) {
    return asked == is || asked == usual
               ? Status()
               : fail("{}: was compiled with {} {}: give the model file, or leave {} {} away",
                      artifact.path(), flag, is, flag, asked);
  };
  const ArtifactOptions usual;
  for (Status status :
       {check("--activations", options.activations, usual.activations, manifest.activations),
        check("--kv", options.kv, usual.kv, manifest.kv.elementType),
        check("--quantize", options.quantize, usual.quantize, manifest.quantize)})
    if (!status)
      return status;
  if (!options.pipeline.arguments(/*all=*/true).empty())
    return fail("{}: is compiled already; {} needs the model file", artifact.path(),
                options.pipeline.arguments(/*all=*/true).front());
  return {};
}

Status checkTrust(const Artifact &artifact) {
  const struct stat &info = artifact.info();
  if (info.st_uid != geteuid() && info.st_uid != 0)
    return fail("{}: belongs to another user (id {}), and compiled models are only loaded from "
                "their owner or root: compile the model yourself",
                artifact.path(), info.st_uid);
  if (info.st_mode & (S_IWGRP | S_IWOTH))
    return fail("{}: can be written by other users; remove it or take their right away "
                "(chmod go-w)",
                artifact.path());
  return {};
}

Expected<Artifact> obtainArtifact(const std::string &model, const std::string &compiler,
                                  const ArtifactOptions &options) {
  if (Status status = checkModelFile(model); !status)
    return forward(status);
  if (isArtifact(model))
    return openGiven(model, options);
  if (!options.useCache)
    return compileForThisRun(model, compiler, options);
  auto folder = cacheFolder();
  if (!folder)
    return forward(folder);
  auto key = artifactKey(model, compiler, options);
  if (!key)
    return forward(key);
  CacheSlot slot(*folder, model, compiler, options, *key);
  auto found = slot.find();
  if (!found)
    return forward(found);
  if (*found)
    return std::move(**found);
  auto made = slot.fill();
  if (made || made.error().exitCode != exitOutputFailed)
    return made;
  warn(made.error().message + ": the model is compiled for this run only");
  return compileForThisRun(model, compiler, options);
}

Status compileTo(const std::string &output, const std::string &model, const std::string &compiler,
                 const ArtifactOptions &options) {
  if (Status status = checkModelFile(model); !status)
    return status;
  if (isArtifact(model))
    return fail("{}: is compiled already; give the model file", model);
  std::error_code code;
  if (liesIn(output, model))
    return fail("{}: is in the model's folder: give -o a place outside of it", output);
  if (fs::exists(output, code)) {
    if (fs::equivalent(output, model, code))
      return fail("{}: is the model itself: give -o another name", output);
    if (!isArtifact(output))
      return fail("{}: is there already and no compiled model: remove it or give -o another name",
                  output);
  }
  auto partial = PartialFile::beside(output);
  if (!partial)
    return forward(partial);
  if (Status status = runCompile(partial->path(), model, compiler, options); !status)
    return status;
  return partial->keep();
}

Status printStopped(const std::string &model, const std::string &compiler,
                    const ArtifactOptions &options) {
  if (Status status = checkModelFile(model); !status)
    return status;
  if (isArtifact(model))
    return fail("{}: is compiled already; give the model file", model);
  std::vector<std::string> words = {"compile", model};
  for (std::string &word : options.arguments(/*all=*/true))
    words.push_back(std::move(word));
  return runCompiler(compiler, words);
}

} // namespace llmir
