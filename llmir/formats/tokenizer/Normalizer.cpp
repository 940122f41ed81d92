// See the header.
#include "llmir/formats/tokenizer/Normalizer.h"

#include "llmir/formats/tokenizer/Utf16.h"
#include <algorithm>
#include <unicode/normalizer2.h>

namespace llmir {

/// False: the text is too long now.
static bool apply(UnicodeForm form, std::string &text, size_t) {
  const bool isCompatible = form == UnicodeForm::Nfkc || form == UnicodeForm::Nfkd,
             isComposed = form == UnicodeForm::Nfc || form == UnicodeForm::Nfkc;
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2 *normalizer =
      icu::Normalizer2::getInstance(nullptr, isCompatible ? "nfkc" : "nfc",
                                    isComposed ? UNORM2_COMPOSE : UNORM2_DECOMPOSE, status);
  icu::UnicodeString result;
  if (U_SUCCESS(status))
    result = normalizer->normalize(toUtf16(text), status);
  if (U_FAILURE(status) || result.isBogus())
    return false;
  text = toUtf8(result);
  return true;
}

static bool apply(const PrependStep &step, std::string &text, size_t) {
  if (!text.empty())
    text.insert(0, step.text);
  return true;
}

static bool apply(const ReplaceStep &step, std::string &text, size_t limit) {
  std::string result;
  result.reserve(text.size());
  for (size_t begin = 0; begin <= text.size();) {
    const size_t found = std::min(text.find(step.from, begin), text.size());
    result.append(text, begin, found - begin);
    if (found < text.size())
      result += step.to;
    if (result.size() > limit)
      return false;
    begin = found < text.size() ? found + step.from.size() : found + 1;
  }
  text = std::move(result);
  return true;
}

Expected<std::string> Normalizer::normalize(std::string_view text) const {
  const size_t limit = maxGrownBytes(text.size());
  std::string result(text);
  for (const NormalizerStep &step : steps)
    if (result.size() > limit ||
        !std::visit([&](const auto &kind) { return apply(kind, result, limit); }, step) ||
        result.size() > limit)
      return fail("text of {} bytes has more than {} when normalized", text.size(), limit);
  return result;
}

} // namespace llmir
