// `llmir inspect`: what a model file holds and what memory it will take, before it is loaded.
#include "llmir/cli/Commands.h"
#include "llmir/cli/Inspection.h"
#include "llmir/cli/InspectionJson.h"
#include "llmir/cli/InspectionText.h"
#include "llmir/cli/Options.h"
#include "llmir/cli/TextFile.h"
#include <unistd.h>

namespace llmir {

namespace {

class InspectCommand : public Command {
  void declare(CommandSpec &spec) override {
    spec.name = "inspect";
    spec.summary = "Show what a model holds and what memory it takes";
    spec.details =
        "Loads and compiles nothing. The memory is that of --batch sequences which fill --context "
        "tokens each: weights, KV cache, scratch and logits exactly as the runtime will allocate "
        "them, and the process itself. A model that does not fit is no error. The exit code is 1 "
        "for a file that cannot be read or compiled, and for one that --verify finds damaged.";
    spec.examples = {"llmir inspect model.gguf",
                     "llmir inspect model.gguf --context 4096 --batch 8 --kv f32",
                     "llmir inspect model.gguf --verify",
                     "llmir inspect model.gguf --json | jq .memory.total_bytes"};
    OptionTable &table = spec.options;
    addModel(table, request.model);
    table.group("Inspection");
    table.add("tensors", &tensors, "List all tensors: name, type, shape, bytes");
    table.add("metadata", &metadata, "List keys and values; long values are cut, in JSON whole");
    table.add("verify", &request.verify,
              "Decode every tensor, or sum up all of an artifact, and look for damage");
    // Other commands have an option of this name that takes a file.
    table.add("json", &json, "Write JSON to stdout instead of text").commandLineOnly();
    addContext(table, request.context);
    table.add("batch", &request.batch, "Sequences at the same time").range(1, maxInspectedBatch);
    addExecution(table, execution);
  }

  Status run(const CommandContext &context) override {
    request.prefillChunk = execution.prefillChunk;
    request.threads = execution.threads;
    request.artifact = execution.model().artifact;
    auto found = inspectModel(request);
    if (!found)
      return forward(found);
    std::string text = json ? inspectionJson(*found, tensors, metadata)
                            : inspectionText(*found, tensors, metadata,
                                             Style{usesColor(context.color, STDOUT_FILENO)},
                                             terminalWidth(STDOUT_FILENO));
    if (Status status = writeText("-", text); !status)
      return status;
    return found->problem;
  }

  InspectionRequest request;
  ExecutionOptions execution;
  bool tensors = false, metadata = false, json = false;
};

} // namespace

std::unique_ptr<Command> makeInspectCommand() { return std::make_unique<InspectCommand>(); }

} // namespace llmir
