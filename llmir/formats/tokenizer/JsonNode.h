// A value of a JSON document and where it stands in it: typed access whose errors name the place,
// as in `tokenizer.json: model.vocab is missing: an object is needed`.
#pragma once

#include "llmir/formats/tokenizer/ShownText.h"
#include "llmir/support/Error.h"
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace llmir {

/// Errors: no JSON, a key twice in an object, more than 256 MiB, 64 levels or 4 million values.
Expected<nlohmann::json> parseJson(std::string_view text, std::string_view document);

class JsonNode {
public:
  /// `place` is the name of the document at its root.
  JsonNode(const nlohmann::json &value, std::string place)
      : json(&value), where(std::move(place)) {}

  const nlohmann::json &value() const { return *json; }

  /// The document and the path to the value.
  const std::string &place() const { return where; }
  std::string place(std::string_view key) const;

  // Members of an object; arrays have at most a million elements. The get functions fail where the
  // member is missing or of another type, the find functions give nothing for a missing one or
  // null.
  Expected<std::optional<JsonNode>> find(std::string_view key) const;
  Expected<JsonNode> getObject(std::string_view key) const;
  Expected<std::vector<JsonNode>> getArray(std::string_view key) const;
  Expected<std::string> getString(std::string_view key) const;
  Expected<std::optional<std::string>> findString(std::string_view key) const;
  Expected<bool> findBool(std::string_view key, bool otherwise) const;

private:
  Expected<JsonNode> get(std::string_view key, std::string_view expected) const;

  const nlohmann::json *json;
  std::string where;
};

/// A value as it may stand in a message: one line, short.
std::string shownJson(const nlohmann::json &value);

} // namespace llmir
