// From a model to an artifact that may be run: from the cache, or compiled now. Artifacts are
// native code: only what this user or root owns and nobody else can write is trusted.
#pragma once

#include "llmir/driver/ArtifactCache.h"

namespace llmir {

/// The artifact of `model`, which may be one itself. Otherwise it comes from the cache; if it is
/// not there, is damaged or was made for something else, it is compiled now, once even if several
/// processes ask for it. Where the cache cannot be written, it is compiled for this run, with one
/// warning on stderr. Errors: the model's and the compiler's own; an artifact that others can
/// write; options that contradict an artifact.
Expected<Artifact> obtainArtifact(const std::string &model, const std::string &compiler,
                                  const ArtifactOptions &options);

/// Compiles `model` into the file `output`, which is replaced at once when all is done. Errors
/// besides the compiler's own: `output` is the model itself, or there and no artifact.
Status compileTo(const std::string &output, const std::string &model, const std::string &compiler,
                 const ArtifactOptions &options);

/// Compiles up to the phase that the options name and prints the IR to stdout.
Status printStopped(const std::string &model, const std::string &compiler,
                    const ArtifactOptions &options);

/// An error where an option asks for another artifact than this one.
Status checkOptions(const Artifact &artifact, const ArtifactOptions &options);

/// An error unless the artifact belongs to this user or root and nobody else may write it.
Status checkTrust(const Artifact &artifact);

} // namespace llmir
