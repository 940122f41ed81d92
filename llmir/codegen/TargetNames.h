// The targets by name, for people to choose from.
#pragma once

#include "llmir/support/Error.h"
#include <string>
#include <vector>

namespace llmir {

/// Every name but "host" that Target::named knows, best first within an architecture.
std::vector<std::string> targetNames();

/// The name that "host" stands for on this machine.
Expected<std::string> hostTargetName();

} // namespace llmir
