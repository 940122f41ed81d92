// The compiler process writes the plan to a file: its stdout is that of the user.
#include "llmir/driver/PlanModel.h"

#include "llmir/driver/CompilerProcess.h"
#include "llmir/driver/PartialFile.h"
#include "llmir/support/MappedFile.h"
#include <filesystem>

namespace llmir {

Expected<Manifest> planModel(const std::string &model, const ArtifactOptions &options) {
  auto compiler = findCompiler();
  if (!compiler)
    return forward(compiler);
  std::error_code code;
  const std::filesystem::path folder = std::filesystem::temp_directory_path(code);
  if (code)
    return fail("a temporary file cannot be made: {}; set TMPDIR", code.message());
  auto file = PartialFile::beside(folder / "llmir-plan");
  if (!file)
    return forward(file);
  if (Status status = runCompiler(*compiler, {"plan", model, "-o", file->path(), "--activations",
                                              options.activations, "--kv", options.kv, "--quantize",
                                              options.quantize});
      !status)
    return forward(status);
  auto written = MappedFile::open(file->path());
  if (!written)
    return forward(written);
  const auto *text = reinterpret_cast<const char *>(written->bytes().data());
  return manifestFromJson(std::string(text, written->bytes().size()), "the compiler's plan");
}

} // namespace llmir
