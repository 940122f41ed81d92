// An inspection for programs.
#pragma once

#include "llmir/cli/Inspection.h"

namespace llmir {

/// One JSON object; its field names are stable. `tensors` and `metadata` add the lists, whole.
std::string inspectionJson(const Inspection &inspection, bool tensors, bool metadata);

} // namespace llmir
