// A header is {NAME: {"dtype": T, "shape": [N, …], "data_offsets": [BEGIN, END]}, …}, where the
// name __metadata__ has an object of strings instead. The depth tells where the reader is.
#include "llmir/formats/safetensors/HeaderReader.h"

#include "llmir/support/Shown.h"
#include <nlohmann/json.hpp>
#include <unordered_set>

namespace llmir {

namespace {

constexpr size_t maxDimensions = 32;
constexpr std::string_view metadataName = "__metadata__";

class Reader : public nlohmann::json_sax<nlohmann::json> {
public:
  std::vector<HeaderEntry> entries;
  std::string problem; ///< what is wrong, when a call has returned false

  bool null() override { return unexpected("null"); }
  bool boolean(bool) override { return unexpected("a bool"); }
  bool number_integer(number_integer_t value) override {
    return unexpected(fmt::format("{}", value)); // only negative ones come here
  }
  bool number_float(number_float_t value, const string_t &) override {
    return unexpected(fmt::format("{}", value));
  }
  bool binary(binary_t &) override { return unexpected("binary data"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (depth != 3)
      return unexpected(fmt::format("{}", value));
    std::vector<uint64_t> &list = field == "shape" ? entries.back().shape : entries.back().offsets;
    if (list.size() == (field == "shape" ? maxDimensions : 2))
      return fails("{} has more than {} numbers", place(), list.size());
    list.push_back(value);
    return true;
  }

  bool string(string_t &value) override {
    if (inMetadata && depth == 2)
      return true;
    if (depth != 2 || field != "dtype")
      return unexpected("a string");
    entries.back().type = value;
    return true;
  }

  bool start_object(size_t) override {
    if (depth > 1)
      return unexpected("an object");
    ++depth;
    return true;
  }

  bool key(string_t &name) override {
    if (depth == 1) {
      if (!names.insert(name).second)
        return fails("tensor '{}' appears twice, once is allowed", shown(name));
      inMetadata = name == metadataName;
      field.clear();
      seen = 0;
      if (!inMetadata)
        entries.push_back({.name = name, .type = {}, .shape = {}, .offsets = {}});
      return true;
    }
    if (inMetadata)
      return true;
    const int bit = name == "dtype" ? 1 : name == "shape" ? 2 : name == "data_offsets" ? 4 : 0;
    field = name;
    if (!bit || (seen & bit))
      return fails("{} {}; dtype, shape and data_offsets are needed, each once", place(),
                   bit ? "appears twice" : "is not known");
    seen |= bit;
    return true;
  }

  bool end_object() override {
    --depth;
    if (depth == 0 || inMetadata)
      return true;
    field.clear();
    if (seen != 7)
      return fails("tensor '{}' has no {}", shown(entries.back().name),
                   !(seen & 1)   ? "dtype"
                   : !(seen & 2) ? "shape"
                                 : "data_offsets");
    if (entries.back().offsets.size() != 2)
      return fails("tensor '{}' has a field data_offsets of {} numbers, begin and end are needed",
                   shown(entries.back().name), entries.back().offsets.size());
    return true;
  }

  bool start_array(size_t) override {
    if (depth != 2 || inMetadata || field == "dtype")
      return unexpected("a list");
    ++depth;
    return true;
  }
  bool end_array() override {
    --depth;
    return true;
  }

  bool parse_error(size_t position, const std::string &,
                   const nlohmann::detail::exception &) override {
    return fails("the header is not JSON at its byte {}", position);
  }

private:
  template <typename... Args> bool fails(fmt::format_string<Args...> format, Args &&...args) {
    problem = fmt::format(format, std::forward<Args>(args)...);
    return false;
  }
  std::string place() const {
    if (depth == 0 || names.empty())
      return "the header";
    if (inMetadata)
      return std::string(metadataName);
    return fmt::format("tensor '{}'{}", shown(entries.back().name),
                       field.empty() ? "" : ": field " + shown(field));
  }
  bool unexpected(const std::string &what) {
    const char *expected = depth < 2          ? "an object"
                           : inMetadata       ? "a string"
                           : depth == 3       ? "an integer that is not negative"
                           : field == "dtype" ? "a string"
                                              : "a list of integers";
    return fails("{} is or holds {}, expected {}", place(), what, expected);
  }

  int depth = 0; ///< 1: at names, 2: at fields, 3: in a list
  std::unordered_set<std::string> names;
  bool inMetadata = false;
  std::string field; ///< of the tensor that is being read
  int seen = 0;      ///< its fields so far: 1 dtype, 2 shape, 4 data_offsets
};

} // namespace

Expected<std::vector<HeaderEntry>> readSafetensorsHeader(std::string_view json) {
  Reader reader;
  if (!nlohmann::json::sax_parse(json, &reader))
    return fail("{}", reader.problem);
  return std::move(reader.entries);
}

} // namespace llmir
