// Reads the fields of a JSON file that nobody vouches for: each is there, of its type and in range,
// or the error names file, field and value.
#pragma once

#include "llmir/support/Error.h"
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>

namespace llmir::huggingface {

using Json = nlohmann::json;

/// Parses an object. Errors: more than `maxBytes`, no JSON, no object, nested too deep.
Expected<Json> parseObject(std::span<const uint8_t> bytes, const std::string &path,
                           size_t maxBytes);

/// A value as it may stand in an error message.
std::string shownValue(const Json &value);

/// Of one object. The first error stays in `status`; what is given out after it means nothing.
/// null stands for a field that is not there, as in transformers.
class JsonFields {
public:
  /// `prefix` is put before names in errors: "rope_scaling." of an object within another.
  JsonFields(const Json &object, std::string path, Status &status, std::string prefix = "")
      : object(object), path(std::move(path)), prefix(std::move(prefix)), status(status) {}

  /// Null if the field is not there.
  const Json *find(const std::string &key) const;
  /// It is there, and null.
  bool isNull(const std::string &key) const;

  // `absent` is what a missing field means; with nothing, it is an error.
  int64_t integer(const std::string &key, std::optional<int64_t> absent, int64_t least,
                  int64_t most) const;
  /// A positive number that f32 can hold; integers are numbers too.
  double positive(const std::string &key, std::optional<double> absent) const;
  bool flag(const std::string &key, bool absent) const;
  std::string text(const std::string &key, const std::string &absent) const;

  /// The value of a field is not `expected`.
  void wrong(const std::string &key, const Json &value, std::string_view expected) const;
  /// Anything else that is wrong with the file.
  void report(std::string_view what) const;

private:
  const Json *findOr(const std::string &key, bool isOptional) const;

  const Json &object;
  std::string path, prefix;
  Status &status;
};

} // namespace llmir::huggingface
