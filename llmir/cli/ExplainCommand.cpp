// `llmir explain`: where the time of a step goes, and how close to the machine's limits it is.
#include "llmir/cli/Commands.h"
#include "llmir/cli/Explanation.h"
#include "llmir/cli/ExplanationHtml.h"
#include "llmir/cli/ExplanationJson.h"
#include "llmir/cli/ExplanationText.h"
#include "llmir/cli/Options.h"
#include "llmir/cli/TextFile.h"
#include "llmir/support/MemoryInfo.h"
#include <unistd.h>

namespace llmir {

namespace {

class ExplainCommand : public Command {
  void declare(CommandSpec &spec) override {
    spec.name = "explain";
    spec.summary = "Show where the time of a step goes and why";
    spec.details =
        "Runs one step several times and lists its phases (what lies between two barriers of the "
        "threads): the kernels of each and why they are the ones, bytes and operations, the time "
        "that the machine's limits allow and the time that it took. The limits, memory bandwidth "
        "and arithmetic, are measured first. The step decodes a token of --batch sequences behind "
        "--behind tokens; with --prefill it computes a prompt of so many tokens.";
    spec.examples = {
        "llmir explain model.gguf", "llmir explain model.gguf --prefill 512",
        "llmir explain model.gguf --batch 8 --behind 1024 --threads 2 --json step.json"};
    OptionTable &table = spec.options;
    addModel(table, model);
    table.group("Step");
    table.add("prefill", &request.prefill, "Tokens of a prompt; else a step of decoding")
        .range(1, INT32_MAX)
        .defaultText("off")
        .excludes("batch")
        .excludes("behind");
    table.add("batch", &request.batch, "Sequences that decode together").range(1, 1024);
    table.add("behind", &request.behind, "Tokens of each sequence before the one that is decoded")
        .range(1, INT32_MAX)
        .defaultText("512, or the model's context");
    table.group("Measurement");
    table.add("repetitions", &request.repetitions, "Measurements of the step").range(1, 1000);
    table.add("roof-buffer", &roofMegabytes, "MB that memory bandwidth is measured with")
        .range(1, 1 << 20)
        .defaultText("twice the last-level cache, at least 256");
    table.add("json", &jsonFile, "File to write the results to; -: stdout").placeholder("FILE");
    table.add("html", &htmlFile, "File to write a page with the roofline to").placeholder("FILE");
    addExecution(table, execution);
    addCompilation(table, execution);
  }

  Status run(const CommandContext &context) override {
    if (execution.stops())
      return printStopped(model, execution.model());
    auto loaded = loadProgram(model, execution.model());
    if (!loaded)
      return forward(loaded);
    request.prefillChunk = execution.prefillChunk;
    request.roofBytes = int64_t(roofMegabytes) * 1000000;
    if (Status status = checkSizes(loaded->program->manifest().model.contextLength); !status)
      return status;
    auto explained = explainModel(*loaded, request);
    if (!explained)
      return forward(explained, model);
    const bool isAlone = jsonFile == "-"; // the JSON, on stdout
    writeTo(isAlone ? stderr : stdout,
            explanationText(**explained, Style{usesColor(context.color, isAlone ? STDERR_FILENO
                                                                                : STDOUT_FILENO)}));
    if (!htmlFile.empty())
      if (Status status = writeText(htmlFile, explanationHtml(**explained, model)); !status)
        return status;
    return jsonFile.empty() ? Status() : writeText(jsonFile, explanationJson(**explained, model));
  }

  /// Fills in what was not given.
  Status checkSizes(int64_t context) {
    if (request.prefill > request.prefillChunk)
      return fail("--prefill {} is more than a step holds, --prefill-chunk {}: raise that, or ask "
                  "for less",
                  request.prefill, request.prefillChunk);
    if (request.prefill > context)
      return fail("--prefill {} does not fit into the model's context of {} tokens: ask for less",
                  request.prefill, context);
    if (request.behind >= context)
      return fail("--behind {} leaves no room for a token in the model's context of {}: ask for "
                  "less",
                  request.behind, context);
    const int64_t available = memoryInfo().available; // all of the buffer will be written
    if (available > 0 && request.roofBytes > available / 2)
      return fail("--roof-buffer {} is more than half of the memory that is available, {} MB: ask "
                  "for less",
                  roofMegabytes, available / 1000000);
    if (!request.behind)
      request.behind = int32_t(std::min<int64_t>(512, context - 1));
    return {};
  }

  std::string model, jsonFile, htmlFile;
  ExplanationRequest request;
  int32_t roofMegabytes = 0;
  ExecutionOptions execution;
};

} // namespace

std::unique_ptr<Command> makeExplainCommand() { return std::make_unique<ExplainCommand>(); }

} // namespace llmir
