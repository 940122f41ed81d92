// Words for messages: what a user typed shown safely, and what was probably meant.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace llmir {

/// `text` between quotes, on one line whatever it holds: control characters and bytes that are no
/// ASCII become '?', and what is longer than 40 characters is cut.
std::string inQuotes(std::string_view text);

/// The candidate that `word` is most likely a slip of: at most a third of its letters (and 3) typed
/// wrong, left out, added or swapped. Empty where none is near.
std::string nearest(std::string_view word, std::span<const std::string> candidates);

/// " (did you mean X?)", or nothing.
std::string suggestion(std::string_view word, std::span<const std::string> candidates,
                       std::string_view prefix = "");

} // namespace llmir
