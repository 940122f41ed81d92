// What an artifact says about itself: the part of the contract with the runtime that is data and
// not code. It lies in the artifact's file as JSON (Artifact.h).
#pragma once

#include "llmir/abi/StepManifest.h"
#include "llmir/support/Error.h"
#include <cstdint>
#include <string>
#include <vector>

namespace llmir {

/// The model as the runtime must know it: sizes only.
struct ModelManifest {
  std::string name;
  int64_t vocabulary = 0;    ///< columns of the logits
  int64_t contextLength = 0; ///< positions the model was made for
  int64_t layers = 0;
};

struct KvManifest {
  int64_t layers = 0;
  int64_t blockTokens = 0; ///< tokens of a block
  int64_t kBlockBytes = 0; ///< of one block of one layer
  int64_t vBlockBytes = 0;
  std::string elementType; ///< "f16" or "f32"
};

/// One packed weight: weights[row][slot] of llmir_step_args points to `bytes` bytes at `offset` of
/// the artifact's weights.
struct WeightManifest {
  std::string name;
  int64_t row = 0;
  int64_t slot = 0;
  int64_t offset = 0; ///< a multiple of 64
  int64_t bytes = 0;
};

struct Manifest {
  uint32_t abiVersion = 0;
  std::string compiler; ///< version of LLMIR that wrote it
  std::string triple, cpu;
  std::vector<std::string> features; ///< CPU features the code needs, as in /proc/cpuinfo's or
                                     ///< LLVM's names: "avx2", "fma"
  std::string modelFile;             ///< absolute path of the source model
  int64_t modelFileBytes = 0;        ///< FileStamp::bytes of it
  int64_t modelFileTime = 0;         ///< FileStamp::time of it
  std::string cacheKey;              ///< what a cache asked for; empty: made for no cache
  std::string activations;           ///< "int8" or "int16"
  std::string quantize = "none";     ///< "none", "int8" or "int4": what float weights became
  int64_t arenaBytesPerToken = 0;
  ModelManifest model;
  KvManifest kv;
  int64_t weightRows = 0, weightSlots = 0;
  int64_t weightBytes = 0; ///< of all weights
  std::vector<WeightManifest> weights;
  std::vector<FunctionManifest> functions; ///< callees first, the step last; empty: not described
};

std::string manifestToJson(const Manifest &manifest);

/// Reads and checks a manifest: every field is there, of the right type and in range. `name` is put
/// before errors.
Expected<Manifest> manifestFromJson(const std::string &json, const std::string &name);

} // namespace llmir
