// What the conformance suite consists of: one table of cases, each a small model around one kernel,
// the steps it runs, and how near the interpreter it must come.
#pragma once

#include "llmir/reference/Batch.h"
#include "test/models/ModelWriter.h"

#include <functional>
#include <string>
#include <vector>

namespace llmir::conformance {

/// So many new tokens of a sequence. Sequences are numbered; each goes on where it was.
struct Part {
  int sequence;
  int tokens;
};

enum class Rows { All, LastOfSequence, EveryThird, None };

struct Step {
  std::vector<Part> parts;
  Rows rows = Rows::All;
};

/// What the kernel multiplies with: which instruction its code must contain.
enum class Products { None, Float, Int8, Int16 };

struct Case {
  std::string name;                      ///< "linear/q4_0/int8/37x96"
  std::function<test::TestModel()> make; ///< the same model at every call
  std::vector<Step> steps;
  double tolerance; ///< relativeDifference of the logits of a step, at most
  Products products = Products::None;
  std::string activations = "int8"; ///< as in CompileOptions
  int64_t tokens = 97;              ///< token ids are below
};

/// The whole table; with `perf`, the one that is worth timing: few cases of real sizes.
std::vector<Case> allCases(bool perf);

// Parts of the table, one for each group of ops.
void addLinearCases(std::vector<Case> &cases);
void addRowCases(std::vector<Case> &cases);
void addAttentionCases(std::vector<Case> &cases);
void addExpertCases(std::vector<Case> &cases);
void addModelCases(std::vector<Case> &cases);
void addPerfCases(std::vector<Case> &cases);

/// Steps of 1 to 17 tokens, longer ones, mixed ones, one without logits.
std::vector<Step> rowSteps();
/// Prefill in chunks, decode, and both in one step, up to contexts of 50.
std::vector<Step> mixedSteps();
/// A context of some 300 tokens, then decode alone and in company.
std::vector<Step> longSteps();

/// The batches of steps whose token ids are below `tokens`, over `blocks` shuffled KV blocks of
/// `block` tokens; the number of blocks comes back in `blocks`.
std::vector<reference::Batch> batchesOf(const std::vector<Step> &steps, int64_t tokens,
                                        int64_t block, int64_t &blocks);

} // namespace llmir::conformance
