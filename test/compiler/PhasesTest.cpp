// The list of phases and what --stop-after, --disable-pass, --pass-plugin, --pass-pipeline-after,
// --dump-dir and --timing do with it.
#include "llmir/compiler/Phases.h"

#include "mlir/Parser/Parser.h"
#include "llvm/Support/raw_ostream.h"
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>

using namespace llmir;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

namespace {

constexpr const char *smallModel = R"(
!kv = !llm.kv<layers = 1, heads = 1, k_dim = 8, v_dim = 8, block = 8, element = f16>
llm.model @small attributes {vocabulary = 8 : i64, context_length = 8 : i64} {
  llm.weight @w : tensor<8x32x!llm.quant<q8_0>> from "w"
  func.func @step(%b: !llm.batch<mixed>, %kv: !kv) -> (tensor<?x8xf32>, !kv) {
    %t = llm.batch.tokens %b : (!llm.batch<mixed>) -> tensor<?xi32>
    %w = llm.get_weight @w : tensor<8x32x!llm.quant<q8_0>>
    %same = llm.get_weight @w : tensor<8x32x!llm.quant<q8_0>>
    %x = llm.embed %t, %w : (tensor<?xi32>, tensor<8x32x!llm.quant<q8_0>>) -> tensor<?x32xf32>
    %l = llm.linear %x, %same : (tensor<?x32xf32>, tensor<8x32x!llm.quant<q8_0>>) -> tensor<?x8xf32>
    return %l, %kv : tensor<?x8xf32>, !kv
  }
})";

/// A folder that goes away with the test.
struct Folder {
  Folder() : path(testing::TempDir() + fmt::format("llmir-phases-{}", getpid())) {
    std::filesystem::create_directory(path);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  /// Sorted names of the files in it.
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto &entry : std::filesystem::directory_iterator(path))
      names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }
  std::string read(const std::string &name) const {
    std::ifstream file(path + "/" + name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::string path;
};

/// Compiles the small model; returns the IR it stopped at, or the error.
std::string compileSmall(CompileOptions options, const std::string &codeFile = "",
                         const std::string &text = smallModel) {
  std::string ir;
  options.target = "x86-64";
  options.stopped = [&](mlir::ModuleOp module) { llvm::raw_string_ostream(ir) << module; };
  mlir::MLIRContext context(compilerDialects(), mlir::MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  auto compiled = compileIr(*module, codeFile, options, {});
  return compiled ? ir : "error: " + compiled.error().message;
}

std::string compileSmall(PipelineOptions pipeline, const std::string &codeFile = "",
                         const std::string &text = smallModel) {
  CompileOptions options;
  options.pipeline = std::move(pipeline);
  return compileSmall(std::move(options), codeFile, text);
}

TEST(Phases, StopAfterHandsTheIrOver) {
  EXPECT_THAT(compileSmall({.stopAfter = "import"}),
              AllOf(HasSubstr("llm.linear"), Not(HasSubstr("llm.quantize"))));
  EXPECT_THAT(compileSmall({.stopAfter = "quantize-activations"}),
              AllOf(HasSubstr("llm.quantize"), Not(HasSubstr("llm.fuse"))));
  // The pass's name is as good as the phase's.
  EXPECT_THAT(compileSmall({.stopAfter = "llm-fuse"}), HasSubstr("llm.fuse"));
  EXPECT_THAT(compileSmall({.stopAfter = "lower"}), HasSubstr("func.func"));
  EXPECT_THAT(compileSmall({.stopAfter = "lower-to-llvm"}),
              AllOf(HasSubstr("llvm.func"), Not(HasSubstr("func.func"))));
}

TEST(Phases, AnUnknownPhaseIsAnsweredWithTheList) {
  EXPECT_EQ(
      compileSmall({.stopAfter = "fusion"}),
      "error: --stop-after=fusion: no such phase; the phases are import, raise, page-attention, "
      "form-model, roll-layers, choose-target, expand-experts, cse, quantize-weights, "
      "quantize-activations, fuse, "
      "pack-weights, lower, lower-to-llvm, emit");
}

TEST(Phases, OptionalPassesCanBeLeftOut) {
  std::string ir =
      compileSmall({.stopAfter = "fuse", .disabledPasses = {"quantize-activations", "cse"}});
  EXPECT_THAT(ir, AllOf(Not(HasSubstr("llm.quantize")), HasSubstr("llm.fuse")));
  size_t first = ir.find("llm.get_weight"); // the second one is what cse removes
  EXPECT_NE(ir.find("llm.get_weight", first + 1), std::string::npos);
  EXPECT_THAT(compileSmall({.stopAfter = "fuse"}), HasSubstr("llm.quantize"));
}

TEST(Phases, NeededPassesCannotBeLeftOut) {
  for (const Phase &phase : phases())
    if (phase.needed)
      EXPECT_EQ(compileSmall({.disabledPasses = {phase.name}}),
                fmt::format("error: --disable-pass={}: cannot be switched off: {}; optional are "
                            "roll-layers, cse, quantize-activations",
                            phase.name, phase.needed));
  EXPECT_EQ(compileSmall({.disabledPasses = {"inline"}}),
            "error: --disable-pass=inline: no such pass; optional are roll-layers, cse, "
            "quantize-activations");
}

TEST(Phases, DumpsAreNumberedInTheOrderOfPasses) {
  Folder folder;
  EXPECT_EQ(compileSmall({.dumpDir = folder.path}, folder.path + "/model.so"), "");
  EXPECT_THAT(folder.files(),
              ElementsAre("00-import.mlir", "01-raise.mlir", "02-page-attention.mlir",
                          "03-form-model.1.llm-form-model.mlir",
                          "04-roll-layers.1.llm-roll-layers.mlir", "05-choose-target.mlir",
                          "06-expand-experts.1.llm-expand-experts.mlir", "07-cse.1.cse.mlir",
                          "08-quantize-weights.mlir",
                          "09-quantize-activations.1.llm-quantize-activations.mlir",
                          "10-fuse.1.llm-fuse.mlir", "11-pack-weights.mlir", "12-lower.mlir",
                          "13-lower-to-llvm.1.convert-scf-to-cf.mlir",
                          "13-lower-to-llvm.2.convert-to-llvm.mlir",
                          "13-lower-to-llvm.3.reconcile-unrealized-casts.mlir", "14-emit.ll",
                          "14-emit.mlir", "14-emit.s", "model.so"));
  EXPECT_THAT(folder.read("10-fuse.1.llm-fuse.mlir"), HasSubstr("llm.fuse"));
  EXPECT_THAT(folder.read("14-emit.ll"), HasSubstr("define"));
}

TEST(Phases, ADumpFolderThatCannotBeMadeIsNamed) {
  EXPECT_THAT(compileSmall({.dumpDir = "/dev/null/x"}),
              AllOf(HasSubstr("error: --dump-dir=/dev/null/x"), HasSubstr("Not a directory")));
}

TEST(Phases, PassesOfAPluginRunWhereAsked) {
  std::vector<std::string> reported;
  CompileOptions options;
  options.pipeline = {.stopAfter = "cse",
                      .passPlugins = {LLMIR_TEST_PLUGIN},
                      .extraPasses = {"cse:llm.model(count-products)"}};
  options.report = [&](const std::string &line) { reported.push_back(line); };
  EXPECT_THAT(compileSmall(options), HasSubstr("products = 1"));
  EXPECT_THAT(reported, ElementsAre("remark: 1 products"));
}

TEST(Phases, WrongPluginsAndPipelinesAreNamed) {
  EXPECT_THAT(compileSmall({.passPlugins = {"/nowhere.so"}}),
              HasSubstr("error: --pass-plugin=/nowhere.so: "));
  EXPECT_THAT(compileSmall({.extraPasses = {"cse:no-such-pass"}}),
              AllOf(HasSubstr("error: --pass-pipeline-after=cse:no-such-pass: "),
                    HasSubstr("no-such-pass"), Not(HasSubstr("\n"))));
  EXPECT_THAT(compileSmall({.extraPasses = {"cse"}}), HasSubstr("must be PHASE:PIPELINE"));
  EXPECT_THAT(compileSmall({.extraPasses = {"fusion:cse"}}), HasSubstr("no such phase"));
}

TEST(Phases, APassThatFailsIsNamedWithItsReason) {
  EXPECT_THAT(
      compileSmall({.extraPasses = {"cse:llm.model(llm-quantize-activations{activations=int7})"}}),
      AllOf(HasSubstr("error: "), HasSubstr("int7"), Not(HasSubstr("\n"))));
}

TEST(Phases, ExactlyOneModelIsCompiled) {
  EXPECT_EQ(compileSmall(CompileOptions(), "", "func.func @f() { return }"),
            "error: the module has 0 llm.model and 0 llm.graph ops, exactly one is compiled");
}

constexpr const char *graphOfModel = R"(
llm.graph @whole attributes {source = "m.pt2", context_length = 64 : i64} {
  llm.weight @table : tensor<32x32xf32> from "table"
  func.func @forward(%batch: !llm.batch<mixed>) -> tensor<?x32xf32> {
    %tokens = llm.batch.tokens %batch : (!llm.batch<mixed>) -> tensor<?xi32>
    %table = llm.get_weight @table : tensor<32x32xf32>
    %x = llm.embed %tokens, %table : (tensor<?xi32>, tensor<32x32xf32>) -> tensor<?x32xf32>
    %o = llm.dense_attention %x, %x, %x, %batch {heads = 1 : i64, scale = 1.0 : f64}
           : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?x32xf32>, !llm.batch<mixed>) -> tensor<?x32xf32>
    %y = arith.addf %x, %o : tensor<?x32xf32>
    %logits = llm.linear %y, %table : (tensor<?x32xf32>, tensor<32x32xf32>) -> tensor<?x32xf32>
    return %logits : tensor<?x32xf32>
  }
})";

constexpr const char *graphOfBlock = R"(
llm.graph @block {
  func.func @forward(%batch: !llm.batch<mixed>, %x: tensor<?x32xf32>) -> tensor<?x32xf32> {
    %o = llm.dense_attention %x, %x, %x, %batch {heads = 1 : i64, scale = 1.0 : f64}
           : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?x32xf32>, !llm.batch<mixed>) -> tensor<?x32xf32>
    %y = arith.addf %x, %o : tensor<?x32xf32>
    return %y : tensor<?x32xf32>
  }
})";

TEST(Phases, AGraphFromTokensToLogitsBecomesAModel) {
  EXPECT_THAT(compileSmall({.stopAfter = "form-model"}, "", graphOfModel),
              AllOf(HasSubstr("llm.model @model"), HasSubstr("context_length = 64"),
                    HasSubstr("llm.logit_rows"), HasSubstr("source = \"m.pt2\"")));
  EXPECT_EQ(compileSmall(CompileOptions(), "", graphOfModel), "");
}

TEST(Phases, APartOfAModelStaysAGraphAndGoesUpToFuse) {
  EXPECT_THAT(compileSmall({.stopAfter = "fuse"}, "", graphOfBlock),
              AllOf(HasSubstr("llm.graph @block"), HasSubstr("llm.fuse heads"),
                    HasSubstr("llm.attention")));
  EXPECT_EQ(compileSmall(CompileOptions(), "", graphOfBlock),
            "error: the llm.graph is no whole model from tokens to logits, and only models are "
            "compiled; --stop-after=fuse prints it");
}

TEST(Phases, TimingNestsPassesInPhases) {
  testing::internal::CaptureStderr();
  compileSmall({.stopAfter = "lower-to-llvm", .timing = true});
  std::string report = testing::internal::GetCapturedStderr();
  for (const char *name : {"import", "quantize-activations", "Fuse", "lower-to-llvm", "Total"})
    EXPECT_THAT(report, HasSubstr(name));
}

} // namespace
