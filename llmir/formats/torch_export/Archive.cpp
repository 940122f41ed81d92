// Puts a model together from the entries of its archive. All paths have the archive's name in
// front, which is whatever the file was called when it was saved.
#include "llmir/formats/torch_export/Archive.h"

#include "llmir/formats/torch_export/ReadGraph.h"
#include "llmir/formats/torch_export/ZipDirectory.h"
#include "llmir/support/Shown.h"
#include <algorithm>

namespace llmir::torch_export {

using Entries = std::map<std::string, ZipEntry>;

static constexpr int64_t stridedLayout = 7;

/// The text of an entry; `copy` holds it if it was packed.
static Expected<std::span<const uint8_t>> textOf(const Entries &entries, const std::string &path,
                                                 std::vector<uint8_t> &copy,
                                                 const std::string &name) {
  auto entry = entries.find(path);
  if (entry == entries.end())
    return fail("{}: has no entry \"{}\"; export the model again", name, shown(path));
  auto text = unpack(entry->second, copy, maxProgramBytes);
  if (!text)
    return forward(text, fmt::format("{}: \"{}\"", name, shown(path)));
  return text;
}

/// The number of bytes, or an error: shapes of strangers overflow.
static uint64_t bytesOfShape(const Place &place, const TensorMeta &meta,
                             std::vector<int64_t> &shape) {
  int64_t bytes = bytesOf(meta.type);
  if (bytes == 0)
    place["dtype"].wrong("the number of an integer, float or bool type");
  for (const SizeExpression &size : meta.sizes) {
    if (!size.isInteger())
      place["sizes"].wrong("a list of numbers");
    shape.push_back(size.value);
    if (__builtin_mul_overflow(bytes, size.value, &bytes))
      throw WrongJson{{fmt::format("{}.sizes has more bytes than there can be", place.path)}};
  }
  return bytes;
}

/// Whether the rows lie one behind the other, as they do unless a view was saved. Strides of
/// dimensions of one element do not matter.
static void checkContiguous(const Place &place, std::span<const int64_t> shape) {
  if (place.has("layout") && place["layout"].integer() != stridedLayout)
    throw WrongJson{{fmt::format("{} is sparse, dense weights are read", place.path)}};
  if (std::ranges::find(shape, 0) != shape.end())
    return;
  const Place strides = place["strides"];
  if (strides.size() != shape.size())
    strides.wrong(fmt::format("{} numbers", shape.size()));
  int64_t expected = 1; // within int64_t: bytesOfShape has multiplied the same numbers
  for (size_t i = shape.size(); i-- > 0; expected *= shape[i]) {
    const Place stride = strides.at(i);
    if (shape[i] != 1 && (stride.unionTag() != "as_int" || stride["as_int"].integer() != expected))
      throw WrongJson{{fmt::format("{} are not those of a contiguous tensor; save it with "
                                   ".contiguous()",
                                   strides.path)}};
  }
}

static StoredTensor readTensor(const Place &config, const Entries &entries,
                               const std::string &folder) {
  if (config["use_pickle"].flag())
    throw WrongJson{{fmt::format("{} is pickled, and pickles are not read; export a model of plain "
                                 "tensors",
                                 config.path)}};
  const Place meta = config["tensor_meta"];
  const TensorMeta tensor = readTensorMeta(meta);
  StoredTensor result{.type = tensor.type, .shape = {}, .bytes = {}};
  const uint64_t bytes = bytesOfShape(meta, tensor, result.shape);
  checkContiguous(meta, result.shape);
  if (meta.has("storage_offset")) {
    const Place offset = meta["storage_offset"];
    if (offset.unionTag() != "as_int" || offset["as_int"].integer() != 0)
      throw WrongJson{{fmt::format("{} is not 0; save the tensor with .clone()", offset.path)}};
  }
  auto entry = entries.find(folder + config["path_name"].text());
  if (entry == entries.end())
    throw WrongJson{{fmt::format("{} is \"{}\", and there is no such entry",
                                 config["path_name"].path, shown(config["path_name"].text()))}};
  if (!entry->second.isStored)
    throw WrongJson{{fmt::format("\"{}\" is packed; weights must be stored as they are, as "
                                 "torch.export.save does",
                                 shown(entry->first))}};
  if (entry->second.bytes.size() != bytes)
    throw WrongJson{{fmt::format("\"{}\" has {} bytes, its shape asks for {}", shown(entry->first),
                                 entry->second.bytes.size(), bytes)}};
  result.bytes = entry->second.bytes;
  return result;
}

/// One of the two tables: FOLDER/NAME_weights_config.json, or the same with "constants".
static Status readTable(const Entries &entries, const std::string &folder, const std::string &table,
                        const std::string &name, TensorTable &tensors) {
  const std::string path = folder + table;
  if (!entries.contains(path))
    return {}; // a graph may have none
  std::vector<uint8_t> copy;
  auto text = textOf(entries, path, copy, name);
  if (!text)
    return forward(text);
  const std::string where = fmt::format("{}: \"{}\"", name, shown(path));
  auto document = parseJson(*text, where, maxProgramBytes);
  if (!document)
    return forward(document);
  try {
    const Place config = Place(*document, "")["config"];
    for (const auto &[tensor, value] : config.object())
      tensors.insert_or_assign(tensor, readTensor({value, shown(tensor)}, entries, folder));
  } catch (const WrongJson &wrong) {
    return fail("{}: {}", where, wrong.error.message);
  }
  return {};
}

/// The path of the one graph, ROOT/models/NAME.json.
static Expected<std::string> findGraph(const Entries &entries, const std::string &name) {
  std::vector<std::string> graphs;
  for (const auto &[path, entry] : entries) {
    const size_t root = path.find('/');
    if (root == path.npos || !path.ends_with(".json"))
      continue;
    const std::string_view rest = std::string_view(path).substr(root + 1);
    if (rest.starts_with("models/") && rest.find('/', 7) == rest.npos)
      graphs.push_back(path);
  }
  if (graphs.empty())
    return fail("{}: has no graph models/*.json: is it a file of torch.export.save?", name);
  if (graphs.size() > 1)
    return fail("{}: has {} graphs, one is read; save one model for a file", name, graphs.size());
  return graphs[0];
}

bool isTorchExport(std::span<const uint8_t> bytes) {
  constexpr uint8_t zip[] = {'P', 'K', 3, 4};
  if (bytes.size() >= 4 && std::ranges::equal(bytes.first(4), zip))
    return true;
  auto first = std::ranges::find_if(bytes.first(std::min<size_t>(bytes.size(), 64)),
                                    [](uint8_t c) { return c > ' '; });
  return first != bytes.end() && *first == '{';
}

Expected<Contents> parseArchive(std::span<const uint8_t> bytes, const std::string &name) {
  if (bytes.empty() || bytes[0] != 'P') {
    auto program = parseProgram(bytes, name);
    if (!program)
      return forward(program);
    return Contents{std::move(*program), {}};
  }
  auto entries = readZipDirectory(bytes, name);
  if (!entries)
    return forward(entries);
  auto path = findGraph(*entries, name);
  if (!path)
    return forward(path);
  std::vector<uint8_t> copy;
  auto text = textOf(*entries, *path, copy, name);
  if (!text)
    return forward(text);
  auto program = parseProgram(*text, fmt::format("{}: \"{}\"", name, shown(*path)));
  if (!program)
    return forward(program);
  Contents contents{std::move(*program), {}};
  const std::string root = path->substr(0, path->find('/') + 1);
  const std::string stem = path->substr(root.size() + 7, path->size() - root.size() - 12);
  for (const char *kind : {"weights", "constants"})
    if (auto status =
            readTable(*entries, fmt::format("{}data/{}/", root, kind),
                      fmt::format("{}_{}_config.json", stem, kind), name, contents.tensors);
        !status)
      return forward(status);
  return contents;
}

Expected<Archive> Archive::open(const std::string &path) {
  auto mapped = MappedFile::open(path);
  if (!mapped)
    return forward(mapped);
  Archive archive;
  archive.file = std::move(*mapped);
  auto contents = parseArchive(archive.file.bytes(), path);
  if (!contents)
    return forward(contents);
  archive.contents = std::move(*contents);
  return archive;
}

} // namespace llmir::torch_export
