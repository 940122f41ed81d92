// A model file made ready to run: its artifact loaded on the CPU, its tokenizer read from the file.
#pragma once

#include "llmir/driver/ObtainArtifact.h"
#include "llmir/formats/gguf/Gguf.h"
#include "llmir/formats/tokenizer/Tokenizer.h"
#include "llmir/runtime/device/cpu/CpuDevice.h"

namespace llmir {

struct ModelOptions {
  ArtifactOptions artifact;
  int threads = 0; ///< 0: as many as this process has CPUs
};

/// Compiled code on its device. The order of the members is the order of their lives.
struct LoadedProgram {
  std::unique_ptr<CpuDevice> device;
  std::unique_ptr<Program> program;
};

/// Compiles the model unless it is an artifact or in the cache, and loads it.
Expected<LoadedProgram> loadProgram(const std::string &model, const ModelOptions &options);

/// Compiles up to the phase that the options name and prints the IR to stdout.
Status printStopped(const std::string &model, const ModelOptions &options);

/// A model as openModel sees it; of an artifact in its place its text side, which has the keys and
/// no tensor.
struct ModelFile {
  std::optional<Artifact> artifact; ///< where `file` lies, if the model is one
  GgufFile file;
};

Expected<ModelFile> openModelFile(const std::string &model, Artifact::Check check);

/// What turns text into tokens and back, without any compilation.
struct ModelText : ModelFile {
  Tokenizer tokenizer;
};

Expected<ModelText> loadText(const std::string &model);

} // namespace llmir
