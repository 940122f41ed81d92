// Chat templates: the Jinja that model files carry, run by a small interpreter with limits and
// without any access beyond the context it is given. Output equals jinja2's as transformers sets it
// up (trim_blocks, lstrip_blocks).
#pragma once

#include "llmir/support/Error.h"
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace llmir {

struct TemplateBody;

class ChatTemplate {
public:
  /// What a template may use up; more is an error that names the line.
  struct Limits {
    uint64_t steps = 5'000'000;     // evaluated nodes, loop rounds and blocks of 64 bytes made
    size_t outputBytes = 16u << 20; // also of any one string
    int callDepth = 60;             // macros inside macros
  };

  /// Errors: syntax, with the line; nesting deeper than 200; more than 1 MiB of source.
  static Expected<ChatTemplate> parse(std::string_view source);

  /// `context` is an object: messages, tools, add_generation_prompt, bos_token, eos_token, ...
  /// Errors: raise_exception's message, wrong types, undefined values used, limits; all with the
  /// template's line.
  Expected<std::string> render(const nlohmann::ordered_json &context, const Limits &limits) const;
  Expected<std::string> render(const nlohmann::ordered_json &context) const {
    return render(context, Limits());
  }

private:
  std::shared_ptr<const TemplateBody> body;
};

} // namespace llmir
