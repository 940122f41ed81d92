// The inputs of --verify: small batches at the edges where rewrites go wrong, and a cache and
// activations to go with them. Everything follows from a seed.
#pragma once

#include "llmir/reference/Interpreter.h"
#include <random>
#include <set>

namespace llmir {

struct VerifyInput {
  std::string name;  ///< the edge it is at; unlike any other's
  std::string shape; ///< "1 token at 31, 3 tokens at 30": a part for each sequence
  uint64_t seed;
  int64_t blocks; ///< of the cache
  reference::Batch batch;

  /// A cache whose every slot holds random numbers.
  reference::KvCache makeCache(llm::KvType type) const;
  /// Random rows for the tensors among the arguments of a function, some of them large or small.
  std::vector<reference::Tensor> makeActivations(mlir::func::FuncOp function) const;
};

/// About normally distributed, and the same on every machine: a sum of four uniform numbers. The
/// library's own takes seconds for the weights of many models.
float gaussian(std::mt19937_64 &random);

/// Inputs for @step and the functions that it calls: a first token, prefills, decodes behind a
/// filled cache, mixed batches, contexts that end before, at and behind a border of blocks and of
/// each of `windows`, the vocabulary's last token, repeated ones. What @step's kind of batch does
/// not promise is left out.
std::vector<VerifyInput> makeVerifyInputs(llm::ModelOp model, const std::set<int64_t> &windows,
                                          uint64_t seed);

} // namespace llmir
