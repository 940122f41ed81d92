// What --verify does with raising: a graph as it was imported and the ragged one that was made of
// it are run on the same inputs. Sums are taken in another order, so a tolerance is needed here.
#pragma once

#include "llmir/reference/Interpreter.h"

namespace llmir {

/// Compares @forward of `raw` with that of `ragged` on sequences of random tokens, or activations
/// where `raw` takes [1, t, h]. They may differ by 1e-4 of the root mean square of a result.
/// Errors: a larger difference; what one of the two cannot run; inputs that cannot be made for
/// `raw`.
Status verifyRaise(llm::GraphOp raw, llm::GraphOp ragged, const reference::WeightSource &weights,
                   uint64_t seed);

} // namespace llmir
