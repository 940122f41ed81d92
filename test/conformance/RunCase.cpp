// Compiles a case, runs both sides, and words the verdict.
#include "RunCase.h"

#include "WrongLane.h"

#include "llmir/compiler/VerifyCode.h"
#include "llmir/reference/Interpreter.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/MemoryBuffer.h"

#include <cmath>
#include <fmt/ranges.h>

namespace llmir::conformance {

using reference::Batch;

namespace {

Verdict failed(const std::string &text) { return {Verdict::Fail, text}; }

/// The instruction that a kernel's code must contain; empty if it has none of its own.
std::string instructionOf(Products products, const Target &target) {
  switch (target.isa) {
  case CpuIsa::Avx2:
    return products == Products::Int8    ? "vpmaddubsw"
           : products == Products::Int16 ? "vpmaddwd"
           : products == Products::Float ? "vfmadd"
                                         : "";
  case CpuIsa::Avx512Vnni:
    return products == Products::Int8    ? "vpdpbusd"
           : products == Products::Int16 ? "vpdpwssd"
           : products == Products::Float ? "vfmadd"
                                         : "";
  case CpuIsa::NeonDot:
    return products == Products::Int8 ? "sdot" : products == Products::Float ? "fmla" : "";
  case CpuIsa::Portable:
    return "";
  }
  return "";
}

/// Whether the code has that instruction.
Verdict checkAssembly(const std::string &instruction, const std::string &assemblyFile) {
  auto text = llvm::MemoryBuffer::getFile(assemblyFile);
  if (!text)
    return failed("there is no assembly");
  if (!(*text)->getBuffer().contains(instruction))
    return failed(fmt::format("its code has no {}", instruction));
  return {};
}

/// Where the two sides differ first by more than the case allows; empty: nowhere.
std::string firstDifference(const Case &c, const std::vector<float> &actual,
                            const std::vector<float> &expected, int64_t columns) {
  if (relativeDifference(actual, expected) <= c.tolerance)
    return "";
  double square = 0;
  for (float value : expected)
    square += static_cast<double>(value) * value;
  const double scale = std::sqrt(square / static_cast<double>(expected.size()) + 1e-30);
  for (size_t i = 0; i < actual.size(); ++i)
    if (!(std::abs(static_cast<double>(actual[i]) - expected[i]) <= c.tolerance * scale))
      return fmt::format(
          "row {} column {}: {} instead of {}, {:.1e} of the root mean square apart, "
          "{:.0e} is allowed",
          i / columns, i % columns, actual[i], expected[i],
          std::abs(static_cast<double>(actual[i]) - expected[i]) / scale, c.tolerance);
  return "";
}

/// "17 µs, 12.1 GB/s of weights" for each step.
std::string times(const StepResults &results, const std::vector<Batch> &batches,
                  const Manifest &manifest) {
  double operations = 0, bytes = 0;
  for (const FunctionManifest &function : manifest.functions)
    for (const FunctionPart &part : function.parts)
      for (const KernelManifest &kernel : part.phase.kernels)
        if (kernel.op == "llm.linear") {
          operations += static_cast<double>(kernel.rowOperations);
          for (const KernelWeight &weight : kernel.weights)
            bytes += static_cast<double>(weight.bytes);
        }
  std::vector<std::string> parts;
  for (size_t i = 0; i < batches.size(); ++i)
    parts.push_back(fmt::format(
        "{} rows {:.1f} us {:.1f} GB/s {:.1f} GFLOP/s", batches[i].numTokens(),
        results.nanoseconds[i] / 1000, bytes / results.nanoseconds[i],
        operations * static_cast<double>(batches[i].numTokens()) / results.nanoseconds[i]));
  return fmt::format("{}", fmt::join(parts, "; "));
}

Verdict compare(const Case &c, llm::ModelOp model, const test::TestModel &source,
                const std::vector<Batch> &batches, int64_t blocks, const StepResults &results,
                int64_t repeats) {
  reference::Interpreter interpreter(model, test::weightSource(source));
  reference::KvCache cache(model.getKvType(), blocks);
  for (size_t i = 0; i < batches.size(); ++i) {
    auto expected = interpreter.step(batches[i], cache);
    if (!expected)
      return failed(fmt::format("the interpreter: {}", expected.error().message));
    const std::vector<float> &actual = results.logits[0][i];
    const std::string where = fmt::format("step {} ({} tokens)", i, batches[i].numTokens());
    if (std::string text = firstDifference(c, actual, expected->values, source.vocabulary);
        !text.empty())
      return failed(fmt::format("{} {}", where, text));
    for (size_t w = 1; w < results.logits.size(); ++w)
      if (std::memcmp(actual.data(), results.logits[w][i].data(), actual.size() * 4) != 0)
        return failed(fmt::format("{}: {} workers give other bits than 1", where,
                                  Machine::workerCounts(repeats)[w]));
  }
  return {};
}

} // namespace

Verdict runCase(const Case &c, const Target &target, const Machine &machine,
                const RunOptions &options) {
  const test::TestModel source = c.make();
  mlir::MLIRContext context(compilerDialects(), mlir::MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  auto module = mlir::parseSourceString<mlir::ModuleOp>(source.ir, &context);
  if (!module)
    return failed("its IR does not parse:\n" + source.ir);
  CompileOptions compile;
  compile.activations = c.activations;
  compile.target = options.target;
  if (options.fault)
    compile.pipeline.extraPasses = {wrongLane(*options.fault)};
  const std::string instruction = instructionOf(c.products, target);
  if (!instruction.empty())
    compile.assemblyFile = options.folder + "/code.s";
  mlir::OwningOpRef<mlir::ModuleOp> rounded = module->clone();
  if (Status status = test::addRoundings(*rounded, compile); !status)
    return failed(status.error().message);
  const std::string codeFile = options.folder + "/code.so";
  auto compiled = test::compileModel(*module, source, compile, codeFile);
  if (!compiled)
    return failed(fmt::format("does not compile: {}", compiled.error().message));
  if (!instruction.empty())
    if (Verdict verdict = checkAssembly(instruction, compile.assemblyFile);
        verdict.kind != Verdict::Ok)
      return verdict;
  if (!machine.whyNot().empty())
    return {Verdict::Skip, fmt::format("{}; compiled{}{}", machine.whyNot(),
                                       instruction.empty() ? "" : ", with ", instruction)};
  llm::ModelOp model = *rounded->getOps<llm::ModelOp>().begin();
  int64_t blocks = 0;
  const std::vector<Batch> batches =
      batchesOf(c.steps, c.tokens, model.getKvType().getBlock(), blocks);
  auto results = machine.run(codeFile, *compiled, batches, blocks, options.repeats, options.folder);
  if (!results)
    return failed(results.error().message);
  Verdict verdict = compare(c, model, source, batches, blocks, *results, options.repeats);
  if (verdict.kind == Verdict::Ok && options.repeats)
    verdict.text = times(*results, batches, compiled->manifest);
  return verdict;
}

} // namespace llmir::conformance
