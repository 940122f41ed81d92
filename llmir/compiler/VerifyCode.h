// Compiled code under --verify: the shared object is loaded into the compiler and run on the inputs
// of the passes, from caches that hold the same numbers.
#pragma once

#include "llmir/abi/Manifest.h"
#include "llmir/abi/llmir_abi.h"
#include "llmir/compiler/VerifyInputs.h"
#include <memory>
#include <span>

namespace llmir {

/// The interpreter's batch as compiled code takes it: views into `b`.
llmir_batch abiBatch(const reference::Batch &b);

/// A compiled model in this process. Its weights and manifest outlive it.
class LoadedCode {
public:
  /// Fails if this machine cannot load `codeFile`.
  static Expected<LoadedCode> load(const std::string &codeFile, const Manifest &manifest,
                                   std::span<const uint8_t> weights);

  /// The logits [R, vocabulary] of a step on a cache with the numbers of `cache`.
  std::vector<float> step(const reference::Batch &batch, const reference::KvCache &cache) const;

private:
  struct Close {
    void operator()(void *library) const;
  };
  LoadedCode(void *library, const Manifest &manifest) : library(library), manifest(manifest) {}

  std::unique_ptr<void, Close> library;
  const Manifest &manifest;
  std::vector<const void *> table;
};

/// Why this machine cannot run the code; empty if it can.
std::string whyNotRunnable(const Manifest &manifest);

/// max |a - b| over the root mean square of b; infinite where a is no number.
double relativeDifference(std::span<const float> a, std::span<const float> b);

} // namespace llmir
