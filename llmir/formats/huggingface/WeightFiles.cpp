// Opens the shards and joins their tables.
#include "llmir/formats/huggingface/Weights.h"
#include "llmir/support/Shown.h"

namespace llmir::huggingface {

Expected<WeightFiles> WeightFiles::open(const ModelFolder &folder) {
  WeightFiles files;
  for (const std::string &name : folder.weights) {
    auto mapped = MappedFile::open(folder.file(name));
    if (!mapped)
      return forward(mapped);
    auto tensors = parseSafetensors(mapped->bytes(), mapped->path());
    if (!tensors)
      return forward(tensors);
    for (SafetensorsTensor &tensor : *tensors) {
      files.places.push_back({std::move(tensor), files.mapped.size()});
      const Place &place = files.places.back();
      auto [other, isNew] = files.byName.emplace(place.tensor.name, &place);
      if (!isNew)
        return fail("{}: holds tensor {}, as does {}: fetch the model again", mapped->path(),
                    shown(place.tensor.name), folder.weights[other->second->file]);
    }
    files.mapped.push_back(std::move(*mapped));
  }
  for (const auto &[tensor, file] : folder.index) {
    const Place *place = files.find(tensor);
    if (!place || folder.weights[place->file] != file)
      return fail("{}: has no tensor {}, though {} says so: fetch the model again",
                  folder.file(file), shown(tensor), indexName);
  }
  return files;
}

const WeightFiles::Place *WeightFiles::find(std::string_view name) const {
  auto found = byName.find(name);
  return found == byName.end() ? nullptr : found->second;
}

} // namespace llmir::huggingface
