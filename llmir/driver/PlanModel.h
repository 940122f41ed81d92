// What compiling a model would give, without compiling it: the sizes that memory is planned from.
#pragma once

#include "llmir/abi/Manifest.h"
#include "llmir/driver/ArtifactCache.h"

namespace llmir {

/// The manifest of the artifact that `model` becomes on this machine with `options`. Errors: the
/// compiler's, such as an unknown architecture, a missing tensor or a type that has no kernels.
Expected<Manifest> planModel(const std::string &model, const ArtifactOptions &options);

} // namespace llmir
