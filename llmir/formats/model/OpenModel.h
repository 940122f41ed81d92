// A model in whatever form its weights come: a GGUF file or a Hugging Face directory. Everything
// that takes a model's path opens and identifies it here.
#pragma once

#include "llmir/formats/gguf/Gguf.h"

namespace llmir {

/// Errors: those of GgufFile::open or openHuggingFace.
Expected<GgufFile> openModel(const std::string &path);

/// The files that openModel reads, in a fixed order. Errors: a directory that is no model.
Expected<std::vector<std::string>> modelFiles(const std::string &path);

/// Of modelFiles, as openModel would find them now. Errors also: a file that is not there.
Expected<FileStamp> modelStamp(const std::string &path);

/// The path, absolute and in one spelling: as it is in manifests and keys.
std::string modelLocation(const std::string &path);

/// The name of a model for people: of a file without its extension, of a directory as it is.
std::string modelName(const std::string &path);

} // namespace llmir
