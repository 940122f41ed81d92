// Checks of an artifact, from the outside in: magic, version, header, the places of the sections,
// their contents.
#include "llmir/abi/Artifact.h"

#include "llmir/support/WorkQueue.h"
#include <cstring>
#include <xxhash.h>

namespace llmir {

static_assert(sizeof(ArtifactHeader) == 128 && sizeof(ArtifactHeader) <= artifactPageBytes);

uint64_t artifactChecksum(std::span<const uint8_t> bytes) {
  constexpr size_t pieceBytes = size_t(4) << 20;
  std::vector<uint64_t> hashes((bytes.size() + pieceBytes - 1) / pieceBytes);
  WorkQueue work;
  for (size_t i = 0; i < hashes.size(); ++i)
    work.add([&, i] {
      auto piece = bytes.subspan(i * pieceBytes);
      hashes[i] = XXH3_64bits(piece.data(), std::min(pieceBytes, piece.size()));
    });
  work.run();
  return XXH3_64bits(hashes.data(), hashes.size() * sizeof(uint64_t));
}

static bool hasMagic(std::span<const uint8_t> bytes) {
  return bytes.size() >= sizeof artifactMagic &&
         std::memcmp(bytes.data(), artifactMagic, sizeof artifactMagic) == 0;
}

bool isArtifact(const std::string &path) {
  auto file = MappedFile::open(path);
  return file && hasMagic(file->bytes());
}

Status Artifact::damaged(const std::string &what) const {
  return fail("{}: is damaged: {}; compile the model again", path(), what);
}

Status Artifact::checkHeader() {
  std::span<const uint8_t> bytes = file.bytes();
  if (!hasMagic(bytes))
    return fail("{}: is no compiled model", path());
  if (bytes.size() < sizeof header)
    return damaged(fmt::format("it has {} bytes, less than a header", bytes.size()));
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.version != artifactVersion)
    return fail("{}: has artifact version {}, this program reads version {}: compile the model "
                "again",
                path(), header.version, artifactVersion);
  if (header.checksum != XXH3_64bits(&header, offsetof(ArtifactHeader, checksum)))
    return damaged("the header is not as it was written");
  if (header.fileBytes != bytes.size())
    return damaged(fmt::format("it has {} bytes, {} were written", bytes.size(), header.fileBytes));
  for (const ArtifactSection &place : {header.weights, header.code, header.manifest, header.text})
    if (place.offset % 64 != 0 || place.offset > bytes.size() ||
        place.bytes > bytes.size() - place.offset)
      return damaged("a section lies outside");
  return {};
}

Status Artifact::checkSections(Check check) const {
  for (auto [place, what] : {std::pair(&header.manifest, "manifest"),
                             {&header.code, "code"},
                             {&header.text, "text"},
                             {&header.weights, "weights"}})
    if (place != &header.weights || check == Check::All)
      if (artifactChecksum(section(*place)) != place->checksum)
        return damaged(fmt::format("the part \"{}\" is not as it was written", what));
  return {};
}

Expected<Artifact> Artifact::open(const std::string &path, Check check) {
  auto file = MappedFile::open(path);
  if (!file)
    return forward(file);
  Artifact artifact;
  artifact.file = std::move(*file);
  if (Status status = artifact.checkHeader(); !status)
    return forward(status);
  if (Status status = artifact.checkSections(check); !status)
    return forward(status);
  std::span<const uint8_t> json = artifact.section(artifact.header.manifest);
  auto manifest =
      manifestFromJson(std::string(reinterpret_cast<const char *>(json.data()), json.size()), path);
  if (!manifest)
    return forward(manifest);
  if (uint64_t(manifest->weightBytes) != artifact.header.weights.bytes) {
    Status status =
        artifact.damaged(fmt::format("it holds {} bytes of weights, its manifest says {}",
                                     artifact.header.weights.bytes, manifest->weightBytes));
    return forward(status);
  }
  artifact.contents = std::move(*manifest);
  return artifact;
}

} // namespace llmir
