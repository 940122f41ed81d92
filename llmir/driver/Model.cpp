// Puts compiler, cache, device and formats together.
#include "llmir/driver/Model.h"

#include "llmir/driver/CompilerProcess.h"
#include "llmir/formats/tokenizer/GgufTokenizer.h"

namespace llmir {

Expected<LoadedProgram> loadProgram(const std::string &model, const ModelOptions &options) {
  auto device = CpuDevice::create(options.threads);
  if (!device)
    return forward(device);
  auto compiler = findCompiler();
  if (!compiler)
    return forward(compiler);
  auto artifact = obtainArtifact(model, *compiler, options.artifact);
  if (!artifact)
    return forward(artifact);
  auto program = (*device)->load(artifact->path());
  if (!program)
    return forward(program);
  return LoadedProgram{std::move(*artifact), std::move(*device), std::move(*program)};
}

Expected<ModelText> loadText(const std::string &model) {
  auto file = GgufFile::open(model);
  if (!file)
    return forward(file);
  auto tokenizer = tokenizerFromGguf(*file);
  if (!tokenizer)
    return forward(tokenizer);
  return ModelText{std::move(*file), std::move(*tokenizer)};
}

} // namespace llmir
