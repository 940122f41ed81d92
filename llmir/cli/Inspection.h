// What `llmir inspect` finds out about a model file or an artifact: the facts alone. Text and JSON
// are made of them elsewhere (InspectionText.h, InspectionJson.h).
#pragma once

#include "llmir/driver/Model.h"
#include "llmir/formats/gguf/GgufSummary.h"
#include "llmir/runtime/engine/MemoryUse.h"
#include "llmir/support/MemoryInfo.h"

namespace llmir {

inline constexpr int32_t maxInspectedBatch = 1 << 20;

struct InspectionRequest {
  std::string model;
  int64_t context = 0; ///< tokens; 0: the model's
  int32_t batch = 1;   ///< sequences, each of the whole context
  int32_t prefillChunk = 512;
  int32_t threads = 0; ///< 0: all CPUs
  ArtifactOptions artifact;
  bool verify = false;
};

enum class Fit {
  Fits,      ///< into what is available
  Displaces, ///< into the machine, when others give memory back
  No,
};

/// A session of `batch` sequences that fill `context` tokens each. Bytes.
struct MemoryPlan {
  int64_t context = 0;
  int32_t batch = 0, prefillChunk = 0; ///< the chunk is never longer than the context
  MemoryUse use;                       ///< what the runtime will account for, exactly
  int64_t program = 0;                 ///< of the process itself: code, tokenizer, threads
  int64_t kvPerToken = 0;
  int64_t total() const { return use.total() + program; }

  Fit fit = Fit::No;
  int64_t largestContext = 0; ///< that fits with this batch; 0: none
  int32_t largestBatch = 0;   ///< that fits with this context; 0: none
  std::string wayOut;         ///< which option to change; empty where it fits
};

struct Inspection {
  std::string path;
  int64_t fileBytes = 0;            ///< of a directory: of the files that are read
  std::optional<Artifact> artifact; ///< if the model is one: then `file` has no tensors
  GgufFile file;
  GgufSummary summary; ///< refers to `file`
  MemoryInfo machine;
  std::optional<Manifest> manifest;
  std::optional<MemoryPlan> plan;
  std::optional<TensorCheck> check; ///< with --verify, when all is sound
  /// Why the file cannot be used: not compiled, no tokenizer for it, or a damaged tensor.
  Status problem;
};

/// Looks at the file, its plan and this machine. An Error is one of reading the file or of the
/// sizes asked for; that a model cannot be compiled is part of the result.
Expected<Inspection> inspectModel(const InspectionRequest &request);

/// The plan of a manifest: `program` is the process without its threads.
Expected<MemoryPlan> planInspection(const Manifest &manifest, const InspectionRequest &request,
                                    const MemoryInfo &machine, int64_t program);

} // namespace llmir
