// An inspection for people.
#pragma once

#include "llmir/cli/Inspection.h"
#include "llmir/support/Terminal.h"

namespace llmir {

/// Tables of some thirty lines; `tensors` and `metadata` add the lists, whose long values are cut
/// to `width` columns.
std::string inspectionText(const Inspection &inspection, bool tensors, bool metadata, Style style,
                           int width);

} // namespace llmir
