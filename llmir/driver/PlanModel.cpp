// The compiler process writes the plan to a file: its stdout is that of the user.
#include "llmir/driver/PlanModel.h"

#include "llmir/driver/CompilerProcess.h"
#include "llmir/support/MappedFile.h"
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <unistd.h>

namespace llmir {

namespace {

/// An empty file of this user's own, removed at the end.
class TemporaryFile {
public:
  static Expected<TemporaryFile> make() {
    std::error_code code;
    std::string path = std::filesystem::temp_directory_path(code) / "llmir-plan-XXXXXX";
    const int fd = code ? -1 : mkstemp(path.data());
    if (fd < 0)
      return fail("a temporary file cannot be made: {}; set TMPDIR",
                  code ? code.message() : std::strerror(errno));
    close(fd);
    return TemporaryFile(std::move(path));
  }
  TemporaryFile(TemporaryFile &&other) noexcept : file(std::exchange(other.file, {})) {}
  ~TemporaryFile() {
    if (!file.empty())
      unlink(file.c_str());
  }
  const std::string &path() const { return file; }

private:
  explicit TemporaryFile(std::string path) : file(std::move(path)) {}
  std::string file;
};

} // namespace

Expected<Manifest> planModel(const std::string &model, const ArtifactOptions &options) {
  auto compiler = findCompiler();
  if (!compiler)
    return forward(compiler);
  auto file = TemporaryFile::make();
  if (!file)
    return forward(file);
  if (Status status = runCompiler(*compiler, {"plan", model, "-o", file->path(), "--activations",
                                              options.activations, "--kv", options.kv});
      !status)
    return forward(status);
  auto written = MappedFile::open(file->path());
  if (!written)
    return forward(written);
  const auto *text = reinterpret_cast<const char *>(written->bytes().data());
  return manifestFromJson(std::string(text, written->bytes().size()), "the compiler's plan");
}

} // namespace llmir
