// Asks the file system what the path is.
#include "llmir/formats/model/OpenModel.h"

#include "llmir/formats/huggingface/Directory.h"
#include "llmir/formats/huggingface/ModelFolder.h"
#include "llmir/formats/model/TorchExport.h"
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace llmir {

namespace fs = std::filesystem;

static bool isFolder(const std::string &path) {
  std::error_code code;
  return fs::is_directory(path, code);
}

/// "model/" and "model" are the same directory; "/" stays.
static std::string withoutSlash(std::string path) {
  while (path.size() > 1 && path.ends_with('/'))
    path.pop_back();
  return path;
}

Expected<GgufFile> openModel(const std::string &path) {
  if (isTorchModel(path))
    return fail("{}: is a graph of torch.export, which has no tokenizer and no metadata; import, "
                "compile and eval --tokens-file take it",
                path);
  return isFolder(path) ? openHuggingFace(withoutSlash(path)) : GgufFile::open(path);
}

Expected<std::vector<std::string>> modelFiles(const std::string &path) {
  if (!isFolder(path))
    return std::vector{path};
  auto folder = huggingface::listModelFolder(withoutSlash(path));
  if (!folder)
    return forward(folder);
  std::vector<std::string> files;
  for (const auto *names : {&folder->texts, &folder->weights})
    for (const std::string &name : *names)
      files.push_back(folder->file(name));
  return files;
}

Expected<FileStamp> modelStamp(const std::string &path) {
  auto files = modelFiles(path);
  if (!files)
    return forward(files);
  FileStamp stamp;
  for (const std::string &file : *files) {
    struct stat info{};
    if (stat(file.c_str(), &info) != 0)
      return fail("{}: cannot be opened: {}", file, std::strerror(errno));
    stamp.add(info);
  }
  return stamp;
}

std::string modelLocation(const std::string &path) {
  return withoutSlash(fs::absolute(path).lexically_normal().string());
}

std::string modelName(const std::string &path) {
  const fs::path location = modelLocation(path);
  return isFolder(path) ? location.filename() : location.stem();
}

} // namespace llmir
