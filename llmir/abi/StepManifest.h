// What a step consists of, as the compiler knows it: functions, their phases between two barriers,
// the kernels of a phase and what one row costs them. Running a model takes none of this;
// explaining where its time goes does.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace llmir {

/// A weight that a kernel reads.
struct KernelWeight {
  std::string name;  ///< its symbol in the IR
  int64_t bytes = 0; ///< packed, of one layer, all experts
};

/// What one op became. A row is a token, or a token whose logits are wanted.
struct KernelManifest {
  std::string op;                 ///< "llm.linear"
  std::vector<std::string> names; ///< of functions in the code; of attention: over the whole
                                  ///< context, over a split of it, the merging of splits
  bool ofLogitRows = false;
  std::vector<KernelWeight> weights;
  int64_t rowBytes = 0;      ///< of activations read and written for a row
  int64_t rowOperations = 0; ///< multiplications, additions and functions of a row

  // Kernels that read a matrix: rows × columns, packed in panels of lanes × row blocks.
  std::string format; ///< of its numbers: "q4_0"; empty: there is none
  std::string
      activations; ///< of what it is multiplied with: "a8", "f32"; empty: rows are looked up
  int64_t rows = 0, columns = 0;
  int64_t lanes = 0, rowBlocks = 0;
  int64_t matrices = 1;   ///< experts
  int64_t picked = 0;     ///< experts of a row; 0: no mixture
  int64_t tileTokens = 0; ///< rows that share a load of the weights
  int64_t unpackFrom = 0; ///< rows from which on a panel is decoded once for all; 0: never

  // Attention: what a row costs for each position that it sees.
  int64_t positionBytes = 0; ///< of the cache
  int64_t positionOperations = 0;
  std::vector<int64_t> windows; ///< positions seen at most, 0: all; by layer, or one for all
};

/// When attention shares the context of a few sequences in splits.
struct AttentionSplitting {
  int64_t kvHeads = 0;
  int64_t splitPositions = 0; ///< of a split; 0: contexts are never split
  int64_t itemsPerWorker = 0; ///< it has fewer pairs of token and KV head than this × workers
};

/// The kernels between two barriers. A phase ends with a barrier; another one may stand behind its
/// first kernels, its prologue, or before the merging of splits.
struct PhaseManifest {
  std::string partition = {}; ///< what workers share: "tokens", "features" (columns), "heads"
  std::vector<KernelManifest> kernels = {};
  int64_t prologue = 0;       ///< so many kernels at the start
  int64_t replicatedRows = 0; ///< up to so many rows each worker computes the prologue for itself
  AttentionSplitting attention = {}; ///< no heads: the phase has none with a prologue
};

/// A phase, or a call of a function before this one.
struct FunctionPart {
  int64_t callee = -1; ///< number of the function; -1: the part is a phase
  int64_t layer = -1;  ///< it is called with; -1: the caller's own
  PhaseManifest phase = {};
};

struct FunctionManifest {
  std::string name; ///< "step", "layer"
  std::vector<FunctionPart> parts;
};

} // namespace llmir
