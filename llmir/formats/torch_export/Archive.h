// A model of torch.export: the graph, and the weights as views into the mapped file. Reads the .pt2
// archives of torch.export.save (models/NAME.json, data/weights, data/constants), and the JSON of a
// graph by itself, which has no weights.
#pragma once

#include "llmir/formats/torch_export/ExportedProgram.h"
#include "llmir/support/MappedFile.h"

namespace llmir::torch_export {

struct StoredTensor {
  ScalarType type = ScalarType::Float;
  std::vector<int64_t> shape;     ///< row-major
  std::span<const uint8_t> bytes; ///< exactly those of the shape; of any alignment
};

using TensorTable = std::map<std::string, StoredTensor, std::less<>>;

/// Parameters, buffers and constants by their names in the state dict, and the graph.
struct Contents {
  ExportedProgram program;
  TensorTable tensors;
};

/// Whether a file that starts with these bytes is a zip archive or JSON: nothing else that is a
/// model does.
bool isTorchExport(std::span<const uint8_t> bytes);

/// Errors name the entry, the field, its value and what is allowed: what readZipDirectory and
/// parseProgram refuse, no or several graphs, weights that are pickled, missing, packed, sparse,
/// not contiguous, or of another number of bytes than their shape asks for.
Expected<Contents> parseArchive(std::span<const uint8_t> bytes, const std::string &name);

class Archive {
public:
  /// Errors: those of MappedFile::open and parseArchive.
  static Expected<Archive> open(const std::string &path);

  const std::string &path() const { return file.path(); }
  const struct stat &info() const { return file.info(); }
  const ExportedProgram &program() const { return contents.program; }
  const TensorTable &tensors() const { return contents.tensors; }

private:
  MappedFile file;
  Contents contents;
};

} // namespace llmir::torch_export
