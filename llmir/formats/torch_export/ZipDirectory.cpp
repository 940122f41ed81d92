// minizip on bytes in memory, and zlib for the one entry that may be deflated, the graph's text.
#include "llmir/formats/torch_export/ZipDirectory.h"

#include "llmir/support/Shown.h"
#include <cstring>
#include <minizip/unzip.h>
#include <zlib.h>

namespace llmir::torch_export {

namespace {

constexpr uint64_t maxRatio = 100;
constexpr size_t maxPath = 4096;

/// What minizip reads from.
struct Memory {
  std::span<const uint8_t> bytes;
  uint64_t position = 0;
};

Memory &memoryOf(voidpf stream) { return *static_cast<Memory *>(stream); }

voidpf openMemory(voidpf opaque, const void *, int) { return opaque; }

uLong readMemory(voidpf, voidpf stream, void *buffer, uLong size) {
  Memory &memory = memoryOf(stream);
  const uint64_t count = std::min<uint64_t>(size, memory.bytes.size() - memory.position);
  if (count)
    std::memcpy(buffer, memory.bytes.data() + memory.position, count);
  memory.position += count;
  return count;
}

ZPOS64_T tellMemory(voidpf, voidpf stream) { return memoryOf(stream).position; }

long seekMemory(voidpf, voidpf stream, ZPOS64_T offset, int origin) {
  Memory &memory = memoryOf(stream);
  const uint64_t base = origin == ZLIB_FILEFUNC_SEEK_CUR   ? memory.position
                        : origin == ZLIB_FILEFUNC_SEEK_END ? memory.bytes.size()
                                                           : 0;
  if (offset > memory.bytes.size() - base)
    return -1;
  memory.position = base + offset;
  return 0;
}

int closeMemory(voidpf, voidpf) { return 0; }

/// Closes what minizip has opened.
struct Archive {
  unzFile file;
  ~Archive() {
    if (file)
      unzClose(file);
  }
};

bool leavesFolder(std::string_view path) {
  if (path.empty() || path.front() == '/' || path.find('\\') != path.npos)
    return true;
  while (!path.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    if (path.substr(0, end) == "..")
      return true;
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return false;
}

/// The entry that minizip stands at.
Expected<std::pair<std::string, ZipEntry>> readEntry(unzFile file,
                                                     std::span<const uint8_t> archive) {
  unz_file_info64 info{};
  std::string path(maxPath + 1, '\0');
  if (unzGetCurrentFileInfo64(file, &info, path.data(), maxPath, nullptr, 0, nullptr, 0) != UNZ_OK)
    return fail("its table of contents is damaged");
  if (info.size_filename > maxPath)
    return fail("an entry's path has {} bytes, at most {} are allowed", info.size_filename,
                maxPath);
  path.resize(info.size_filename);
  if (leavesFolder(path))
    return fail("the entry \"{}\" lies outside of the archive", shown(path));
  if (info.flag & 1)
    return fail("the entry \"{}\" is encrypted", shown(path));
  if (info.compression_method != 0 && info.compression_method != Z_DEFLATED)
    return fail("the entry \"{}\" is packed by method {}, stored and deflated are read",
                shown(path), info.compression_method);
  const bool isStored = info.compression_method == 0;
  if (isStored ? info.uncompressed_size != info.compressed_size
               : info.uncompressed_size / maxRatio > info.compressed_size)
    return fail("the entry \"{}\" claims {} bytes of {} packed ones{}", shown(path),
                info.uncompressed_size, info.compressed_size,
                isStored ? ", but is stored" : ": a zip bomb");
  int method = 0, level = 0;
  if (unzOpenCurrentFile2(file, &method, &level, /*raw=*/1) != UNZ_OK)
    return fail("the entry \"{}\" is damaged", shown(path));
  const uint64_t offset = unzGetCurrentFileZStreamPos64(file);
  unzCloseCurrentFile(file);
  if (offset > archive.size() || info.compressed_size > archive.size() - offset)
    return fail("the entry \"{}\" has {} bytes at {}, beyond the end of the file", shown(path),
                info.compressed_size, offset);
  return std::pair{std::move(path), ZipEntry{archive.subspan(offset, info.compressed_size),
                                             info.uncompressed_size, isStored}};
}

} // namespace

Expected<std::map<std::string, ZipEntry>> readZipDirectory(std::span<const uint8_t> archive,
                                                           const std::string &name) {
  Memory memory{archive};
  zlib_filefunc64_def functions{.zopen64_file = openMemory,
                                .zread_file = readMemory,
                                .zwrite_file = nullptr,
                                .ztell64_file = tellMemory,
                                .zseek64_file = seekMemory,
                                .zclose_file = closeMemory,
                                .zerror_file = [](voidpf, voidpf) { return 0; },
                                .opaque = &memory};
  Archive zip{unzOpen2_64(name.c_str(), &functions)};
  unz_global_info64 global{};
  if (!zip.file || unzGetGlobalInfo64(zip.file, &global) != UNZ_OK)
    return fail("{}: is no zip archive, or was cut off; export the model again", name);
  std::map<std::string, ZipEntry> entries;
  int state = global.number_entry ? unzGoToFirstFile(zip.file) : UNZ_END_OF_LIST_OF_FILE;
  for (; state == UNZ_OK; state = unzGoToNextFile(zip.file)) {
    auto entry = readEntry(zip.file, archive);
    if (!entry)
      return forward(entry, name);
    if (!entries.insert(*entry).second)
      return fail("{}: the entry \"{}\" is there twice", name, shown(entry->first));
  }
  if (state != UNZ_END_OF_LIST_OF_FILE)
    return fail("{}: its table of contents is damaged; export the model again", name);
  return entries;
}

Expected<std::span<const uint8_t>> unpack(const ZipEntry &entry, std::vector<uint8_t> &copy,
                                          uint64_t maxBytes) {
  if (entry.size > maxBytes)
    return fail("has {} bytes, at most {} are allowed", entry.size, maxBytes);
  if (entry.isStored)
    return entry.bytes;
  copy.resize(entry.size);
  z_stream stream{};
  stream.next_in = const_cast<Bytef *>(entry.bytes.data());
  stream.avail_in = static_cast<uInt>(std::min<uint64_t>(entry.bytes.size(), UINT32_MAX));
  stream.next_out = copy.data();
  stream.avail_out = static_cast<uInt>(std::min<uint64_t>(copy.size(), UINT32_MAX));
  int result = inflateInit2(&stream, -MAX_WBITS);
  if (result == Z_OK) {
    result = inflate(&stream, Z_FINISH);
    inflateEnd(&stream);
  }
  if (result != Z_STREAM_END || stream.total_out != entry.size)
    return fail("is damaged: it does not unpack to {} bytes", entry.size);
  return std::span<const uint8_t>(copy);
}

} // namespace llmir::torch_export
