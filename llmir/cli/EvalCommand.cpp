// `llmir eval`: the logits of every position of a given token sequence, as a .npy file.
#include "llmir/cli/Commands.h"
#include "llmir/cli/NpyWriter.h"
#include "llmir/cli/Options.h"
#include "llmir/cli/TokenIds.h"
#include "llmir/runtime/engine/Evaluate.h"
#include "llmir/support/MappedFile.h"

namespace llmir {

namespace {

class EvalCommand : public Command {
  void declare(CommandSpec &spec) override {
    spec.name = "eval";
    spec.summary = "Write the logits of every position of a text";
    spec.examples = {"llmir eval model.gguf --tokens-file ids.txt --logits logits.npy"};
    OptionTable &table = spec.options;
    addModel(table, model);
    table.group("Evaluation");
    table.add("tokens-file", &tokensFile, "Token ids as decimal numbers")
        .placeholder("FILE")
        .required();
    table.add("logits", &logitsFile, "File to write: f32 .npy [tokens, vocabulary]")
        .placeholder("FILE")
        .required();
    table.add("batch", &batch, "Sequences of a step: N-1 others run beside").range(1, 1024);
    addContext(table, context);
    addExecution(table, execution);
  }

  Status run(const CommandContext &) override {
    auto file = MappedFile::open(tokensFile);
    if (!file)
      return forward(file);
    auto loaded = loadProgram(model, execution.model());
    if (!loaded)
      return forward(loaded);
    const Manifest &manifest = loaded->program->manifest();
    std::string_view text(reinterpret_cast<const char *>(file->bytes().data()),
                          file->bytes().size());
    auto tokens = parseTokenIds(text, tokensFile, manifest.model.vocabulary);
    if (!tokens)
      return forward(tokens);
    int64_t limit = context ? context : manifest.model.contextLength;
    if (int64_t(tokens->size()) > limit)
      return fail("{}: has {} tokens, the context {}: raise --context (this model: at most {}) or "
                  "shorten the file",
                  tokensFile, tokens->size(), limit, manifest.model.contextLength);

    EvaluateOptions evaluation{execution.prefillChunk, batch};
    SessionOptions sizes = evaluateSession(manifest, int64_t(tokens->size()), evaluation);
    auto session = Session::create(*loaded->device, *loaded->program, sizes);
    if (!session)
      return forward(session);
    auto writer = NpyWriter::create(logitsFile, int64_t(tokens->size()), manifest.model.vocabulary);
    if (!writer)
      return forward(writer);
    Status status = evaluate(**session, *tokens, evaluation,
                             [&](std::span<const float> rows) { return writer->write(rows); });
    return status ? writer->close() : status;
  }

  std::string model, tokensFile, logitsFile;
  int32_t batch = 1;
  int64_t context = 0;
  ExecutionOptions execution;
};

} // namespace

std::unique_ptr<Command> makeEvalCommand() { return std::make_unique<EvalCommand>(); }

} // namespace llmir
