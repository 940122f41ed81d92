// See the header.
#include "llmir/formats/tokenizer/JsonNode.h"

namespace llmir {

using Json = nlohmann::json;

static constexpr size_t maxBytes = size_t(256) << 20;
static constexpr size_t maxDepth = 64;
static constexpr size_t maxValues = 4'000'000, maxElements = 1'000'000;

namespace {

/// Builds the document while nlohmann's parser reads it. Its own builder keeps the last of equal
/// keys, and takes quadratic time where it may be asked to look at them.
class Builder : public nlohmann::json_sax<Json> {
public:
  explicit Builder(std::string_view document) : document(document) {}

  Json root;
  std::string refusal; // why the parser stopped

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(int64_t value) override { return add(value); }
  bool number_unsigned(uint64_t value) override { return add(value); }
  bool number_float(double value, const std::string &) override { return add(value); }
  bool string(std::string &value) override { return add(std::move(value)); }
  bool binary(Json::binary_t &) override { return refuse("is no text"); }
  bool start_object(size_t) override { return open(Json::value_t::object); }
  bool start_array(size_t) override { return open(Json::value_t::array); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(std::string &name) override {
    auto [member, isNew] = parents.back()->get_ref<Json::object_t &>().try_emplace(name);
    place = &member->second;
    return isNew || refuse(fmt::format("the key '{}' stands twice in an object", shownText(name)));
  }

  bool parse_error(size_t byte, const std::string &, const Json::exception &error) override {
    return refuse(error.id == 406 ? std::string("is no JSON: a number is out of range")
                                  : fmt::format("is no JSON at byte {}", byte));
  }

private:
  bool refuse(std::string_view reason) {
    refusal = fmt::format("{}: {}", document, reason);
    return false;
  }

  template <typename T> bool add(T &&value) {
    if (++count > maxValues)
      return refuse(fmt::format("has more than {} values", maxValues));
    if (!parents.empty() && parents.back()->is_array())
      place = &parents.back()->get_ref<Json::array_t &>().emplace_back(std::forward<T>(value));
    else
      *place = Json(std::forward<T>(value));
    return true;
  }

  bool open(Json::value_t type) {
    if (parents.size() == maxDepth)
      return refuse(fmt::format("is nested more than {} levels deep", maxDepth));
    if (!add(type))
      return false;
    parents.push_back(place);
    return true;
  }

  bool close() {
    parents.pop_back();
    return true;
  }

  std::string_view document;
  size_t count = 0;
  std::vector<Json *> parents; // the objects and arrays that are open
  Json *place = &root;         // of the next value in an object, and of the last one in an array
};

} // namespace

Expected<Json> parseJson(std::string_view text, std::string_view document) {
  if (text.size() > maxBytes)
    return fail("{}: has {} bytes, at most {} are allowed", document, text.size(), maxBytes);
  Builder builder(document);
  if (!Json::sax_parse(text, &builder))
    return fail("{}", builder.refusal);
  return std::move(builder.root);
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
