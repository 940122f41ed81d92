// Names such as "model.layers.3.experts.0.weight" hold more numbers than the layer's: the one that
// is the layer's own in every layer is taken.
#include "llmir/transforms/WeightFamilies.h"

#include "llvm/ADT/StringExtras.h"

namespace llmir::llm {

std::vector<NamePattern> commonPatterns(llvm::ArrayRef<WeightOfLayer> weights) {
  std::vector<NamePattern> patterns;
  const llvm::StringRef first = weights.front().name;
  const std::string number = std::to_string(weights.front().layer);
  for (size_t i = 0; i < first.size();) {
    if (!llvm::isDigit(first[i])) {
      ++i;
      continue;
    }
    const llvm::StringRef digits = first.drop_front(i).take_while(llvm::isDigit);
    if (digits == number)
      patterns.emplace_back(first.take_front(i).str(), first.drop_front(i + digits.size()).str());
    i += digits.size();
  }
  for (const WeightOfLayer &weight : weights)
    std::erase_if(patterns, [&](const NamePattern &pattern) {
      return weight.name != pattern.first + std::to_string(weight.layer) + pattern.second;
    });
  return patterns;
}

} // namespace llmir::llm
