// The file that a compiled model lies in, between the compiler that writes it and the runtime that
// maps it: a header of one page, then packed weights, native code, the manifest, and the model's
// text side (tokenizer and chat template), so that nothing else is needed to run it.
//
// All numbers are little-endian. Every section has a checksum: what was damaged on the way is
// refused and never run.
#pragma once

#include "llmir/abi/Manifest.h"
#include "llmir/support/MappedFile.h"

namespace llmir {

inline constexpr char artifactMagic[8] = {'L', 'L', 'M', 'I', 'R', '\r', '\n', '\x1a'};
inline constexpr uint32_t artifactVersion = 1;
inline constexpr uint64_t artifactPageBytes = 4096;

/// The exit code of a compiler that failed for want of a place for the artifact: a full disk, a
/// limit. Elsewhere it may work.
inline constexpr int exitOutputFailed = 3;

struct ArtifactSection {
  uint64_t offset = 0; ///< from the start of the file, a multiple of 64
  uint64_t bytes = 0;
  uint64_t checksum = 0; ///< artifactChecksum of its bytes
};

/// At the start of the file.
struct ArtifactHeader {
  char magic[8] = {};
  uint32_t version = 0;
  uint32_t reserved = 0; ///< 0
  uint64_t fileBytes = 0;
  ArtifactSection weights; ///< starts a page
  ArtifactSection code;    ///< a shared object, see llmir_abi.h
  ArtifactSection manifest;
  ArtifactSection text;  ///< GGUF without tensors
  uint64_t checksum = 0; ///< of the bytes of this structure before it
};

/// XXH3 (64 bits) of the XXH3 hashes of the pieces of 4 MiB, computed on all processors.
uint64_t artifactChecksum(std::span<const uint8_t> bytes);

/// Whether a file begins as artifacts do, whatever its state. False if it cannot be read.
bool isArtifact(const std::string &path);

class Artifact {
public:
  enum class Check {
    All,          ///< what will run
    AllButWeights ///< what is only looked at
  };
  /// Maps and checks a file. Errors name it and what is wrong with it: no artifact, of another
  /// version, damaged.
  static Expected<Artifact> open(const std::string &path, Check check = Check::All);

  const std::string &path() const { return file.path(); }
  const struct stat &info() const { return file.info(); }
  const Manifest &manifest() const { return contents; }
  std::span<const uint8_t> weights() const { return section(header.weights); }
  std::span<const uint8_t> code() const { return section(header.code); }
  std::span<const uint8_t> text() const { return section(header.text); }

private:
  std::span<const uint8_t> section(const ArtifactSection &place) const {
    return file.bytes().subspan(place.offset, place.bytes);
  }
  Status checkHeader();
  Status checkSections(Check check) const;
  Status damaged(const std::string &what) const;

  MappedFile file;
  ArtifactHeader header;
  Manifest contents;
};

} // namespace llmir
