// `llmir tokenize`: text to token ids, on one line.
#include "llmir/cli/Commands.h"
#include "llmir/cli/Options.h"
#include <fmt/ranges.h>

namespace llmir {

namespace {

class TokenizeCommand : public Command {
  void declare(CommandSpec &spec) override {
    spec.name = "tokenize";
    spec.summary = "Print the token ids of a text";
    spec.examples = {"llmir tokenize model.gguf --text 'Hello, world'"};
    addModel(spec.options, model);
    spec.options.add("text", &text, "The text; special tokens in it count as such").required();
  }

  Status run(const CommandContext &) override {
    auto loaded = loadText(model);
    if (!loaded)
      return forward(loaded);
    auto ids = loaded->tokenizer.encode(text, {.addBos = true, .parseSpecial = true});
    if (!ids)
      return forward(ids);
    fmt::print("{}\n", fmt::join(*ids, " "));
    return {};
  }

  std::string model, text;
};

} // namespace

std::unique_ptr<Command> makeTokenizeCommand() { return std::make_unique<TokenizeCommand>(); }

} // namespace llmir
