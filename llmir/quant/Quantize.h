// Floats into GGUF's blocks: what makes model files. Plain encoders: round to nearest over the
// range of each group; no search for better scales.
#pragma once

#include "llmir/quant/Format.h"

namespace llmir {

/// Encodes `count` floats of one row (a multiple of blockElements) into count / blockElements
/// blocks. Flat formats, F16 and BF16 give bit for bit what the `gguf` package's quantize gives.
/// Values should be finite; others give an arbitrary, valid encoding. Precondition:
/// formatInfo(format).hasCodec.
void quantizeRow(Format format, const float *src, uint8_t *dst, int64_t count);

/// The inverse of unpackBlock: writes the blockBytes of one block. Quants, scales and minima must
/// be in the format's range. Precondition: formatInfo(format).scheme.
void packBlock(Format format, const BlockParts &parts, uint8_t *block);

} // namespace llmir
