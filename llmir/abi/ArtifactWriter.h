// Writes an artifact: room for the weights first, which are packed right into the file; then code,
// manifest and text behind them; the header last, so that a file that was not finished is none.
#pragma once

#include "llmir/abi/Artifact.h"

namespace llmir {

/// Errors have the exit code exitOutputFailed.
class ArtifactWriter {
public:
  /// Makes the file at `path`, for its owner only; a regular file there makes way (whoever has it
  /// mapped keeps the old one). The room for the weights is allocated and zero.
  static Expected<ArtifactWriter> create(const std::string &path, int64_t weightBytes);
  ArtifactWriter(ArtifactWriter &&other) noexcept;
  ~ArtifactWriter();

  /// To be filled before finish().
  std::span<uint8_t> weights() const { return {data, size_t(header.weights.bytes)}; }

  Status finish(const Manifest &manifest, std::span<const uint8_t> code,
                std::span<const uint8_t> text);

private:
  ArtifactWriter() = default;
  Status append(ArtifactSection &place, std::span<const uint8_t> bytes);
  Status write(std::span<const uint8_t> bytes, uint64_t offset);

  std::string path;
  int file = -1;
  uint8_t *data = nullptr; // of the weights
  ArtifactHeader header;
};

} // namespace llmir
