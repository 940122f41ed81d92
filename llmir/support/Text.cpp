// Edit distance with swaps of neighbours (optimal string alignment).
#include "llmir/support/Text.h"

#include <algorithm>
#include <fmt/format.h>
#include <vector>

namespace llmir {

namespace {

size_t editDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j)
    above[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(above);
    above.swap(row);
  }
  return above[b.size()];
}

} // namespace

std::string inQuotes(std::string_view text) {
  constexpr size_t limit = 40;
  std::string shown(text.substr(0, limit));
  std::replace_if(
      shown.begin(), shown.end(), [](unsigned char c) { return c < ' ' || c > '~'; }, '?');
  return fmt::format("'{}{}'", shown, text.size() > limit ? "..." : "");
}

std::string nearest(std::string_view word, std::span<const std::string> candidates) {
  constexpr size_t longest = 64; // of a name; the table of distances stays small
  std::string best;
  size_t bestDistance = std::min<size_t>(3, std::max<size_t>(1, word.size() / 3)) + 1;
  if (word.empty() || word.size() > longest)
    return best;
  for (const std::string &candidate : candidates)
    if (size_t distance = editDistance(word, candidate); distance < bestDistance) {
      bestDistance = distance;
      best = candidate;
    }
  if (!best.empty())
    return best;
  // Half a name is as good a hint: "chunk" for "prefill-chunk".
  for (const std::string &candidate : candidates)
    if (word.size() >= 4 && candidate.find(word) != std::string::npos)
      return candidate;
  return best;
}

std::string suggestion(std::string_view word, std::span<const std::string> candidates,
                       std::string_view prefix) {
  std::string name = nearest(word, candidates);
  return name.empty() ? "" : fmt::format(" (did you mean {}{}?)", prefix, name);
}

} // namespace llmir
