// The interpreter of raw graphs: runs @forward of an llm.graph as it was imported, on dense
// tensors. It is the oracle for importing (against the framework) and for raising (against the
// interpreter of the llm dialect). Slow and simple: every number is an f64 that is rounded to its
// type where a tensor is made, so sums lose nothing on the way.
#pragma once

#include "llmir/reference/DenseTensor.h"
#include "llmir/reference/Interpreter.h"

namespace llmir::reference {

class GraphInterpreter {
public:
  /// `graph` is verified IR that outlives the interpreter. Weights are asked for when first used.
  GraphInterpreter(llm::GraphOp graph, WeightSource weights);

  /// Runs @forward. Ops it knows: structured ops of linalg, tensor's empty, dim, extract, cast,
  /// expand_shape, collapse_shape, extract_slice and concat, scalar ops of arith and math,
  /// llm.get_weight. Errors: arguments of another number or shape than @forward's; ops without a
  /// definition; indices and slices out of bounds; shapes that disagree; a tensor or loop nest that
  /// is too large; a weight that is missing or of another type.
  Expected<std::vector<DenseTensor>> run(std::span<const DenseTensor> arguments);

private:
  llm::GraphOp graph;
  WeightSource weights;
};

} // namespace llmir::reference
