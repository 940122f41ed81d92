// Runs the steps with ICU on the text as UTF-16.
#include "llmir/formats/tokenizer/PreTokenizer.h"

#include "llmir/formats/tokenizer/ShownText.h"
#include "llmir/formats/tokenizer/Utf16.h"
#include <algorithm>
#include <unicode/regex.h>

namespace llmir {

/// As in Oniguruma: only a line feed ends a line, and ^ and $ are at each.
static constexpr uint32_t regexFlags = UREGEX_MULTILINE | UREGEX_UNIX_LINES;
/// Backtracking that takes more memory than this is given up.
static constexpr int32_t maxStackBytes = 256 << 20;
/// ICU reports every ten thousandth state that it saves to come back to. The patterns of real
/// models save up to 3 a character.
static constexpr int64_t reportsOfAnyText = 1000, charactersOfReport = 64;

struct PreTokenizer::Step {
  PreTokenizerStep data;
  std::unique_ptr<icu::RegexPattern> pattern; // of a SplitStep
};

Expected<const PreTokenizerRow *> findPreTokenizer(std::string_view name) {
  std::string known;
  for (const PreTokenizerRow &row : preTokenizerTable()) {
    if (row.name == name)
      return &row;
    known += (known.empty() ? "" : ", ") + std::string(row.name);
  }
  return fail("pre-tokenizer '{}' (tokenizer.ggml.pre) is unknown; known are {}", name, known);
}

std::vector<PreTokenizerStep> stepsOf(const PreTokenizerRow &row) {
  std::vector<PreTokenizerStep> steps;
  for (const char *pattern : row.patterns)
    steps.emplace_back(
        SplitStep{.pattern = pattern, .name = fmt::format("pre-tokenizer '{}'", row.name)});
  return steps;
}

Expected<PreTokenizer> PreTokenizer::create(std::vector<PreTokenizerStep> given) {
  std::vector<Step> compiled;
  for (PreTokenizerStep &data : given) {
    std::unique_ptr<icu::RegexPattern> pattern;
    if (const auto *split = std::get_if<SplitStep>(&data)) {
      UErrorCode status = U_ZERO_ERROR;
      UParseError where;
      pattern.reset(icu::RegexPattern::compile(icu::UnicodeString::fromUTF8(split->pattern),
                                               split->isLiteral ? UREGEX_LITERAL : regexFlags,
                                               where, status));
      if (U_FAILURE(status))
        return fail("{}: ICU refuses the pattern {} ({})", split->name, shownText(split->pattern),
                    u_errorName(status));
    }
    compiled.push_back({std::move(data), std::move(pattern)});
  }
  PreTokenizer result;
  result.steps = std::make_shared<const std::vector<Step>>(std::move(compiled));
  return result;
}

namespace {

struct Piece {
  int32_t begin, end;
};
struct Match {
  int32_t begin, end;
  bool counts;
};

/// A text on its way through the steps.
class Splitting {
public:
  Splitting(std::string_view text, bool isAtStart)
      : units(toUtf16(text)), pieces({{0, units.length()}}), isAtStart(isAtStart),
        limit(maxGrownBytes(text.size())),
        reports{reportsOfAnyText + units.length() / charactersOfReport} {}

  Status apply(const SplitStep &step, const icu::RegexPattern &pattern);
  Status apply(const PrefixStep &step);
  Status apply(const ReplaceStep &step);

  /// Gives up the text where it is another one now.
  void finish(std::string &text, std::vector<size_t> &lengths) const;

private:
  /// Cuts into matches and what is between them, which together cover the piece.
  void findMatches(icu::RegexMatcher &matcher, Piece piece, UErrorCode &status);
  void join(SplitBehavior behavior);
  Status rebuild(icu::UnicodeString next, std::vector<Piece> nextPieces);

  struct Budget {
    mutable int64_t left;
  };
  static UBool spend(const void *budget, int32_t) {
    return --static_cast<const Budget *>(budget)->left > 0;
  }

  icu::UnicodeString units;
  std::vector<Piece> pieces, next; // not empty ones
  std::vector<Match> matches;      // of one piece
  const bool isAtStart;
  const size_t limit; // of UTF-16 units
  bool isChanged = false;
  const Budget reports;
};

} // namespace

void Splitting::findMatches(icu::RegexMatcher &matcher, Piece piece, UErrorCode &status) {
  matches.clear();
  matcher.region(piece.begin, piece.end, status);
  int32_t covered = piece.begin;
  while (U_SUCCESS(status) && matcher.find(status)) {
    const int32_t begin = matcher.start(status), end = matcher.end(status);
    if (begin > covered)
      matches.push_back({covered, begin, false});
    matches.push_back({begin, end, true});
    covered = end;
  }
  if (covered < piece.end)
    matches.push_back({covered, piece.end, false});
}

/// Appends what the matches become to the next pieces.
void Splitting::join(SplitBehavior behavior) {
  const size_t first = next.size();
  if (behavior == SplitBehavior::MergedWithNext)
    std::ranges::reverse(matches);
  bool isBehindMatch = false;
  for (const Match &match : matches) {
    const bool extends =
        next.size() > first && (behavior == SplitBehavior::Contiguous
                                    ? match.counts == isBehindMatch
                                    : match.counts && !isBehindMatch &&
                                          (behavior == SplitBehavior::MergedWithPrevious ||
                                           behavior == SplitBehavior::MergedWithNext));
    isBehindMatch = match.counts;
    if (extends) {
      next.back().begin = std::min(next.back().begin, match.begin);
      next.back().end = std::max(next.back().end, match.end);
    } else if (behavior == SplitBehavior::Removed && match.counts) {
      isChanged |= match.end > match.begin;
    } else {
      next.push_back({match.begin, match.end});
    }
  }
  if (behavior == SplitBehavior::MergedWithNext)
    std::reverse(next.begin() + int64_t(first), next.end());
}

Status Splitting::apply(const SplitStep &step, const icu::RegexPattern &pattern) {
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<icu::RegexMatcher> matcher(pattern.matcher(units, status));
  if (U_SUCCESS(status)) {
    matcher->setStackLimit(maxStackBytes, status);
    matcher->setMatchCallback(spend, &reports, status);
  }
  next.clear();
  for (size_t i = 0; i < pieces.size() && U_SUCCESS(status); ++i) {
    findMatches(*matcher, pieces[i], status);
    for (Match &match : matches)
      match.counts ^= step.isInverted;
    join(step.behavior);
  }
  if (U_FAILURE(status))
    return fail("{}: ICU gives up on a text of {} bytes ({})", step.name,
                byteLength(units.getBuffer(), 0, units.length()),
                status == U_REGEX_STOPPED_BY_CALLER ? "the pattern backtracks too often"
                                                    : u_errorName(status));
  std::erase_if(next, [](Piece piece) { return piece.begin == piece.end; });
  pieces.swap(next);
  return {};
}

Status Splitting::rebuild(icu::UnicodeString changed, std::vector<Piece> changedPieces) {
  if (changed.isBogus() || size_t(changed.length()) > limit)
    return fail("text has more than {} bytes when pre-tokenized", limit);
  units = std::move(changed);
  pieces = std::move(changedPieces);
  isChanged = true;
  return {};
}

Status Splitting::apply(const PrefixStep &step) {
  const icu::UnicodeString prefix = icu::UnicodeString::fromUTF8(step.text);
  icu::UnicodeString changed;
  std::vector<Piece> changedPieces;
  for (const Piece &piece : pieces) {
    const icu::UnicodeString text = units.tempSubStringBetween(piece.begin, piece.end);
    const int32_t begin = changed.length();
    if (!text.startsWith(prefix) && (!step.onlyAtStart || (isAtStart && piece.begin == 0)))
      changed.append(prefix);
    changedPieces.push_back({begin, changed.append(text).length()});
  }
  return rebuild(std::move(changed), std::move(changedPieces));
}

Status Splitting::apply(const ReplaceStep &step) {
  const icu::UnicodeString from = icu::UnicodeString::fromUTF8(step.from),
                           to = icu::UnicodeString::fromUTF8(step.to);
  icu::UnicodeString changed;
  std::vector<Piece> changedPieces;
  for (const Piece &piece : pieces) {
    const int32_t start = changed.length();
    int32_t begin = piece.begin;
    for (int32_t found;
         (found = units.indexOf(from, begin, piece.end - begin)) >= 0 && !changed.isBogus();
         begin = found + from.length())
      changed.append(units, begin, found - begin).append(to);
    changed.append(units, begin, piece.end - begin);
    changedPieces.push_back({start, changed.length()});
  }
  return rebuild(std::move(changed), std::move(changedPieces));
}

void Splitting::finish(std::string &text, std::vector<size_t> &lengths) const {
  icu::UnicodeString left;
  for (const Piece &piece : pieces) {
    lengths.push_back(byteLength(units.getBuffer(), piece.begin, piece.end));
    if (isChanged)
      left.append(units, piece.begin, piece.end - piece.begin);
  }
  if (isChanged)
    text = toUtf8(left);
}

Status PreTokenizer::split(std::string &text, std::vector<size_t> &lengths, bool isAtStart) const {
  if (text.empty())
    return {};
  if (text.size() > maxTextBytes)
    return fail("text has {} bytes, at most {} can be tokenized at once: split it", text.size(),
                maxTextBytes);
  Splitting splitting(text, isAtStart);
  for (const Step &step : *steps) {
    Status status = std::visit(
        [&](const auto &data) {
          if constexpr (std::is_same_v<std::decay_t<decltype(data)>, SplitStep>)
            return splitting.apply(data, *step.pattern);
          else
            return splitting.apply(data);
        },
        step.data);
    if (!status)
      return status;
  }
  splitting.finish(text, lengths);
  return {};
}

} // namespace llmir
