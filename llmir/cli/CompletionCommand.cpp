// `llmir completion`: prints the completion script of a shell.
#include "llmir/cli/Commands.h"
#include "llmir/cli/Completion.h"
#include <cstdio>

namespace llmir {

namespace {

class CompletionCommand : public Command {
  void declare(CommandSpec &spec) override {
    spec.name = "completion";
    spec.summary = "Print a script that completes commands and options";
    spec.examples = {"source <(llmir completion bash)",
                     "llmir completion zsh > ~/.zfunc/_llmir   # a folder of $fpath",
                     "llmir completion fish > ~/.config/fish/completions/llmir.fish"};
    spec.options.positional("SHELL", &shell, "The shell to make it for")
        .choices({"bash", "zsh", "fish"});
  }

  Status run(const CommandContext &context) override {
    std::string script = shell == "bash"  ? bashCompletion(context.program)
                         : shell == "zsh" ? zshCompletion(context.program)
                                          : fishCompletion(context.program);
    writeTo(stdout, script);
    return {};
  }

  std::string shell;
};

} // namespace

std::unique_ptr<Command> makeCompletionCommand() { return std::make_unique<CompletionCommand>(); }

} // namespace llmir
