// Chat templates from C++: parse once, render with limits, one-line errors with the template's
// line. Agreement with jinja2 is test/e2e/test_chat_template_oracle.py's part.
#include "llmir/formats/chat_template/ChatTemplate.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>

using namespace llmir;
using nlohmann::ordered_json;
using testing::HasSubstr;

namespace {

std::string render(std::string_view source, const ordered_json &context = ordered_json::object(),
                   ChatTemplate::Limits limits = {}) {
  Expected<ChatTemplate> parsed = ChatTemplate::parse(source);
  if (!parsed)
    return "error: " + parsed.error().message;
  Expected<std::string> text = parsed->render(context, limits);
  return text ? *text : "error: " + text.error().message;
}

TEST(ChatTemplate, RendersAConversation) {
  const char *source = "{% for m in messages %}\n<|{{ m.role }}|>{{ m['content'] | trim }}\n"
                       "{% endfor %}\n{% if add_generation_prompt %}<|assistant|>{% endif %}\n";
  const ordered_json context = {{"messages", {{{"role", "user"}, {"content", " Hi "}}}},
                                {"add_generation_prompt", true}};
  EXPECT_EQ(render(source, context), "<|user|>Hi\n<|assistant|>");
}

TEST(ChatTemplate, OneTemplateRendersManyTimes) {
  ChatTemplate parsed = *ChatTemplate::parse("{% set n = n + 1 %}{{ n }}");
  EXPECT_EQ(*parsed.render({{"n", 1}}), "2");
  EXPECT_EQ(*parsed.render({{"n", 1}}), "2");
}

TEST(ChatTemplate, ErrorsNameTheLine) {
  EXPECT_THAT(render("a\n{{ b.c }}"), HasSubstr("line 2: 'b' is undefined"));
  EXPECT_THAT(render("\n\n{% for %}"), HasSubstr("line 3"));
  EXPECT_THAT(render("{% if x %}"), HasSubstr("{% endif %} is missing"));
  EXPECT_THAT(render("{{ raise_exception('a\nb') }}"), HasSubstr("refuses: a b"));
  EXPECT_THAT(render("", ordered_json::array()), HasSubstr("must be an object"));
}

TEST(ChatTemplate, LimitsHold) {
  EXPECT_THAT(
      render("{% for i in range(100) %}{% endfor %}", ordered_json::object(), {.steps = 50}),
      HasSubstr("more than 50 steps"));
  EXPECT_THAT(render("abcdef", ordered_json::object(), {.outputBytes = 3}),
              HasSubstr("longer than 3 bytes"));
  EXPECT_THAT(render("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"), HasSubstr("deeper than"));
  EXPECT_EQ(render("{{ ''.__class__ is defined }}"), "False");
}

// Damaged templates must give a text or an error, nothing else.
TEST(ChatTemplate, DamagedTemplatesAreErrors) {
  const std::string source =
      "{%- macro f(a, b=[1, {'k': 'v'}]) -%}{{ a | tojson(indent=2) }}{%- endmacro -%}"
      "{% set ns = namespace(x=0) %}{% for m, n in d.items() if m is string %}{{ f(m[1:-1]) ~ n }}"
      "{% set ns.x = ns.x + 1 %}{% else %}{{ 1 if x is not defined else 'y' }}{% endfor %}{# c #}"
      "{% raw %}{{ r }}{% endraw %}{% call(q) f(2) %}x{% endcall %}{% set t %}u{% endset %}";
  const ordered_json context = {{"d", {{"abc", 1}, {"de", nullptr}}}};
  std::mt19937 random(5);
  const std::string bytes = source + "\"'(){}[]%#-|~\n\xFF";
  for (int round = 0; round < 4000; ++round) {
    std::string damaged = source;
    for (unsigned i = random() % 4 + 1; i > 0; --i) {
      const size_t at = random() % damaged.size();
      if (random() % 3 == 0)
        damaged.erase(at, random() % 5 + 1);
      else
        damaged.insert(at, 1, bytes[random() % bytes.size()]);
    }
    render(damaged, context, {.steps = 20000, .outputBytes = 1 << 16});
  }
  for (size_t length = 0; length < source.size(); ++length)
    render(source.substr(0, length), context);
}

} // namespace
