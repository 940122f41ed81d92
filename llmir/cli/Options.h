// Options that several commands share: each is declared here once and taken by the commands that
// want it. A command's own options stand in its file.
#pragma once

#include "llmir/driver/Model.h"
#include "llmir/runtime/sampling/Sampler.h"
#include "llmir/support/OptionTable.h"

namespace llmir {

struct PromptOptions {
  std::optional<std::string> prompt, tokens;
  std::string system;
  bool chat = false;
};

struct GenerationOptions {
  SamplingOptions sampling;
  int32_t maxTokens = 512;
  bool ignoreEos = false;
};

/// Of the numbers that a model is computed with. What isn't given leaves ArtifactOptions alone.
struct PrecisionOptions {
  std::optional<std::string> activations, kv, quantize;

  void applyTo(ArtifactOptions &options) const;
  bool isGiven() const { return activations || kv || quantize; }
};

/// How a model is compiled and run.
struct ExecutionOptions {
  PrecisionOptions precision;
  bool noCache = false;
  int32_t threads = 0; ///< 0: all CPUs
  int32_t prefillChunk = 512;
  PipelineOptions pipeline;

  ModelOptions model() const;
  /// Whether only the compiler's IR is asked for: see printStopped.
  bool stops() const { return !pipeline.stopAfter.empty(); }
};

/// The help's title of what addGeneration declares.
inline constexpr const char *generationGroup = "Generation";

/// A model file, or an artifact.
void addModel(OptionTable &table, std::string &model);
void addPrompt(OptionTable &table, PromptOptions &options);
void addGeneration(OptionTable &table, GenerationOptions &options);
/// 0 stands for the model's own.
void addContext(OptionTable &table, int64_t &context);
/// The group Compilation: --activations, --kv and --quantize.
void addPrecision(OptionTable &table, PrecisionOptions &options);
/// "--quantize int8, ", where a model was compiled so; else nothing.
std::string quantizeText(const Manifest &manifest);
/// How a model is run: --threads, --prefill-chunk and addPrecision.
void addExecution(OptionTable &table, ExecutionOptions &options);
/// How it comes to be compiled: --no-cache and what looks into the compiler.
void addCompilation(OptionTable &table, ExecutionOptions &options);

} // namespace llmir
