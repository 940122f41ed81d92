// The one table of command-line options: each is declared once, with its default and its help, and
// taken by the commands that want it.
#pragma once

#include "llmir/driver/ArtifactCache.h"
#include "llmir/runtime/sampling/Sampler.h"
#include <CLI/CLI.hpp>
#include <optional>
#include <string>

namespace llmir {

struct Options {
  std::string model;
  // run
  std::optional<std::string> prompt, tokens;
  std::string system;
  bool chat = false, raw = false, ignoreEos = false;
  int32_t maxTokens = 512;
  int64_t context = 0; // 0: the model's
  SamplingOptions sampling;
  // eval, tokenize
  std::string tokensFile, logitsFile, text;
  int32_t batch = 1;
  // how it runs
  ArtifactOptions artifact;
  bool noCache = false;
  int threads = 0; // 0: all CPUs
  int32_t prefillChunk = 512;
};

void addModel(CLI::App &command, Options &options);
void addPrompt(CLI::App &command, Options &options);
void addSampling(CLI::App &command, Options &options);
void addContext(CLI::App &command, Options &options);
void addExecution(CLI::App &command, Options &options);

} // namespace llmir
