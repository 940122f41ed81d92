// The folder where artifacts lie between runs: how they are named, what lies there, what can go.
#pragma once

#include "llmir/abi/Artifact.h"
#include "llmir/support/PipelineOptions.h"
#include <optional>
#include <string>
#include <vector>

namespace llmir {

/// What a model is compiled with.
struct ArtifactOptions {
  std::string activations = "int8"; ///< "int8" or "int16"
  std::string kv = "f16";           ///< "f16" or "f32"
  std::string quantize = "none";    ///< "none", "int8" or "int4"
  std::string target = "host";      ///< as `llmir targets` lists them
  PipelineOptions pipeline;
  bool useCache = true; ///< false: compile for this run only

  /// For the compiler; `all` as in PipelineOptions::arguments.
  std::vector<std::string> arguments(bool all) const;
};

/// The folder of all artifacts: $LLMIR_CACHE, or llmir in $XDG_CACHE_HOME or ~/.cache.
Expected<std::string> cacheFolder();

/// Names what a compilation makes: a hash of path, size and times of the files of the model, of the
/// compiler and of pass plugins, of the options and of this CPU.
Expected<std::string> artifactKey(const std::string &model, const std::string &compiler,
                                  const ArtifactOptions &options);

/// Where the artifact with this key lies in a cache folder.
std::string artifactPath(const std::string &folder, const std::string &model,
                         const std::string &key);

/// Why an artifact of a cache will not be used any more.
enum class Staleness { None, ModelIsGone, ModelHasChanged, Damaged, Unfinished };

struct CacheEntry {
  std::string path;
  int64_t bytes = 0;
  int64_t lastUsed = 0; ///< seconds since 1970
  std::optional<Manifest> manifest;
  Staleness staleness = Staleness::None;
  std::string error; ///< what is wrong with a damaged one
};

/// All artifacts of a cache folder, and what compilations that were killed have left; the last used
/// first. A folder that is not there is empty.
Expected<std::vector<CacheEntry>> listCache(const std::string &folder, Artifact::Check check);

/// Whether the model that an artifact was made of is there, as it was then.
Staleness modelStaleness(const Manifest &manifest);

/// Notes that an artifact is used now, where that can be written.
void markAsUsed(const std::string &path);

} // namespace llmir
