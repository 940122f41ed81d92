// Where artifacts lie between runs, and which of them may be loaded: they are native code, so only
// what this user owns and nobody else can write is trusted.
#pragma once

#include "llmir/support/Error.h"
#include <string>

namespace llmir {

struct ArtifactOptions {
  std::string activations = "int8"; ///< "int8" or "int16"
  std::string kv = "f16";           ///< "f16" or "f32"
  bool useCache = true; ///< false: compile into a temporary folder that goes with the result
};

/// A folder with an artifact; removed at the end if it is temporary.
class Artifact {
public:
  Artifact(std::string folder, bool isTemporary)
      : folder(std::move(folder)), isTemporary(isTemporary) {}
  Artifact(Artifact &&other) noexcept
      : folder(std::move(other.folder)), isTemporary(std::exchange(other.isTemporary, false)) {}
  ~Artifact();

  const std::string &path() const { return folder; }

private:
  std::string folder;
  bool isTemporary;
};

/// The folder of all artifacts: $LLMIR_CACHE, or llmir in $XDG_CACHE_HOME or ~/.cache.
Expected<std::string> cacheFolder();

/// Names the artifact of a model file: a hash of its path, size and time of change, of the
/// compiler's, of the options and of this CPU.
Expected<std::string> artifactKey(const std::string &model, const std::string &compiler,
                                  const ArtifactOptions &options);

/// An error unless folder and files belong to this user and nobody else may write them.
Status checkOwnership(const std::string &folder);

/// The artifact of `model`, from the cache or compiled now. Compiling writes into a folder beside
/// the final one and renames it, so that an artifact is whole or not there.
Expected<Artifact> obtainArtifact(const std::string &model, const std::string &compiler,
                                  const ArtifactOptions &options);

} // namespace llmir
