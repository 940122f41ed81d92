// A model of one kernel: tables that tokens look their inputs up in, the ops under test, and the
// rows that are wanted. The inputs are exact, so that a difference is the kernel's own.
#pragma once

#include "test/models/ModelWriter.h"

namespace llmir::conformance {

class KernelModel : public test::ModelWriter {
public:
  explicit KernelModel(uint64_t seed) : ModelWriter(seed) {}

  /// Rows of tables: Case::tokens of these models.
  static constexpr int64_t tokens = 97;

  int64_t kvLayers = 1, kvHeads = 1, kDim = 8, vDim = 8, block = 16;
  std::string kvElement = "f16";

  /// A row of `columns` random numbers for each token, from a table of its own; the first token's
  /// are all the same, the second's are zero.
  std::string input(int64_t columns, float deviation = 1);
  /// The rows of x that are wanted.
  std::string rows(const std::string &x, int64_t columns);
  /// %positions, written once.
  std::string positions();
  /// The product with a matrix of the format, with random numbers.
  std::string linear(const std::string &x, int64_t k, int64_t n, Format format, bool bias = false);

  /// The whole model, whose logits are `result`; `kv` is the cache behind it.
  test::TestModel finish(const std::string &result, int64_t columns, const std::string &kv = "%kv");
};

} // namespace llmir::conformance
