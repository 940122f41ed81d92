// The description of a step in the manifest's JSON.
#pragma once

#include "llmir/abi/FieldReader.h"
#include "llmir/abi/StepManifest.h"

namespace llmir {

Json functionsToJson(const std::vector<FunctionManifest> &functions);

/// Every number is in range afterwards, and calls lead to earlier functions only: no recursion.
void readFunctions(const Json &list, const std::string &name,
                   std::vector<FunctionManifest> &functions, Status &status);

} // namespace llmir
