// A model of torch.export: its graph, and its weights seen as those of a GGUF file, so that
// whatever reads weights knows one form alone.
#pragma once

#include "llmir/formats/gguf/Gguf.h"
#include "llmir/formats/torch_export/Archive.h"

namespace llmir {

struct TorchModel {
  std::shared_ptr<const torch_export::Archive> archive;
  /// Without metadata. Its tensors are the floats of the state dict, by their names there; the
  /// bytes are views into the archive's.
  GgufFile weights;
};

/// Whether the path is a file that starts as a model of torch.export does.
bool isTorchModel(const std::string &path);

/// Errors: those of torch_export::Archive::open.
Expected<TorchModel> openTorchModel(const std::string &path);

} // namespace llmir
