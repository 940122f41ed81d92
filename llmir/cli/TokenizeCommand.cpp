// `llmir tokenize`: text to token ids, on one line.
#include "llmir/cli/Commands.h"
#include "llmir/driver/Model.h"
#include <fmt/ranges.h>

namespace llmir {

namespace {

void declare(CLI::App &command, Options &options) {
  addModel(command, options);
  command.add_option("--text", options.text, "The text; special tokens in it count as such")
      ->required();
  command.footer("Example:\n  llmir tokenize model.gguf --text 'Hello, world'");
}

Status tokenize(const Options &options) {
  auto model = loadText(options.model);
  if (!model)
    return forward(model);
  auto ids = model->tokenizer.encode(options.text, {.addBos = true, .parseSpecial = true});
  if (!ids)
    return forward(ids);
  fmt::print("{}\n", fmt::join(*ids, " "));
  return {};
}

} // namespace

const Command tokenizeCommand = {"tokenize", "Print the token ids of a text", declare, tokenize};

} // namespace llmir
