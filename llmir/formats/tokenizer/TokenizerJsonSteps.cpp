// The steps of a tokenizer.json that a text goes through before it is merged: normalizer and
// pre_tokenizer.
#include "llmir/formats/tokenizer/OnigurumaPattern.h"
#include "llmir/formats/tokenizer/TokenizerJson.h"

#include "llmir/formats/tokenizer/PreTokenizer.h"

namespace llmir {

using nlohmann::json;

static constexpr size_t maxSteps = 64, maxTextLength = 64, maxPatternLength = size_t(64) << 10;

/// A text that is put into others.
static Expected<std::string> shortText(const JsonNode &node, std::string_view key) {
  auto text = node.getString(key);
  if (text && text->size() > maxTextLength)
    return fail("{} has {} bytes, at most {} are allowed", node.place(key), text->size(),
                maxTextLength);
  return text;
}

template <typename Enum> struct Named {
  std::string_view name;
  Enum value;
};

/// One of a table of names; where none is given, `otherwise`.
template <typename Enum, size_t count>
static Expected<Enum> choose(const JsonNode &node, std::string_view key,
                             const Named<Enum> (&table)[count],
                             std::optional<Enum> otherwise = std::nullopt) {
  if (otherwise && !node.value().contains(key))
    return *otherwise;
  auto name = node.getString(key);
  if (!name)
    return forward(name);
  std::string known;
  for (const Named<Enum> &row : table) {
    if (row.name == *name)
      return row.value;
    known += (known.empty() ? "" : ", ") + std::string(row.name);
  }
  return fail("{} is '{}', which is not supported; known: {}", node.place(key), shownText(*name),
              known);
}

/// Reads a step, or all of a sequence.
template <typename Read>
static Status readSteps(const JsonNode &node, std::string_view elements, Read read) {
  auto type = node.getString("type");
  if (!type)
    return forward(type);
  if (*type != "Sequence")
    return read(node);
  auto inner = node.getArray(elements);
  if (!inner)
    return forward(inner);
  for (const JsonNode &step : *inner)
    if (Status status = readSteps(step, elements, read); !status)
      return status;
  return {};
}

enum class NormalizerType { Nfc, Nfd, Nfkc, Nfkd, Prepend, Replace };

static Expected<NormalizerStep> normalizerStep(const JsonNode &node) {
  static constexpr Named<NormalizerType> types[] = {
      {"NFC", NormalizerType::Nfc},         {"NFD", NormalizerType::Nfd},
      {"NFKC", NormalizerType::Nfkc},       {"NFKD", NormalizerType::Nfkd},
      {"Prepend", NormalizerType::Prepend}, {"Replace", NormalizerType::Replace}};
  auto type = choose(node, "type", types);
  if (!type)
    return forward(type);
  switch (*type) {
  case NormalizerType::Nfc:
    return UnicodeForm::Nfc;
  case NormalizerType::Nfd:
    return UnicodeForm::Nfd;
  case NormalizerType::Nfkc:
    return UnicodeForm::Nfkc;
  case NormalizerType::Nfkd:
    return UnicodeForm::Nfkd;
  case NormalizerType::Prepend: {
    auto text = shortText(node, "prepend");
    return text ? Expected<NormalizerStep>(PrependStep{*text}) : forward(text);
  }
  case NormalizerType::Replace:
    break;
  }
  auto pattern = node.getObject("pattern");
  if (!pattern)
    return forward(pattern);
  auto from = shortText(*pattern, "String"); // and no Regex
  auto to = shortText(node, "content");
  if (!from || !to)
    return from ? forward(to) : forward(from);
  if (from->empty())
    return fail("{} is empty, a text to replace is needed", pattern->place("String"));
  return ReplaceStep{*from, *to};
}

Status readJsonNormalizer(const JsonNode &root, BpePipeline &pipeline) {
  auto normalizer = root.find("normalizer");
  if (!normalizer || !*normalizer)
    return normalizer ? Status() : forward(normalizer);
  return readSteps(**normalizer, "normalizers", [&](const JsonNode &node) -> Status {
    auto step = normalizerStep(node);
    if (!step)
      return forward(step);
    pipeline.normalizer.push_back(std::move(*step));
    if (pipeline.normalizer.size() > maxSteps)
      return fail("{}: more than {} steps are not supported", node.place(), maxSteps);
    return {};
  });
}

enum class PreTokenizerType { ByteLevel, Split, Digits, Punctuation, Metaspace };

static constexpr Named<SplitBehavior> behaviors[] = {
    {"Isolated", SplitBehavior::Isolated},
    {"Removed", SplitBehavior::Removed},
    {"Contiguous", SplitBehavior::Contiguous},
    {"MergedWithPrevious", SplitBehavior::MergedWithPrevious},
    {"MergedWithNext", SplitBehavior::MergedWithNext}};

using Steps = std::vector<PreTokenizerStep>;

static Status readByteLevel(const JsonNode &node, Steps &steps) {
  auto addsPrefix = node.findBool("add_prefix_space", true),
       usesRegex = node.findBool("use_regex", true);
  if (!addsPrefix || !usesRegex)
    return addsPrefix ? forward(usesRegex) : forward(addsPrefix);
  if (*addsPrefix)
    steps.emplace_back(PrefixStep{" "});
  if (*usesRegex)
    for (PreTokenizerStep &step : stepsOf(**findPreTokenizer("gpt-2")))
      steps.push_back(std::move(step));
  return {};
}

static Status readSplit(const JsonNode &node, Steps &steps) {
  auto pattern = node.getObject("pattern");
  if (!pattern)
    return forward(pattern);
  SplitStep step;
  step.name = node.place();
  step.isLiteral = pattern->value().contains("String");
  auto text = pattern->getString(step.isLiteral ? "String" : "Regex");
  if (!text)
    return forward(text);
  if (text->empty() || text->size() > maxPatternLength)
    return fail("{} has {} bytes, 1 to {} are allowed", pattern->place(), text->size(),
                maxPatternLength);
  auto translated = step.isLiteral ? *text : toIcuPattern(*text);
  if (!translated)
    return forward(translated, fmt::format("{}: the pattern {}", node.place(), shownText(*text)));
  step.pattern = std::move(*translated);
  auto behavior = choose(node, "behavior", behaviors);
  auto isInverted = node.findBool("invert", false);
  if (!behavior || !isInverted)
    return behavior ? forward(isInverted) : forward(behavior);
  step.behavior = *behavior;
  step.isInverted = *isInverted;
  steps.emplace_back(std::move(step));
  return {};
}

static Status readDigits(const JsonNode &node, Steps &steps) {
  auto areIndividual = node.findBool("individual_digits", false);
  if (!areIndividual)
    return forward(areIndividual);
  steps.emplace_back(
      SplitStep{.pattern = "\\p{N}",
                .behavior = *areIndividual ? SplitBehavior::Isolated : SplitBehavior::Contiguous,
                .name = node.place()});
  return {};
}

static Status readPunctuation(const JsonNode &node, Steps &steps) {
  auto behavior = choose(node, "behavior", behaviors, std::optional(SplitBehavior::Isolated));
  if (!behavior)
    return forward(behavior);
  steps.emplace_back(
      SplitStep{.pattern = "[\\p{P}$+<=>\\^`|~]", .behavior = *behavior, .name = node.place()});
  return {};
}

static Status readMetaspace(const JsonNode &node, Steps &steps) {
  enum class Scheme { Always, First, Never };
  static constexpr Named<Scheme> schemes[] = {
      {"always", Scheme::Always}, {"first", Scheme::First}, {"never", Scheme::Never}};
  auto mark = shortText(node, "replacement");
  auto splits = node.findBool("split", true),
       addsPrefix = node.findBool("add_prefix_space", true); // of older files
  auto scheme = choose(node, "prepend_scheme", schemes, std::optional(Scheme::Always));
  if (!mark || !splits || !addsPrefix || !scheme)
    return !mark         ? forward(mark)
           : !splits     ? forward(splits)
           : !addsPrefix ? forward(addsPrefix)
                         : forward(scheme);
  if (mark->empty())
    return fail("{} is empty, a character is needed", node.place("replacement"));
  steps.emplace_back(ReplaceStep{" ", *mark});
  if (*addsPrefix && *scheme != Scheme::Never)
    steps.emplace_back(PrefixStep{*mark, *scheme == Scheme::First});
  if (*splits)
    steps.emplace_back(SplitStep{.pattern = *mark,
                                 .isLiteral = true,
                                 .behavior = SplitBehavior::MergedWithNext,
                                 .name = node.place()});
  return {};
}

static Status readPreTokenizerStep(const JsonNode &node, BpePipeline &pipeline) {
  static constexpr Named<PreTokenizerType> types[] = {
      {"ByteLevel", PreTokenizerType::ByteLevel},
      {"Split", PreTokenizerType::Split},
      {"Digits", PreTokenizerType::Digits},
      {"Punctuation", PreTokenizerType::Punctuation},
      {"Metaspace", PreTokenizerType::Metaspace}};
  auto type = choose(node, "type", types);
  if (!type)
    return forward(type);
  Steps &steps = pipeline.preTokenizer;
  if (pipeline.isByteLevel) // it would see the byte alphabet
    return fail("{} stands behind ByteLevel, which is not supported", node.place());
  if (steps.size() >= maxSteps)
    return fail("{}: more than {} steps are not supported", node.place(), maxSteps);
  switch (*type) {
  case PreTokenizerType::ByteLevel:
    pipeline.isByteLevel = true;
    return readByteLevel(node, steps);
  case PreTokenizerType::Split:
    return readSplit(node, steps);
  case PreTokenizerType::Digits:
    return readDigits(node, steps);
  case PreTokenizerType::Punctuation:
    return readPunctuation(node, steps);
  case PreTokenizerType::Metaspace:
    return readMetaspace(node, steps);
  }
  return {};
}

Status readJsonPreTokenizer(const JsonNode &root, BpePipeline &pipeline) {
  pipeline.isByteLevel = false;
  auto preTokenizer = root.find("pre_tokenizer");
  if (!preTokenizer || !*preTokenizer)
    return preTokenizer ? Status() : forward(preTokenizer);
  return readSteps(**preTokenizer, "pretokenizers",
                   [&](const JsonNode &node) { return readPreTokenizerStep(node, pipeline); });
}

} // namespace llmir
