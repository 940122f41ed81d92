// Which keys a query sees, decided exactly: masks are sets of pairs of positions.
#pragma once

#include "llmir/transforms/raise/Raiser.h"

namespace llmir::llm::raise {

/// What softmax is taken of: a function of the dot product where a key is seen.
struct Scores {
  double scale = 1;
  std::optional<double> softcap;
  std::optional<int64_t> window;
};

/// Reads the scores `x` of query position `query` and key position `key` as a function of `dot`.
/// Nothing, with the raiser's reason, if it is not a scale, a soft cap and a causal mask with or
/// without a window.
std::optional<Scores> readScores(Raiser &raiser, Expr x, Expr dot, mlir::AffineExpr query,
                                 mlir::AffineExpr key);

} // namespace llmir::llm::raise
