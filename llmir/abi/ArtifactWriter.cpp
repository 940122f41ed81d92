// Weights through a mapping, everything else by pwrite.
#include "llmir/abi/ArtifactWriter.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

namespace llmir {

static tl::unexpected<Error> failOutput(const std::string &path, const std::string &what,
                                        int error) {
  return tl::unexpected<Error>(
      {fmt::format("{}: {}: {}", path, what, std::strerror(error)), exitOutputFailed});
}

Expected<ArtifactWriter> ArtifactWriter::create(const std::string &path, int64_t weightBytes) {
  struct stat info{};
  if (lstat(path.c_str(), &info) == 0) {
    if (!S_ISREG(info.st_mode))
      return tl::unexpected<Error>(
          {fmt::format("{}: is no regular file: give the name of a file", path)});
    unlink(path.c_str());
  }
  ArtifactWriter writer;
  writer.path = path;
  writer.file = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (writer.file < 0)
    return failOutput(path, "cannot be written", errno);
  writer.header.weights = {artifactPageBytes, uint64_t(weightBytes), 0};
  const auto end = off_t(artifactPageBytes + uint64_t(weightBytes));
  // Allocated and not only sized: on a full disk this fails here, and not as SIGBUS while packing.
  if (int error = posix_fallocate(writer.file, 0, end))
    return failOutput(path, fmt::format("{} bytes cannot be allocated", end), error);
  if (weightBytes == 0)
    return writer;
  void *address = mmap(nullptr, size_t(weightBytes), PROT_READ | PROT_WRITE, MAP_SHARED,
                       writer.file, off_t(artifactPageBytes));
  if (address == MAP_FAILED)
    return failOutput(path, "cannot be mapped", errno);
  writer.data = static_cast<uint8_t *>(address);
  return writer;
}

ArtifactWriter::ArtifactWriter(ArtifactWriter &&other) noexcept
    : path(std::move(other.path)), file(std::exchange(other.file, -1)),
      data(std::exchange(other.data, nullptr)), header(other.header) {}

ArtifactWriter::~ArtifactWriter() {
  if (data)
    munmap(data, header.weights.bytes);
  if (file >= 0)
    close(file);
}

Status ArtifactWriter::write(std::span<const uint8_t> bytes, uint64_t offset) {
  while (!bytes.empty()) {
    ssize_t written = pwrite(file, bytes.data(), bytes.size(), off_t(offset));
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return failOutput(path, "cannot be written", errno);
    bytes = bytes.subspan(size_t(written));
    offset += uint64_t(written);
  }
  return {};
}

Status ArtifactWriter::append(ArtifactSection &place, std::span<const uint8_t> bytes) {
  place = {(header.fileBytes + 63) / 64 * 64, bytes.size(), artifactChecksum(bytes)};
  header.fileBytes = place.offset + place.bytes;
  return write(bytes, place.offset);
}

Status ArtifactWriter::finish(const Manifest &manifest, std::span<const uint8_t> code,
                              std::span<const uint8_t> text) {
  std::memcpy(header.magic, artifactMagic, sizeof artifactMagic);
  header.version = artifactVersion;
  header.weights.checksum = artifactChecksum(weights());
  header.fileBytes = header.weights.offset + header.weights.bytes;
  const std::string json = manifestToJson(manifest);
  const auto *jsonBytes = reinterpret_cast<const uint8_t *>(json.data());
  if (Status status = append(header.code, code); !status)
    return status;
  if (Status status = append(header.manifest, {jsonBytes, json.size()}); !status)
    return status;
  if (Status status = append(header.text, text); !status)
    return status;
  // An empty last section would leave the file shorter than its padding.
  if (ftruncate(file, off_t(header.fileBytes)) != 0)
    return failOutput(path, "cannot be written", errno);
  header.checksum = XXH3_64bits(&header, offsetof(ArtifactHeader, checksum));
  return write({reinterpret_cast<const uint8_t *>(&header), sizeof header}, 0);
}

} // namespace llmir
