// llmir-reference: the logits of a model file as the exact interpreter computes them; the other
// side of comparisons with compiled code and with other programs.
#include "llmir/formats/model/OpenModel.h"
#include "llmir/frontend/Import.h"
#include "llmir/frontend/WeightSource.h"
#include "llmir/reference/Interpreter.h"
#include "llmir/transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include <CLI/CLI.hpp>
#include <fstream>
#include <numeric>

using namespace llmir;
using namespace mlir;

struct Arguments {
  std::string model, tokensFile, logitsFile, activations = "none", kv = "f32", quantize = "none";
  int64_t chunk = 0;
  int threads = 1;
  bool printIr = false;
};

static Expected<std::vector<int32_t>> readTokens(const std::string &path) {
  std::ifstream file(path);
  if (!file)
    return fail("{}: cannot be read", path);
  std::vector<int32_t> tokens;
  for (int32_t token; file >> token;)
    tokens.push_back(token);
  if (!file.eof() || tokens.empty())
    return fail("{}: must hold decimal token ids, at least one", path);
  return tokens;
}

/// The header of numpy's format 1.0, padded so that the data begin at a multiple of 64 bytes.
static std::string npyHeader(int64_t rows, int64_t columns) {
  std::string text =
      fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", rows, columns);
  text.resize((10 + text.size() + 1 + 63) / 64 * 64 - 10, ' ');
  text.back() = '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += char(text.size() & 255);
  header += char(text.size() >> 8);
  return header + text;
}

static Status writeLogits(llm::ModelOp model, const GgufFile &file, const Arguments &arguments) {
  auto tokens = readTokens(arguments.tokensFile);
  if (!tokens)
    return forward(tokens);
  const int64_t total = int64_t(tokens->size()),
                step = arguments.chunk > 0 ? arguments.chunk : total;
  llm::KvType type = model.getKvType();
  const int64_t blocks = (total + type.getBlock() - 1) / type.getBlock();
  reference::KvCache cache(type, blocks);
  std::vector<int32_t> table(blocks);
  std::iota(table.begin(), table.end(), 0);
  reference::Options options;
  options.threads = arguments.threads;
  reference::Interpreter interpreter(model, weightSource<reference::WeightBytes>(file), options);
  std::ofstream out(arguments.logitsFile, std::ios::binary | std::ios::trunc);
  out << npyHeader(total, int64_t(model.getVocabulary()));
  for (int64_t start = 0; start < total; start += step) {
    reference::SequenceStep sequence;
    auto begin = tokens->begin() + start;
    sequence.tokens.assign(begin, begin + std::min(step, total - start));
    sequence.start = int32_t(start);
    sequence.blocks = table;
    auto logits = interpreter.step(reference::Batch::of({&sequence, 1}, type.getBlock()), cache);
    if (!logits)
      return forward(logits);
    out.write(reinterpret_cast<const char *>(logits->values.data()),
              std::streamsize(logits->values.size() * sizeof(float)));
  }
  out.close();
  if (!out)
    return fail("{}: cannot be written", arguments.logitsFile);
  return {};
}

static Status run(const Arguments &arguments) {
  const auto &[model, tokensFile, logitsFile, activations, kv, quantize, chunk, threads, printIr] =
      arguments;
  if (kv != "f32" && kv != "f16")
    return fail("--kv {}: must be f32 or f16", kv);
  if (activations != "none" && activations != "int8" && activations != "int16")
    return fail("--activations {}: must be none, int8 or int16", activations);
  if (quantize != "none" && quantize != "int8" && quantize != "int4")
    return fail("--quantize {}: must be none, int8 or int4", quantize);
  if (!printIr && (tokensFile.empty() || logitsFile.empty()))
    return fail("--tokens-file and --logits are needed, or --print-ir");
  auto file = openModel(model);
  if (!file)
    return forward(file);
  ImportOptions options;
  options.kvElement = kv == "f16" ? Format::F16 : Format::F32;
  options.warn = [](const std::string &line) { llvm::errs() << "warning: " << line << "\n"; };
  MLIRContext context(MLIRContext::Threading::DISABLED);
  ScopedDiagnosticHandler diagnostics(&context, [](Diagnostic &diagnostic) {
    const bool isError = diagnostic.getSeverity() == DiagnosticSeverity::Error;
    llvm::errs() << (isError ? "error: " : "warning: ") << diagnostic.str() << "\n";
    return success();
  });
  auto module = importGguf(*file, options, context);
  if (!module)
    return forward(module);
  PassManager passes(&context);
  if (quantize != "none")
    passes.addNestedPass<llm::ModelOp>(llm::createQuantizeWeightsPass({.weights = quantize}));
  if (activations != "none") {
    passes.addNestedPass<llm::ModelOp>(llm::createExpandExpertsPass());
    passes.addNestedPass<llm::ModelOp>(
        llm::createQuantizeActivationsPass({.activations = activations}));
  }
  if (failed(passes.run(**module)))
    return fail("{}: cannot be quantised", model);
  if (printIr) {
    (*module)->print(llvm::outs());
    return {};
  }
  return writeLogits(*(*module)->getOps<llm::ModelOp>().begin(), *file, arguments);
}

int main(int argc, char **argv) {
  Arguments arguments;
  CLI::App app("LLMIR's exact interpreter");
  app.add_option("model", arguments.model, "a GGUF file or a Hugging Face directory")->required();
  app.add_option("--tokens-file", arguments.tokensFile, "token ids as decimal numbers");
  app.add_option("--logits", arguments.logitsFile, "f32 .npy [tokens, vocabulary] to write");
  app.add_option("--chunk", arguments.chunk, "tokens of a step (0: all at once)");
  app.add_option("--activations", arguments.activations, "none, int8 or int16");
  app.add_option("--kv", arguments.kv, "f32 or f16");
  app.add_option("--quantize", arguments.quantize, "weights of floats: none, int8 or int4");
  app.add_option("--threads", arguments.threads);
  app.add_flag("--print-ir", arguments.printIr, "print the module and stop");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp &help) {
    return app.exit(help);
  } catch (const CLI::ParseError &error) {
    llvm::errs() << "error: " << error.what() << "; see llmir-reference --help\n";
    return 1;
  }
  Status status = run(arguments);
  if (!status)
    llvm::errs() << "error: " << status.error().message << "\n";
  return status ? 0 : 1;
}
