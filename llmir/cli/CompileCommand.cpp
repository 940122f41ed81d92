// `llmir compile`: a model ahead of its use, into a file or into the cache.
#include "llmir/cli/Commands.h"
#include "llmir/cli/Options.h"
#include "llmir/driver/CompilerProcess.h"
#include <chrono>

namespace llmir {

namespace {

class CompileCommand : public Command {
  void declare(CommandSpec &spec) override {
    spec.name = "compile";
    spec.summary = "Compile a model ahead of its use";
    spec.details = "The result holds code, weights, tokenizer and chat template: it runs without "
                   "the model file, on machines that have the target's CPU flags. Without "
                   "--output, it goes where llmir run will look for it.";
    spec.examples = {"llmir compile model.gguf",
                     "llmir compile model.gguf -o model.llmir && llmir chat model.llmir",
                     "llmir compile model.gguf -o server.llmir --target x86-64-v4",
                     "llmir compile model.gguf -o small.llmir --quantize int4",
                     "llmir compile model.gguf --stop-after fuse"};
    OptionTable &table = spec.options;
    addModel(table, model);
    table.group("Compilation");
    table.add("output", &output, "File to write")
        .letter('o')
        .placeholder("FILE")
        .defaultText("in the cache")
        .excludes("stop-after");
    table.add("target", &target, "CPU to compile for; llmir targets lists them")
        .placeholder("CPU")
        .needs("output");
    addPrecision(table, precision);
    addPipeline(table, pipeline);
  }

  Status run(const CommandContext &) override {
    auto compiler = findCompiler();
    if (!compiler)
      return forward(compiler);
    ArtifactOptions options;
    precision.applyTo(options);
    options.target = target;
    options.pipeline = pipeline;
    if (!pipeline.stopAfter.empty())
      return printStopped(model, *compiler, options);
    if (isArtifact(model))
      return fail("{}: is compiled already; give the model file", model);
    auto start = std::chrono::steady_clock::now();
    if (!output.empty())
      if (Status status = compileTo(output, model, *compiler, options); !status)
        return status;
    auto artifact = output.empty() ? obtainArtifact(model, *compiler, options)
                                   : Artifact::open(output, Artifact::Check::AllButWeights);
    if (!artifact)
      return forward(artifact);
    std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    const Manifest &manifest = artifact->manifest();
    printTo(stdout, "{}: {:.1f} MB, {}, {}{} activations, {} KV cache, {:.1f} s\n",
            artifact->path(), double(artifact->info().st_size) * 1e-6, manifest.cpu,
            quantizeText(manifest), manifest.activations, manifest.kv.elementType, took.count());
    return {};
  }

  std::string model, output, target = "host";
  PrecisionOptions precision;
  PipelineOptions pipeline;
};

} // namespace

std::unique_ptr<Command> makeCompileCommand() { return std::make_unique<CompileCommand>(); }

} // namespace llmir
