// See the header.
#include "llmir/formats/tokenizer/JsonNode.h"

#include <unicode/utf8.h>
#include <unordered_set>

namespace llmir {

using Json = nlohmann::json;

static constexpr size_t maxBytes = size_t(256) << 20;
static constexpr int maxDepth = 64;
static constexpr size_t maxValues = 8'000'000, maxElements = 1'000'000;

namespace {
/// Ends the parsing from inside nlohmann's parser, which knows no other way.
struct Refusal {
  std::string message;
};

/// Looks on while the document is parsed.
class Watch {
public:
  explicit Watch(std::string_view document) : document(document) {}

  bool operator()(int depth, Json::parse_event_t event, Json &value) {
    if (depth > maxDepth)
      throw Refusal{fmt::format("{}: is nested more than {} levels deep", document, maxDepth)};
    if (++count > maxValues)
      throw Refusal{fmt::format("{}: has more than {} values", document, maxValues)};
    if (event == Json::parse_event_t::object_start)
      keys.emplace_back();
    else if (event == Json::parse_event_t::object_end)
      keys.pop_back();
    else if (event == Json::parse_event_t::key &&
             !keys.back().insert(value.get_ref<const std::string &>()).second)
      throw Refusal{
          fmt::format("{}: the key {} stands twice in an object", document, shownJson(value))};
    return true;
  }

private:
  std::string_view document;
  size_t count = 0;
  std::vector<std::unordered_set<std::string>> keys; // of the objects that are open
};
} // namespace

Expected<Json> parseJson(std::string_view text, std::string_view document) {
  if (text.size() > maxBytes)
    return fail("{}: has {} bytes, at most {} are allowed", document, text.size(), maxBytes);
  Watch watch(document);
  try {
    return Json::parse(text, std::ref(watch));
  } catch (const Refusal &refusal) {
    return fail("{}", refusal.message);
  } catch (const Json::parse_error &error) {
    return fail("{}: is no JSON at byte {}", document, error.byte);
  } catch (const Json::exception &) { // a number out of all ranges
    return fail("{}: is no JSON: a number has no finite value", document);
  }
}

std::string shownText(std::string_view text) {
  size_t length = std::min<size_t>(text.size(), 60);
  U8_TRUNCATE_IF_INCOMPLETE(text.data(), 0, length);
  std::string line;
  for (char c : text.substr(0, length))
    line += uint8_t(c) < 0x20 || c == 0x7F ? '?' : c;
  return length < text.size() ? line + "..." : line;
}

std::string shownJson(const Json &value) {
  if (value.is_object() || value.is_array())
    return value.is_object() ? "an object" : "an array";
  if (value.is_string())
    return fmt::format("'{}'", shownText(value.get_ref<const std::string &>()));
  return value.dump();
}

std::string JsonNode::place(std::string_view key) const {
  const bool isDocument = where.find(": ") == std::string::npos;
  return fmt::format("{}{}{}", where, isDocument ? ": " : ".", key);
}

Expected<std::optional<JsonNode>> JsonNode::find(std::string_view key) const {
  if (!json->is_object())
    return fail("{} is {}, an object is needed", where, shownJson(*json));
  auto member = json->find(key);
  if (member == json->end() || member->is_null())
    return std::nullopt;
  return JsonNode(*member, place(key));
}

Expected<JsonNode> JsonNode::get(std::string_view key, std::string_view expected) const {
  auto found = find(key);
  if (!found)
    return forward(found);
  if (!*found)
    return fail("{} is missing: {} is needed", place(key), expected);
  return std::move(**found);
}

static tl::unexpected<Error> otherType(const JsonNode &node, std::string_view expected) {
  return fail("{} is {}, {} is needed", node.place(), shownJson(node.value()), expected);
}

Expected<JsonNode> JsonNode::getObject(std::string_view key) const {
  auto node = get(key, "an object");
  if (node && !node->json->is_object())
    return otherType(*node, "an object");
  return node;
}

Expected<std::vector<JsonNode>> JsonNode::getArray(std::string_view key) const {
  auto node = get(key, "an array");
  if (!node)
    return forward(node);
  if (!node->json->is_array())
    return otherType(*node, "an array");
  if (node->json->size() > maxElements)
    return fail("{} has {} elements, at most {} are allowed", node->where, node->json->size(),
                maxElements);
  std::vector<JsonNode> elements;
  for (size_t i = 0; i < node->json->size(); ++i)
    elements.emplace_back((*node->json)[i], fmt::format("{}[{}]", node->where, i));
  return elements;
}

Expected<std::string> JsonNode::getString(std::string_view key) const {
  auto node = get(key, "a string");
  if (!node)
    return forward(node);
  if (!node->json->is_string())
    return otherType(*node, "a string");
  return node->json->get<std::string>();
}

Expected<std::optional<std::string>> JsonNode::findString(std::string_view key) const {
  auto node = find(key);
  if (!node)
    return forward(node);
  if (!*node)
    return std::nullopt;
  if (!(*node)->json->is_string())
    return otherType(**node, "a string");
  return (*node)->json->get<std::string>();
}

Expected<bool> JsonNode::findBool(std::string_view key, bool otherwise) const {
  auto node = find(key);
  if (!node)
    return forward(node);
  if (!*node)
    return otherwise;
  if (!(*node)->json->is_boolean())
    return otherType(**node, "true or false");
  return (*node)->json->get<bool>();
}

} // namespace llmir
