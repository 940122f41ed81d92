// `llmir bench`: how fast a model runs on this machine, as medians with their spread.
#include "llmir/cli/Benchmark.h"
#include "llmir/cli/Commands.h"
#include "llmir/cli/Options.h"
#include "llmir/cli/TextFile.h"
#include "llmir/support/CpuInfo.h"
#include "llmir/support/CpuUsage.h"
#include "llmir/support/MemoryInfo.h"
#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

namespace llmir {

namespace {

using Json = nlohmann::ordered_json;

enum class Kind { Prefill, Decode, FirstToken };

/// One thing to measure, with its results.
struct Case {
  Kind kind;
  int32_t size;  ///< tokens of a prefill, sequences of a decode
  double tokens; ///< that one run computes
  std::function<double()> measure;
  std::vector<double> seconds = {};
  double foreign = 0, wall = 0; ///< CPU time of others, in seconds of all CPUs

  void run() {
    auto before = cpuTimes();
    seconds.push_back(measure());
    auto after = cpuTimes();
    if (!before || !after)
      return;
    const double took = after->wall - before->wall;
    foreign += foreignShare(*before, *after) * took;
    wall += took;
  }

  double foreignShareOfAll() const { return wall > 0 ? foreign / wall : 0; }

  /// Quantile 0, 0.5 or 1 of the seconds.
  double at(double quantile) const {
    std::vector<double> sorted = seconds;
    std::sort(sorted.begin(), sorted.end());
    const double place = quantile * double(sorted.size() - 1);
    const size_t below = size_t(place);
    const size_t above = size_t(std::ceil(place));
    return (sorted[below] + sorted[above]) / 2;
  }
  double rate(double quantile) const { return tokens / std::max(1e-9, at(1 - quantile)); }
};

class BenchCommand : public Command {
  void declare(CommandSpec &spec) override {
    spec.name = "bench";
    spec.summary = "Measure how fast a model runs here";
    spec.details =
        "Measures prefill (a prompt into an empty cache, to the logits of its last token), decode "
        "(tokens of all sequences together, each behind a prompt of its own of the first prefill "
        "length, without sampling) and the time to the first token of a request. All cases run by "
        "turns, once to warm up and then --repetitions times; the median is printed with the "
        "lowest and the highest. CPU time that other processes took is reported: above 2 % the "
        "figures are marked.";
    spec.examples = {"llmir bench model.gguf",
                     "llmir bench model.gguf --prefill 128,512 --decode 128 --batch 1,8,32 "
                     "--threads 2 --json bench.json"};
    OptionTable &table = spec.options;
    addModel(table, model);
    table.group("Measurement");
    table.add("prefill", &prefills, "Prompt lengths").placeholder("N,…").range(1, INT32_MAX);
    table.add("decode", &decodeTokens, "Tokens of each sequence; 0: no decoding")
        .range(0, INT32_MAX);
    table.add("batch", &batches, "Sequences that decode together")
        .placeholder("N,…")
        .range(1, 1024);
    table.add("first-token", &firstTokenPrompt, "Prompt length of the time to the first token")
        .range(1, INT32_MAX);
    table.add("repetitions", &repetitions, "Measurements of each case").range(1, 1000);
    table.add("json", &jsonFile, "File to write the results to; -: stdout").placeholder("FILE");
    addExecution(table, execution);
    addCompilation(table, execution);
  }

  Status run(const CommandContext &) override {
    if (execution.stops())
      return printStopped(model, execution.model());
    auto loaded = load();
    if (!loaded)
      return forward(loaded);
    const ModelManifest &info = loaded->program->manifest().model;
    BenchmarkSizes sizes{
        .prefillTokens = *std::max_element(prefills.begin(), prefills.end()),
        .promptTokens = prefills.front(),
        .decodeTokens = decodeTokens,
        .batch = *std::max_element(batches.begin(), batches.end()),
        .firstTokenPrompt = int32_t(std::min<int64_t>(firstTokenPrompt, info.contextLength)),
        .prefillChunk = execution.prefillChunk,
    };
    if (std::max<int64_t>(sizes.prefillTokens, int64_t(sizes.promptTokens) + decodeTokens) >
        info.contextLength)
      return fail("--prefill {} and --decode {} do not fit into the model's context of {} tokens: "
                  "ask for less",
                  fmt::join(prefills, ","), decodeTokens, info.contextLength);
    auto benchmark = Benchmark::create(*loaded, sizes);
    if (!benchmark)
      return forward(benchmark);
    measure(*benchmark);
    report(*loaded, sizes);
    return jsonFile.empty() ? Status() : writeJson(*loaded, sizes, benchmark->memory());
  }

  /// Loads what is compiled already, and takes the time.
  Expected<LoadedProgram> load() {
    if (!execution.noCache)
      if (auto compiled = loadProgram(model, execution.model()); !compiled)
        return compiled;
    auto start = std::chrono::steady_clock::now();
    auto loaded = loadProgram(model, execution.model());
    if (!loaded)
      return loaded;
    auto loadedText = loadText(model);
    if (!loadedText)
      return forward(loadedText);
    text = std::move(*loadedText);
    loadSeconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return loaded;
  }

  void measure(Benchmark &benchmark) {
    for (int32_t tokens : prefills)
      cases.push_back({Kind::Prefill, tokens, double(tokens),
                       [&benchmark, tokens] { return benchmark.prefill(tokens); }});
    for (int32_t batch : batches)
      if (decodeTokens > 0)
        cases.push_back({Kind::Decode, batch, double(batch) * decodeTokens,
                         [&benchmark, batch] { return benchmark.decode(batch); }});
    cases.push_back({Kind::FirstToken, 1, 1, [&benchmark] { return benchmark.firstToken(); }});
    for (Case &one : cases)
      one.measure(); // warms caches up, touches memory
    for (int32_t repetition = 0; repetition < repetitions; ++repetition)
      for (Case &one : cases)
        one.run();
  }

  double foreignShareOfAll() const {
    double foreign = 0, wall = 0;
    for (const Case &one : cases) {
      foreign += one.foreign;
      wall += one.wall;
    }
    return wall > 0 ? foreign / wall : 0;
  }

  void report(const LoadedProgram &loaded, const BenchmarkSizes &sizes) const {
    FILE *out = jsonFile == "-" ? stderr : stdout;
    const Manifest &manifest = loaded.program->manifest();
    printTo(out, "{}, {} threads, {}{} activations, {} repetitions\n", cpuModelName(),
            loaded.device->threads(), quantizeText(manifest), manifest.activations, repetitions);
    for (const Case &one : cases) {
      const char *mark = one.foreignShareOfAll() > noisyShare ? "  *" : "";
      if (one.kind == Kind::Prefill)
        printTo(out, "prefill     {:>5} tokens                  ", one.size);
      else if (one.kind == Kind::Decode)
        printTo(out, "decode      {:>5} sequence{} behind {:>5}  ", one.size,
                one.size == 1 ? " " : "s", sizes.promptTokens);
      else {
        printTo(out,
                "first token behind {:>5}                    {:>9.1f} ms        ({:.1f} to "
                "{:.1f}){}\n",
                sizes.firstTokenPrompt, 1e3 * one.at(0.5), 1e3 * one.at(0), 1e3 * one.at(1), mark);
        continue;
      }
      printTo(out, "{:>9.1f} tokens/s  ({:.1f} to {:.1f}){}\n", one.rate(0.5), one.rate(0),
              one.rate(1), mark);
    }
    printTo(out, "load {:.3f} s, peak memory {:.1f} MB\n", loadSeconds,
            double(peakResidentBytes()) * 1e-6);
    if (std::any_of(cases.begin(), cases.end(),
                    [](const Case &one) { return one.foreignShareOfAll() > noisyShare; }))
      printTo(out,
              "* other processes took more than {:.0f} % of the CPU time ({:.1f} % of the "
              "whole run): measure again on a quiet machine\n",
              100 * noisyShare, 100 * foreignShareOfAll());
  }

  Status writeJson(const LoadedProgram &loaded, const BenchmarkSizes &sizes,
                   const MemoryUse &memory) const {
    const Manifest &manifest = loaded.program->manifest();
    Json prefill = Json::array(), decode = Json::array(), first;
    for (const Case &one : cases) {
      Json speed = {{"tokens_per_s", one.rate(0.5)},
                    {"min", one.rate(0)},
                    {"max", one.rate(1)},
                    {"foreign_cpu", one.foreignShareOfAll()}};
      if (one.kind == Kind::Prefill) {
        prefill.push_back({{"tokens", one.size}});
        prefill.back().update(speed);
      } else if (one.kind == Kind::Decode) {
        decode.push_back({{"batch", one.size}});
        decode.back().update(speed);
        decode.back().update({{"prompt_tokens", sizes.promptTokens}, {"tokens", decodeTokens}});
      } else {
        first = {{"ttft_ms", 1e3 * one.at(0.5)},
                 {"ttft_ms_min", 1e3 * one.at(0)},
                 {"ttft_ms_max", 1e3 * one.at(1)},
                 {"ttft_prompt_tokens", sizes.firstTokenPrompt}};
      }
    }
    Json json = {{"model", model},
                 {"version", LLMIR_VERSION},
                 {"cpu", cpuModelName()},
                 {"target", manifest.cpu},
                 {"threads", loaded.device->threads()},
                 {"activations", manifest.activations},
                 {"kv", manifest.kv.elementType},
                 {"quantize", manifest.quantize},
                 {"prefill_chunk", execution.prefillChunk},
                 {"repetitions", repetitions},
                 {"prefill", std::move(prefill)},
                 {"decode", std::move(decode)}};
    json.update(first);
    json.update({{"load_s", loadSeconds},
                 {"peak_bytes", peakResidentBytes()},
                 {"memory",
                  {{"weights_bytes", memory.weights},
                   {"kv_bytes", memory.kv},
                   {"scratch_bytes", memory.scratch},
                   {"logits_bytes", memory.logits},
                   {"planned_bytes", memory.total()}}},
                 {"foreign_cpu", foreignShareOfAll()}});
    return writeText(jsonFile, json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
  }

  std::string model, jsonFile;
  std::optional<ModelText> text; // held as a run holds it: it is a part of the peak memory
  std::vector<int32_t> prefills = {512}, batches = {1};
  int32_t decodeTokens = 128, firstTokenPrompt = 64, repetitions = 5;
  ExecutionOptions execution;
  std::vector<Case> cases;
  double loadSeconds = 0;
};

} // namespace

std::unique_ptr<Command> makeBenchCommand() { return std::make_unique<BenchCommand>(); }

} // namespace llmir
