// `llmir tokenize`: text to token ids on one line, and back.
#include "llmir/cli/Commands.h"
#include "llmir/cli/Options.h"
#include "llmir/cli/TextFile.h"
#include "llmir/cli/TokenIds.h"
#include "llmir/support/MappedFile.h"
#include <fmt/ranges.h>

namespace llmir {

namespace {

class TokenizeCommand : public Command {
  void declare(CommandSpec &spec) override {
    spec.name = "tokenize";
    spec.summary = "Print the token ids of a text, or the text of token ids";
    spec.details = "Special tokens in the text count as such. The text of ids is printed byte for "
                   "byte, without a newline behind it.";
    spec.examples = {"llmir tokenize model.gguf --text 'Hello, world'",
                     "llmir tokenize model.gguf --file chapter.txt",
                     "llmir tokenize model.gguf --ids 19556,28,905"};
    OptionTable &table = spec.options;
    addModel(table, model);
    table.group("Input, one of");
    table.add("text", &text, "The text").excludes("file").excludes("ids");
    table.add("file", &file, "File with the text").placeholder("FILE").excludes("ids");
    table.add("ids", &ids, "Token ids to print as text").placeholder("1,2,3");
  }

  Status run(const CommandContext &) override {
    if (!text && !file && !ids)
      return fail("tokenize needs a text: give --text TEXT or --file FILE, or --ids IDS");
    auto loaded = loadText(model);
    if (!loaded)
      return forward(loaded);
    const Tokenizer &tokenizer = loaded->tokenizer;
    if (ids) {
      auto tokens = parseTokenIds(*ids, "--ids", tokenizer.vocabSize());
      if (!tokens)
        return forward(tokens);
      return writeText("-", tokenizer.decode(*tokens));
    }
    if (file) {
      auto mapped = MappedFile::open(*file);
      if (!mapped)
        return forward(mapped);
      text.emplace(reinterpret_cast<const char *>(mapped->bytes().data()), mapped->bytes().size());
    }
    auto tokens = tokenizer.encode(*text, {.addBos = true, .parseSpecial = true});
    if (!tokens)
      return forward(tokens);
    printTo(stdout, "{}\n", fmt::join(*tokens, " "));
    return {};
  }

  std::string model;
  std::optional<std::string> text, file, ids;
};

} // namespace

std::unique_ptr<Command> makeTokenizeCommand() { return std::make_unique<TokenizeCommand>(); }

} // namespace llmir
