// Brings texts into the form that a vocabulary was trained on, such as NFC or ▁ for a space.
#pragma once

#include "llmir/formats/tokenizer/TextSteps.h"
#include "llmir/support/Error.h"
#include <string_view>
#include <vector>

namespace llmir {

class Normalizer {
public:
  explicit Normalizer(std::vector<NormalizerStep> steps = {}) : steps(std::move(steps)) {}

  bool isEmpty() const { return steps.empty(); }

  /// Bytes that are no UTF-8 stay. Errors: a result that is far longer than the text.
  Expected<std::string> normalize(std::string_view text) const;

private:
  std::vector<NormalizerStep> steps; // one after the other
};

} // namespace llmir
