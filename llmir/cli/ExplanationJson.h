// An explanation for programs.
#pragma once

#include "llmir/cli/Explanation.h"

namespace llmir {

/// One JSON object; its field names are stable. Bytes, operations and seconds are of all runs in a
/// step.
std::string explanationJson(const Explanation &explanation, const std::string &model);

} // namespace llmir
