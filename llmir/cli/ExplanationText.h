// An explanation for people.
#pragma once

#include "llmir/cli/Explanation.h"
#include "llmir/support/Terminal.h"

namespace llmir {

/// The roofs, a table of the phases, then the kernels of each with the reasons.
std::string explanationText(const Explanation &explanation, Style style);

} // namespace llmir
