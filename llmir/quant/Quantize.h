// Floats into GGUF's blocks: what makes model files. Plain encoders: round to nearest over the
// range of each group; no search for better scales.
#pragma once

#include "llmir/quant/Format.h"
#include "llmir/support/Error.h"

namespace llmir {

/// Encodes `count` floats of one row (a multiple of blockElements) into count / blockElements
/// blocks. Flat formats, F16 and BF16 give bit for bit what the `gguf` package's quantize gives.
/// Gives false if a value was not finite, or so large that the scale or minimum of its block, or
/// the value itself, is not finite in f16; the encoding is arbitrary and valid then. Precondition:
/// formatInfo(format).hasCodec.
bool quantizeRow(Format format, const float *src, uint8_t *dst, int64_t count);

/// Whether a tensor stored as `from` can stand for one of `to`: of the same format, or floats that
/// quantizeRows rounds to a quantised one.
bool canBecome(Format from, Format to);

/// Rounds `rows` rows of `columns` floats of the format `from`, one behind the other, to `to`.
/// Errors: a number that is not finite, or too large for the format, with its row (numbered from
/// `firstRow`) and column. Precondition: canBecome(from, to), and rows are whole blocks of `to`.
Status quantizeRows(Format from, const uint8_t *src, Format to, uint8_t *dst, int64_t rows,
                    int64_t columns, int64_t firstRow = 0);

/// The inverse of unpackBlock: writes the blockBytes of one block. Quants, scales and minima must
/// be in the format's range. Precondition: formatInfo(format).scheme.
void packBlock(Format format, const BlockParts &parts, uint8_t *block);

} // namespace llmir
