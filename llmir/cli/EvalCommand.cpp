// `llmir eval`: the logits of every position of a given token sequence, as a .npy file.
#include "llmir/cli/Commands.h"
#include "llmir/cli/NpyWriter.h"
#include "llmir/cli/TokenIds.h"
#include "llmir/driver/Model.h"
#include "llmir/runtime/engine/Evaluate.h"
#include "llmir/support/MappedFile.h"

namespace llmir {

namespace {

void declare(CLI::App &command, Options &options) {
  addModel(command, options);
  command.add_option("--tokens-file", options.tokensFile, "Token ids as decimal numbers")
      ->required();
  command.add_option("--logits", options.logitsFile, "File to write: f32 [tokens, vocabulary]")
      ->required();
  command.add_option("--batch", options.batch, "Sequences of a step: N-1 others run beside")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  addContext(command, options);
  addExecution(command, options);
  command.footer("Example:\n  llmir eval model.gguf --tokens-file ids.txt --logits logits.npy");
}

Status eval(const Options &options) {
  auto file = MappedFile::open(options.tokensFile);
  if (!file)
    return forward(file);
  auto loaded = loadProgram(options.model, {options.artifact, options.threads});
  if (!loaded)
    return forward(loaded);
  const Manifest &manifest = loaded->program->manifest();
  std::string_view text(reinterpret_cast<const char *>(file->bytes().data()), file->bytes().size());
  auto tokens = parseTokenIds(text, options.tokensFile, manifest.model.vocabulary);
  if (!tokens)
    return forward(tokens);
  int64_t context = options.context ? options.context : manifest.model.contextLength;
  if (int64_t(tokens->size()) > context)
    return fail("{}: has {} tokens, the context {}: raise --context (this model: at most {}) or "
                "shorten the file",
                options.tokensFile, tokens->size(), context, manifest.model.contextLength);

  EvaluateOptions evaluation{options.prefillChunk, options.batch};
  SessionOptions sizes = evaluateSession(manifest, int64_t(tokens->size()), evaluation);
  auto session = Session::create(*loaded->device, *loaded->program, sizes);
  if (!session)
    return forward(session);
  auto writer =
      NpyWriter::create(options.logitsFile, int64_t(tokens->size()), manifest.model.vocabulary);
  if (!writer)
    return forward(writer);
  Status status = evaluate(**session, *tokens, evaluation,
                           [&](std::span<const float> rows) { return writer->write(rows); });
  return status ? writer->close() : status;
}

} // namespace

const Command evalCommand = {"eval", "Write the logits of every position of a text", declare, eval};

} // namespace llmir
