// Puts compiler, cache, device and formats together.
#include "llmir/driver/Model.h"

#include "llmir/driver/CompilerProcess.h"
#include "llmir/formats/model/OpenModel.h"
#include "llmir/formats/tokenizer/GgufTokenizer.h"

namespace llmir {

Expected<LoadedProgram> loadProgram(const std::string &model, const ModelOptions &options) {
  auto device = CpuDevice::create(options.threads);
  if (!device)
    return forward(device);
  auto compiler = findCompiler();
  if (!compiler && !isArtifact(model))
    return forward(compiler);
  auto artifact = obtainArtifact(model, compiler.value_or(""), options.artifact);
  if (!artifact)
    return forward(artifact);
  auto program = (*device)->load(std::move(*artifact));
  if (!program)
    return forward(program);
  return LoadedProgram{std::move(*device), std::move(*program)};
}

Status printStopped(const std::string &model, const ModelOptions &options) {
  auto compiler = findCompiler();
  return compiler ? printStopped(model, *compiler, options.artifact) : forward(compiler);
}

Expected<ModelFile> openModelFile(const std::string &model, Artifact::Check check) {
  std::optional<Artifact> artifact;
  if (isArtifact(model)) {
    auto opened = Artifact::open(model, check);
    if (!opened)
      return forward(opened);
    artifact = std::move(*opened);
  }
  auto file = artifact ? GgufFile::parse(artifact->text(), model) : openModel(model);
  if (!file)
    return forward(file);
  return ModelFile{std::move(artifact), std::move(*file)};
}

Expected<ModelText> loadText(const std::string &model) {
  auto file = openModelFile(model, Artifact::Check::AllButWeights);
  if (!file)
    return forward(file);
  auto tokenizer = tokenizerFromGguf(file->file);
  if (!tokenizer)
    return forward(tokenizer);
  return ModelText{std::move(*file), std::move(*tokenizer)};
}

} // namespace llmir
