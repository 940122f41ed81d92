// An explanation as a page with the roofline.
#pragma once

#include "llmir/cli/Explanation.h"

namespace llmir {

/// One HTML page that loads nothing: the roofline as SVG, the table of phases, the kernels with
/// their reasons.
std::string explanationHtml(const Explanation &explanation, const std::string &model);

} // namespace llmir
