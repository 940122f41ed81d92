// Reads the rotary position embedding of a GGUF model; every scaling folds into factors and one
// magnitude. Sources: llama.cpp's metadata keys; YaRN, arXiv 2309.00071.
#pragma once

#include "llmir/dialect/Llm.h"
#include "llmir/formats/gguf/Gguf.h"
#include "llmir/support/Error.h"
#include <optional>
#include <string>

namespace llmir::frontend {

/// `prefix` is the architecture's name, `headDim` the columns of a key's head.
Expected<llm::RopeAttr> readRope(const GgufFile &file, const std::string &prefix, int64_t headDim,
                                 int64_t trainedContext, llm::RopeStyle style,
                                 mlir::MLIRContext &context);

/// The rotation of layers with a sliding window: `rope` itself, or with a base of its own
/// (`rope.freq_base_swa`, or `absentBase` where the file has none) without any scaling.
Expected<llm::RopeAttr> readSlidingRope(const GgufFile &file, const std::string &prefix,
                                        llm::RopeAttr rope, std::optional<double> absentBase);

} // namespace llmir::frontend
