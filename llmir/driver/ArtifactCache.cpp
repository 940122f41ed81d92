// Keys, trust, and atomic writing of artifacts.
#include "llmir/driver/ArtifactCache.h"

#include "llmir/abi/Manifest.h"
#include "llmir/driver/CompilerProcess.h"
#include "llmir/support/CpuInfo.h"
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

namespace llmir {

namespace fs = std::filesystem;

namespace {

Expected<std::string> fileIdentity(const std::string &path) {
  struct stat info{};
  if (stat(path.c_str(), &info) != 0)
    return fail("{}: cannot be opened: {}", path, std::strerror(errno));
  return fmt::format("{} {} {}.{}", path, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
}

Status checkModelFile(const std::string &model) {
  std::error_code code;
  fs::file_status status = fs::status(model, code);
  if (!fs::exists(status))
    return fail("{}: no such file", model);
  if (fs::is_directory(status))
    return fail("{}: is a folder; a GGUF file is expected", model);
  if (fs::is_regular_file(status) && fs::file_size(model, code) == 0)
    return fail("{}: is empty; a GGUF file is expected", model);
  return {};
}

/// A new folder that only this user may enter.
Expected<std::string> makeTemporaryFolder(std::string pattern) {
  if (!mkdtemp(pattern.data()))
    return fail("{}: cannot be made: {}", pattern, std::strerror(errno));
  return pattern;
}

bool isComplete(const fs::path &folder) {
  std::error_code code;
  for (const char *name : {manifestFileName, codeFileName, weightsFileName})
    if (!fs::exists(folder / name, code))
      return false;
  return true;
}

/// Compiles into `folder`. Others get no right to write, whatever the umask says: checkOwnership
/// would refuse the result.
Status compileInto(const std::string &folder, const std::string &model, const std::string &compiler,
                   const ArtifactOptions &options) {
  Status status = runCompiler(compiler, {"compile", model, "-o", folder, "--activations",
                                         options.activations, "--kv", options.kv});
  if (!status)
    return status;
  for (const fs::directory_entry &file : fs::directory_iterator(folder)) {
    std::error_code code;
    fs::permissions(file, fs::perms::group_write | fs::perms::others_write,
                    fs::perm_options::remove, code);
  }
  return {};
}

} // namespace

Artifact::~Artifact() {
  std::error_code ignored;
  if (isTemporary)
    fs::remove_all(folder, ignored);
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
  std::string text;
  for (const std::string &path : {fs::absolute(model).lexically_normal().string(), compiler}) {
    auto identity = fileIdentity(path);
    if (!identity)
      return forward(identity);
    text += *identity + "\n";
  }
  text += fmt::format("{}\n{}\n{}\n{}\n", options.activations, options.kv, cpuModelName(),
                      fmt::join(cpuFlags(), " "));
  XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

Status checkOwnership(const std::string &folder) {
  for (const fs::path &path :
       {fs::path(folder), fs::path(folder) / manifestFileName, fs::path(folder) / codeFileName,
        fs::path(folder) / weightsFileName}) {
    struct stat info{};
    if (lstat(path.c_str(), &info) != 0)
      return fail("{}: cannot be read: {}", path.string(), std::strerror(errno));
    if (S_ISLNK(info.st_mode))
      return fail("{}: is a link; compiled models are only loaded from real files", path.string());
    if (info.st_uid != geteuid())
      return fail("{}: belongs to another user; remove it or set LLMIR_CACHE", path.string());
    if (info.st_mode & (S_IWGRP | S_IWOTH))
      return fail("{}: can be written by other users; remove it or take their right away "
                  "(chmod go-w)",
                  path.string());
  }
  return {};
}

Expected<Artifact> obtainArtifact(const std::string &model, const std::string &compiler,
                                  const ArtifactOptions &options) {
  if (Status status = checkModelFile(model); !status)
    return forward(status);
  if (!options.useCache) {
    auto folder = makeTemporaryFolder(fs::temp_directory_path() / "llmir-XXXXXX");
    if (!folder)
      return forward(folder);
    Artifact artifact(*folder, /*isTemporary=*/true);
    if (Status status = compileInto(*folder, model, compiler, options); !status)
      return forward(status);
    return artifact;
  }

  auto cache = cacheFolder();
  if (!cache)
    return forward(cache);
  auto key = artifactKey(model, compiler, options);
  if (!key)
    return forward(key);
  std::string folder = fs::path(*cache) / *key;
  std::error_code code;
  if (!isComplete(folder)) {
    fs::create_directories(*cache, code);
    if (code)
      return fail("{}: cannot be made: {}; set LLMIR_CACHE or use --no-cache", *cache,
                  code.message());
    auto temporary = makeTemporaryFolder(folder + ".XXXXXX");
    if (!temporary)
      return forward(temporary);
    Artifact unfinished(*temporary, /*isTemporary=*/true);
    if (Status status = compileInto(*temporary, model, compiler, options); !status)
      return forward(status);
    fs::rename(*temporary, folder, code);
    // A second process may have been faster: then its artifact is as good as ours. What is damaged
    // there makes way.
    if (code && !isComplete(folder)) {
      fs::remove_all(folder, code);
      fs::rename(*temporary, folder, code);
      if (code)
        return fail("{}: cannot be written: {}", folder, code.message());
    }
  }
  if (Status status = checkOwnership(folder); !status)
    return forward(status);
  return Artifact(folder, /*isTemporary=*/false);
}

} // namespace llmir
