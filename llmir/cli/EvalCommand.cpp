// `llmir eval`: how well a model foretells a text, how far it is from another one, or the logits
// themselves.
#include "llmir/cli/Commands.h"
#include "llmir/cli/NpyWriter.h"
#include "llmir/cli/Options.h"
#include "llmir/cli/Perplexity.h"
#include "llmir/cli/TextFile.h"
#include "llmir/cli/TokenIds.h"
#include "llmir/runtime/engine/Evaluate.h"
#include "llmir/support/MappedFile.h"
#include <nlohmann/json.hpp>

namespace llmir {

namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t defaultChunk = 512;
constexpr int64_t logitBytes = 32 << 20; ///< of the rows that are in memory at a time

class EvalCommand : public Command {
  void declare(CommandSpec &spec) override {
    spec.name = "eval";
    spec.summary = "Measure how well a model foretells a text, or write its logits";
    spec.details =
        "Perplexity is taken as llama.cpp's perplexity tool does: the text is cut into chunks of "
        "--context tokens (512), each a sequence of its own that begins with the begin token if "
        "the vocabulary asks for one; the second half of each chunk counts, and what is left at "
        "the end does not. A text shorter than a chunk is one chunk. --against compares the "
        "distributions with a reference: Kullback-Leibler divergence of MODEL from it, and how "
        "often both have the same best token. A .npy file of logits (f32 [tokens, vocabulary], as "
        "--logits writes it) stands for one sequence with the whole text; then every position "
        "counts. --logits writes the logits of every position of the whole text.";
    spec.examples = {
        "llmir eval model.gguf --text wiki.txt",
        "llmir eval model.gguf --text wiki.txt --against original.gguf",
        "llmir eval model.gguf --text wiki.txt --against-activations int16",
        "llmir eval model.gguf --text wiki.txt --quantize int4 --against-quantize none",
        "llmir eval model.gguf --tokens-file ids.txt --logits logits.npy"};
    OptionTable &table = spec.options;
    addModel(table, model);
    table.group("Evaluation");
    table.add("text", &textFile, "Text to foretell").placeholder("FILE").excludes("tokens-file");
    table.add("tokens-file", &tokensFile, "The same as token ids: decimal numbers")
        .placeholder("FILE");
    table.add("against", &against, "Reference: a model, or a .npy file of logits")
        .placeholder("FILE");
    table
        .add("against-activations", &againstPrecision.activations,
             "Activations of the reference, which is MODEL itself without --against")
        .choices({"int8", "int16"});
    table.add("against-kv", &againstPrecision.kv, "KV cache of the reference")
        .choices({"f16", "f32"});
    table.add("against-quantize", &againstPrecision.quantize, "Float weights of the reference")
        .choices({"none", "int8", "int4"});
    table.add("json", &jsonFile, "File to write the results to; -: stdout").placeholder("FILE");
    table.add("logits", &logitsFile, "File to write: f32 .npy [tokens, vocabulary]")
        .placeholder("FILE");
    table.add("batch", &batch, "With --logits, sequences of a step: N-1 others run beside")
        .needs("logits")
        .range(1, 1024);
    addContext(table, context);
    addExecution(table, execution);
    addCompilation(table, execution);
  }

  Status run(const CommandContext &) override {
    if (execution.stops())
      return printStopped(model, execution.model());
    if (textFile.empty() && tokensFile.empty())
      return fail("eval needs a text: give --text FILE or --tokens-file FILE");
    const bool compares = !against.empty() || againstPrecision.isGiven();
    if (!logitsFile.empty() && (compares || !jsonFile.empty()))
      return fail("--logits writes logits and compares nothing: leave --against and --json away, "
                  "or --logits");
    auto file = MappedFile::open(textFile.empty() ? tokensFile : textFile);
    if (!file)
      return forward(file);
    auto loaded = loadProgram(model, execution.model());
    if (!loaded)
      return forward(loaded);
    auto tokens = readTokens(*loaded, *file);
    if (!tokens)
      return forward(tokens);
    return logitsFile.empty() ? evaluate(std::move(*loaded), *tokens, compares)
                              : writeLogits(*loaded, *tokens);
  }

  const std::string &inputName() const { return textFile.empty() ? tokensFile : textFile; }

  Expected<std::vector<int32_t>> readTokens(const LoadedProgram &loaded, const MappedFile &file) {
    std::string_view text(reinterpret_cast<const char *>(file.bytes().data()), file.bytes().size());
    if (textFile.empty())
      return parseTokenIds(text, tokensFile, loaded.program->manifest().model.vocabulary);
    auto words = loadText(model);
    if (!words)
      return forward(words);
    if (words->tokenizer.addsBos())
      firstToken = words->tokenizer.bosId();
    auto tokens = words->tokenizer.encode(text, {.addBos = true, .parseSpecial = false});
    if (!tokens)
      return forward(tokens, textFile);
    return tokens;
  }

  Status writeLogits(LoadedProgram &loaded, std::span<const int32_t> tokens) {
    const ModelManifest &info = loaded.program->manifest().model;
    const int64_t limit = context ? context : info.contextLength;
    if (int64_t(tokens.size()) > limit)
      return fail("{}: has {} tokens, the context {}: raise --context (this model: at most {}) or "
                  "shorten the file",
                  inputName(), tokens.size(), limit, info.contextLength);
    EvaluateOptions evaluation{execution.prefillChunk, batch};
    SessionOptions sizes =
        evaluateSession(loaded.program->manifest(), int64_t(tokens.size()), evaluation);
    auto session = Session::create(*loaded.device, *loaded.program, sizes);
    if (!session)
      return forward(session);
    auto writer = NpyWriter::create(logitsFile, int64_t(tokens.size()), info.vocabulary);
    if (!writer)
      return forward(writer);
    Status status = llmir::evaluate(**session, tokens, evaluation,
                                    [&](auto rows) { return writer->write(rows); });
    return status ? writer->close() : status;
  }

  Status evaluate(LoadedProgram loaded, std::span<const int32_t> tokens, bool compares) {
    const ModelManifest &info = loaded.program->manifest().model;
    const int64_t vocabulary = info.vocabulary;
    EvaluationPlan plan{.tokens = tokens};
    std::unique_ptr<FileLogits> file;
    if (against.ends_with(".npy")) {
      auto opened = openLogits(tokens.size(), vocabulary);
      if (!opened)
        return forward(opened);
      file = std::move(*opened);
      plan.chunkTokens = int64_t(tokens.size());
    } else {
      plan.chunkTokens =
          std::min({context ? context : defaultChunk, info.contextLength, int64_t(tokens.size())});
      plan.firstScored = plan.chunkTokens / 2;
      plan.firstToken = firstToken;
    }
    if (context > info.contextLength || plan.chunkTokens > info.contextLength)
      return fail("{}: chunks of {} tokens are more than the model's context of {}", inputName(),
                  std::max(context, plan.chunkTokens), info.contextLength);
    if (plan.chunkTokens < 2)
      return fail("{}: has {} tokens and --context is {}: at least 2 tokens are needed, one to "
                  "foretell the other",
                  inputName(), tokens.size(), context ? context : defaultChunk);
    plan.rows =
        int32_t(std::clamp<int64_t>(logitBytes / (vocabulary * 4), 1, execution.prefillChunk));
    auto source =
        ModelLogits::create(std::move(loaded), plan.chunkTokens, execution.prefillChunk, plan.rows);
    if (!source)
      return forward(source);
    std::unique_ptr<ModelLogits> other;
    if (compares && !file) {
      auto made = loadReference(plan, vocabulary);
      if (!made)
        return forward(made);
      other = std::move(*made);
    }
    LogitSource *reference = file ? static_cast<LogitSource *>(file.get()) : other.get();
    auto evaluation = evaluateText(**source, reference, plan);
    if (!evaluation)
      return forward(evaluation, inputName());
    print(*evaluation, plan);
    return jsonFile.empty() ? Status() : writeJson(*evaluation, plan);
  }

  Expected<std::unique_ptr<FileLogits>> openLogits(size_t tokens, int64_t vocabulary) const {
    auto file = NpyReader::open(against);
    if (!file)
      return forward(file);
    if (againstPrecision.isGiven())
      return fail("{}: is a file of logits, nothing is computed: leave --against-activations, "
                  "--against-kv and --against-quantize away",
                  against);
    if (file->rows() != int64_t(tokens) || file->columns() != vocabulary)
      return fail("{}: has the shape [{}, {}], {} has {} tokens and the model {} logits for each",
                  against, file->rows(), file->columns(), inputName(), tokens, vocabulary);
    return std::make_unique<FileLogits>(std::move(*file));
  }

  Expected<std::unique_ptr<ModelLogits>> loadReference(const EvaluationPlan &plan,
                                                       int64_t vocabulary) const {
    ModelOptions options = execution.model();
    againstPrecision.applyTo(options.artifact);
    const std::string &name = against.empty() ? model : against;
    auto loaded = loadProgram(name, options);
    if (!loaded)
      return forward(loaded);
    const ModelManifest &info = loaded->program->manifest().model;
    if (info.vocabulary != vocabulary)
      return fail("{}: has a vocabulary of {} tokens, {} of {}: only models with the same one can "
                  "be compared",
                  name, info.vocabulary, model, vocabulary);
    return ModelLogits::create(std::move(*loaded), plan.chunkTokens, execution.prefillChunk,
                               plan.rows);
  }

  void print(const Evaluation &evaluation, const EvaluationPlan &plan) const {
    FILE *out = jsonFile == "-" ? stderr : stdout;
    printTo(out, "{} tokens, {} chunk{} of {}, {} predictions\n", plan.tokens.size(),
            evaluation.chunks, evaluation.chunks == 1 ? "" : "s", plan.chunkTokens,
            evaluation.predictions);
    auto line = [&](const char *what, const Estimate &estimate) {
      printTo(out, "{:<22}{:>10.4f} ± {:.4f}\n", what, estimate.value, estimate.error);
    };
    line("perplexity", evaluation.perplexity);
    if (!evaluation.against)
      return;
    const Divergence &other = *evaluation.against;
    line("of the reference", other.perplexity);
    printTo(out, "{:<22}{:>10.3e} ± {:.1e}\n", "KL divergence", other.kl.value, other.kl.error);
    printTo(out, "{:<22}{:>10.3e}, 90 % {:.3e}, 95 % {:.3e}, 99 % {:.3e}, max {:.3e}\n", "  median",
            other.klMedian, other.kl90, other.kl95, other.kl99, other.klMax);
    printTo(out, "{:<22}{:>9.3f} % ± {:.3f}\n", "same best token", 100 * other.sameTop.value,
            100 * other.sameTop.error);
  }

  Status writeJson(const Evaluation &evaluation, const EvaluationPlan &plan) const {
    Json json = {{"model", model},
                 {"input", inputName()},
                 {"tokens", plan.tokens.size()},
                 {"chunks", evaluation.chunks},
                 {"chunk_tokens", plan.chunkTokens},
                 {"first_scored", plan.firstScored},
                 {"predictions", evaluation.predictions},
                 {"perplexity", evaluation.perplexity.value},
                 {"perplexity_error", evaluation.perplexity.error}};
    if (evaluation.against) {
      const Divergence &other = *evaluation.against;
      json["against"] = {{"reference", against.empty() ? model : against},
                         {"positions", other.positions},
                         {"perplexity", other.perplexity.value},
                         {"perplexity_error", other.perplexity.error},
                         {"kl_mean", other.kl.value},
                         {"kl_error", other.kl.error},
                         {"kl_median", other.klMedian},
                         {"kl_p90", other.kl90},
                         {"kl_p95", other.kl95},
                         {"kl_p99", other.kl99},
                         {"kl_max", other.klMax},
                         {"top1", other.sameTop.value},
                         {"top1_error", other.sameTop.error}};
    }
    return writeText(jsonFile, json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
  }

  std::string model, textFile, tokensFile, against, jsonFile, logitsFile;
  PrecisionOptions againstPrecision;
  int32_t batch = 1;
  int64_t context = 0;
  ExecutionOptions execution;
  std::optional<int32_t> firstToken;
};

} // namespace

std::unique_ptr<Command> makeEvalCommand() { return std::make_unique<EvalCommand>(); }

} // namespace llmir
