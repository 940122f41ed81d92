// The border of the interpreter: source to tree, context to values, Failure to Error.
#include "llmir/formats/chat_template/ChatTemplate.h"
#include "llmir/formats/chat_template/Evaluator.h"
#include "llmir/formats/chat_template/Text.h"

namespace llmir {

using namespace jinja;

struct TemplateBody {
  Block block;
};

static constexpr size_t maxSourceBytes = 1u << 20;

static tl::unexpected<Error> failed(const Failure &failure) {
  if (failure.line == 0)
    return fail("chat template: {}", failure.message);
  return fail("chat template, line {}: {}", failure.line, failure.message);
}

Expected<ChatTemplate> ChatTemplate::parse(std::string_view source) {
  if (source.size() > maxSourceBytes)
    return fail("chat template: it has {} bytes, at most {} are allowed", source.size(),
                maxSourceBytes);
  try {
    std::string text = replaceAll(source, "\r\n", "\n", -1, maxSourceBytes);
    text = replaceAll(text, "\r", "\n", -1, maxSourceBytes);
    if (text.ends_with('\n'))
      text.pop_back();
    ChatTemplate result;
    result.body = std::make_shared<TemplateBody>(TemplateBody{parseTemplate(text)});
    return result;
  } catch (const Failure &failure) {
    return failed(failure);
  }
}

Expected<std::string> ChatTemplate::render(const nlohmann::ordered_json &context,
                                           const Limits &limits) const {
  if (!context.is_object())
    return fail("chat template: the context must be an object");
  try {
    Fields globals = globalFunctions();
    for (const auto &[name, value] : context.items())
      globals.emplace_back(name, Value::fromJson(value));
    return Evaluator(limits, std::move(globals)).render(body->block);
  } catch (const Failure &failure) {
    return failed(failure);
  }
}

} // namespace llmir
