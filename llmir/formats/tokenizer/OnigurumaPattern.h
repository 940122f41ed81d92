// tokenizer.json writes its patterns in Oniguruma's syntax, ICU runs them: the same language but
// for a few spellings.
#pragma once

#include "llmir/support/Error.h"
#include <string>
#include <string_view>

namespace llmir {

/// The pattern as ICU understands it with `.`, `^` and `$` of the same meaning (see PreTokenizer).
/// Errors: what ICU would read in another way. What it can not read at all it refuses itself.
Expected<std::string> toIcuPattern(std::string_view pattern);

} // namespace llmir
