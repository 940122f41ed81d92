// The table of contents of a zip archive in memory, read by minizip. Nothing of the file is
// trusted: what is given out lies within the bytes.
#pragma once

#include "llmir/support/Error.h"
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace llmir::torch_export {

struct ZipEntry {
  std::span<const uint8_t> bytes; ///< as they lie in the archive
  uint64_t size = 0;              ///< when they are unpacked
  bool isStored = true;           ///< as they are; else deflated
};

/// Entries by their paths. Errors: no zip archive, encrypted entries, paths
/// that are absolute or hold "..", two entries of one path, methods other than stored and deflated,
/// places outside of the file, entries that claim to unpack to more than 100 times their size.
Expected<std::map<std::string, ZipEntry>> readZipDirectory(std::span<const uint8_t> archive,
                                                           const std::string &name);

/// The entry's contents, in `copy` if it has to be unpacked. Errors: more than `maxBytes`, damage.
Expected<std::span<const uint8_t>> unpack(const ZipEntry &entry, std::vector<uint8_t> &copy,
                                          uint64_t maxBytes);

} // namespace llmir::torch_export
