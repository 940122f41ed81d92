// `llmir import`: a model file as llm IR, printed by the compiler process.
#include "llmir/cli/Commands.h"
#include "llmir/cli/Options.h"
#include "llmir/driver/CompilerProcess.h"

namespace llmir {

namespace {

class ImportCommand : public Command {
  void declare(CommandSpec &spec) override {
    spec.name = "import";
    spec.summary = "Print a model as llm IR";
    spec.details = "The IR before any pass, or behind one of the compiler's phases. A graph of "
                   "torch.export is a raw llm.graph before its phases.";
    spec.examples = {"llmir import model.gguf | less",
                     "llmir import model.pt2 --stop-after fuse | less"};
    addModel(spec.options, model);
    spec.options.group("Compilation");
    spec.options.add("kv", &kv, "Numbers of the KV cache").choices({"f16", "f32"});
    spec.options.add("stop-after", &stopAfter, "Print the IR behind PHASE instead")
        .placeholder("PHASE")
        .commandLineOnly();
  }

  Status run(const CommandContext &) override {
    if (isArtifact(model))
      return fail("{}: is compiled already; import needs the model file", model);
    auto compiler = findCompiler();
    if (!compiler)
      return forward(compiler);
    std::vector<std::string> words = {"import", model, "--kv", kv};
    if (!stopAfter.empty())
      words.push_back("--stop-after=" + stopAfter);
    return runCompiler(*compiler, words);
  }

  std::string model, kv = "f16", stopAfter;
};

} // namespace

std::unique_ptr<Command> makeImportCommand() { return std::make_unique<ImportCommand>(); }

} // namespace llmir
