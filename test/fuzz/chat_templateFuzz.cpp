// Chat templates: parsing and rendering end within their limits, with a text or one line.
#include "Fuzz.h"

#include "llmir/formats/chat_template/ChatTemplate.h"

using namespace llmir;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const nlohmann::ordered_json context = {
      {"messages",
       {{{"role", "system"}, {"content", "Be brief."}}, {{"role", "user"}, {"content", "Hi"}}}},
      {"tools", nlohmann::ordered_json::array({{{"name", "clock"}, {"parameters", {{"n", 1.5}}}}})},
      {"add_generation_prompt", true},
      {"bos_token", "<s>"},
      {"eos_token", "</s>"}};
  auto parsed = ChatTemplate::parse(asText(data, size));
  if (!parsed)
    return 0;
  const ChatTemplate::Limits limits{.steps = 20'000, .outputBytes = 1 << 16, .callDepth = 60};
  if (auto text = parsed->render(context, limits))
    require(text->size() <= limits.outputBytes);
  return 0;
}
