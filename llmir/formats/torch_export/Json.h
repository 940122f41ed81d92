// Typed reading of the JSON in an archive: a place in a document that knows its path, so that an
// error says "graph_module.graph.nodes[3].target is 7, expected a string".
#pragma once

#include "llmir/support/Error.h"
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>

namespace llmir::torch_export {

/// Thrown by Place and caught by the functions of this folder that are called from outside; the
/// JSON is deep, and a document is read whole or not at all.
struct WrongJson {
  Error error;
};

class Place {
public:
  Place(const nlohmann::json &value, std::string path) : value(value), path(std::move(path)) {}

  Place operator[](const char *field) const; ///< must be there
  Place at(size_t index) const;              ///< precondition: index < size()
  bool has(const char *field) const;         ///< there and not null
  size_t size() const;                       ///< of a list
  /// The name of the one field of a union, whose other fields are absent or null.
  std::string unionTag() const;

  const std::string &text() const;
  int64_t integer(int64_t least = INT64_MIN, int64_t most = INT64_MAX) const;
  double number() const; ///< "Infinity", "-Infinity" and "NaN" are numbers
  bool flag() const;
  const nlohmann::json::object_t &object() const;

  [[noreturn]] void wrong(std::string_view expected) const;

  const nlohmann::json &value;
  std::string path;
};

/// The document, which is an object. Errors: no JSON, deeper than 64.
Expected<nlohmann::json> parseJson(std::span<const uint8_t> bytes, const std::string &name,
                                   size_t maxBytes);

} // namespace llmir::torch_export
