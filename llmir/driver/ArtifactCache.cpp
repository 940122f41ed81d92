// Keys and contents of the cache folder.
#include "llmir/driver/ArtifactCache.h"

#include "llmir/driver/PartialFile.h"
#include "llmir/formats/model/OpenModel.h"
#include "llmir/support/CpuInfo.h"
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/ranges.h>
#include <xxhash.h>

namespace llmir {

namespace fs = std::filesystem;

constexpr std::string_view artifactSuffix = ".llmir";

/// The time of the last change of the file's state goes in too: a file may be replaced by one of
/// the same size and date.
static Expected<std::string> fileIdentity(const std::string &path) {
  struct stat info{};
  if (stat(path.c_str(), &info) != 0)
    return fail("{}: cannot be opened: {}", path, std::strerror(errno));
  return fmt::format("{} {} {} {}", path, info.st_size, nanoseconds(info.st_mtim),
                     nanoseconds(info.st_ctim));
}

std::vector<std::string> ArtifactOptions::arguments(bool all) const {
  std::vector<std::string> words = {"--activations", activations, "--kv",     kv,
                                    "--quantize",    quantize,    "--target", target};
  for (std::string &word : pipeline.arguments(all))
    words.push_back(std::move(word));
  return words;
}

Expected<std::string> cacheFolder() {
  auto variable = [](const char *name) {
    const char *value = std::getenv(name);
    return std::string(value ? value : "");
  };
  if (std::string folder = variable("LLMIR_CACHE"); !folder.empty())
    return fs::absolute(folder).string();
  if (std::string folder = variable("XDG_CACHE_HOME"); !folder.empty())
    return (fs::absolute(folder) / "llmir").string();
  if (std::string folder = variable("HOME"); !folder.empty())
    return (fs::absolute(folder) / ".cache" / "llmir").string();
  return fail("there is no place for compiled models: set LLMIR_CACHE or HOME, or use --no-cache");
}

Expected<std::string> artifactKey(const std::string &model, const std::string &compiler,
                                  const ArtifactOptions &options) {
  auto files = modelFiles(modelLocation(model));
  if (!files)
    return forward(files);
  files->push_back(compiler);
  files->insert(files->end(), options.pipeline.passPlugins.begin(),
                options.pipeline.passPlugins.end());
  std::string text;
  for (const std::string &path : *files) {
    auto identity = fileIdentity(path);
    if (!identity)
      return forward(identity);
    text += *identity + "\n";
  }
  text += fmt::format("{}\n{}\n{}\n", fmt::join(options.arguments(/*all=*/false), "\n"),
                      cpuModelName(), fmt::join(cpuFlags(), " "));
  XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

std::string artifactPath(const std::string &folder, const std::string &model,
                         const std::string &key) {
  // The model's name is there for people who look into the folder.
  std::string name = modelName(model).substr(0, 60);
  std::replace_if(
      name.begin(), name.end(),
      [](unsigned char c) { return !std::isalnum(c) && c != '-' && c != '_' && c != '.'; }, '_');
  return fs::path(folder) / fmt::format("{}-{}{}", name, key, artifactSuffix);
}

Staleness modelStaleness(const Manifest &manifest) {
  std::error_code code;
  if (!fs::exists(manifest.modelFile, code))
    return Staleness::ModelIsGone;
  const auto stamp = modelStamp(manifest.modelFile);
  return stamp && *stamp == FileStamp{manifest.modelFileBytes, manifest.modelFileTime}
             ? Staleness::None
             : Staleness::ModelHasChanged;
}

Expected<std::vector<CacheEntry>> listCache(const std::string &folder, Artifact::Check check) {
  std::vector<CacheEntry> entries;
  std::error_code code;
  fs::directory_iterator files(folder, code), end;
  if (code == std::errc::no_such_file_or_directory)
    return entries;
  for (; !code && files != end; files.increment(code)) {
    const std::string path = files->path();
    const bool isPartial = path.ends_with(partialSuffix);
    struct stat info{};
    if ((!isPartial && !path.ends_with(artifactSuffix)) || lstat(path.c_str(), &info) != 0 ||
        !S_ISREG(info.st_mode))
      continue;
    CacheEntry &entry = entries.emplace_back();
    entry.path = path;
    entry.bytes = info.st_size;
    entry.lastUsed = info.st_mtim.tv_sec;
    if (isPartial) {
      entry.staleness = Staleness::Unfinished;
    } else if (auto artifact = Artifact::open(path, check)) {
      entry.manifest = artifact->manifest();
      entry.staleness = modelStaleness(*entry.manifest);
    } else {
      entry.staleness = Staleness::Damaged;
      entry.error = artifact.error().message;
    }
  }
  if (code)
    return fail("{}: cannot be read: {}", folder, code.message());
  std::sort(entries.begin(), entries.end(), [](const CacheEntry &a, const CacheEntry &b) {
    return std::tie(b.lastUsed, a.path) < std::tie(a.lastUsed, b.path);
  });
  return entries;
}

void markAsUsed(const std::string &path) { (void)!utimensat(AT_FDCWD, path.c_str(), nullptr, 0); }

} // namespace llmir
