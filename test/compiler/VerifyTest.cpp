// --verify: it finds each of the wrong rewrites of plugins/WrongRewrites.cpp and says where they
// are, and it finds nothing in what the compiler does to models of all kinds.
#include "test/models/RandomModel.h"

#include "llmir/abi/Manifest.h"
#include "llmir/compiler/PackWeights.h"
#include "llmir/compiler/Phases.h"
#include "llmir/compiler/VerifyCode.h"
#include "llmir/quant/Quantize.h"
#include "mlir/Parser/Parser.h"
#include <filesystem>
#include <gmock/gmock.h>
#include <map>
#include <random>

using namespace llmir;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace {

/// Two kinds of layers: one for the layers 0 and 2, one with a mixture of experts for layer 1.
constexpr const char *modelText = R"(
!kv = !llm.kv<layers = 3, heads = 2, k_dim = 8, v_dim = 8, block = 8, element = f16>
!batch = !llm.batch<mixed>
!x = tensor<?x32xf32>
!h = tensor<?x16xf32>
!q8 = tensor<64x32x!llm.quant<q8_0>>
llm.model @verified attributes {vocabulary = 40 : i64, context_length = 64 : i64} {
  llm.weight @embedding : tensor<40x32xf32> from "embedding"
  llm.weight @norm : tensor<32xf32> from "norm.{}" layers [0, 1, 2]
  llm.weight @norm2 : tensor<32xf32> from "norm2.{}" layers [0, 1, 2]
  llm.weight @q : tensor<32x32xf32> from "q.{}" layers [0, 1, 2]
  llm.weight @bias : tensor<32xf32> from "bias.{}" layers [0, 1, 2]
  llm.weight @k : tensor<16x32xf32> from "k.{}" layers [0, 1, 2]
  llm.weight @v : tensor<16x32xf32> from "v.{}" layers [0, 1, 2]
  llm.weight @gate : !q8 from "gate.{}" layers [0, 2]
  llm.weight @up : !q8 from "up.{}" layers [0, 2]
  llm.weight @down : tensor<32x64x!llm.quant<q8_0>> from "down.{}" layers [0, 2]
  llm.weight @router : tensor<4x32xf32> from "router"
  llm.weight @experts_gate : tensor<4x32x32xf32> from "experts_gate"
  llm.weight @experts_up : tensor<4x32x32xf32> from "experts_up"
  llm.weight @experts_down : tensor<4x32x32xf32> from "experts_down"
  func.func private @dense(%x: !x, %batch: !batch, %kv: !kv, %layer: index) -> (!x, !kv) {
    %p = llm.batch.positions %batch : (!batch) -> tensor<?xi32>
    %wn = llm.get_weight @norm[%layer] : tensor<32xf32>
    %wn2 = llm.get_weight @norm2[%layer] : tensor<32xf32>
    %wq = llm.get_weight @q[%layer] : tensor<32x32xf32>
    %wb = llm.get_weight @bias[%layer] : tensor<32xf32>
    %wk = llm.get_weight @k[%layer] : tensor<16x32xf32>
    %wv = llm.get_weight @v[%layer] : tensor<16x32xf32>
    %wgate = llm.get_weight @gate[%layer] : !q8
    %wup = llm.get_weight @up[%layer] : !q8
    %wdown = llm.get_weight @down[%layer] : tensor<32x64x!llm.quant<q8_0>>
    %n = llm.rms_norm %x, %wn {eps = 1.0e-06 : f64} : !x, tensor<32xf32>
    %q0 = llm.linear %n, %wq bias %wb : (!x, tensor<32x32xf32>, tensor<32xf32>) -> !x
    %k0 = llm.linear %n, %wk : (!x, tensor<16x32xf32>) -> !h
    %v = llm.linear %n, %wv : (!x, tensor<16x32xf32>) -> !h
    %q1 = llm.rope %q0, %p {head_dim = 8 : i64, rope = #llm.rope<style = half, dim = 8, theta = 1.0e+04 : f64, magnitude = 1.0 : f64, factors = []>} : !x, tensor<?xi32>
    %k1 = llm.rope %k0, %p {head_dim = 8 : i64, rope = #llm.rope<style = half, dim = 8, theta = 1.0e+04 : f64, magnitude = 1.0 : f64, factors = []>} : !h, tensor<?xi32>
    %kv1 = llm.kv_append %kv[%layer], %k1, %v, %batch : !kv, !h, !h, !batch
    %a = llm.attention %q1, %kv1[%layer], %batch {scale = 0.35 : f64, window = 5 : i64, softcap = 9.0 : f64} : (!x, !kv, !batch) -> !x
    %y = arith.addf %x, %a : !x
    %n2 = llm.rms_norm %y, %wn2 {eps = 1.0e-06 : f64} : !x, tensor<32xf32>
    %g = llm.linear %n2, %wgate : (!x, !q8) -> tensor<?x64xf32>
    %u = llm.linear %n2, %wup : (!x, !q8) -> tensor<?x64xf32>
    %m = llm.glu silu %g, %u : tensor<?x64xf32>
    %d = llm.linear %m, %wdown : (tensor<?x64xf32>, tensor<32x64x!llm.quant<q8_0>>) -> !x
    %z = arith.subf %y, %d : !x
    return %z, %kv1 : !x, !kv
  }
  func.func private @mixed(%x: !x, %batch: !batch, %kv: !kv, %layer: index) -> (!x, !kv) {
    %wn = llm.get_weight @norm[%layer] : tensor<32xf32>
    %wb = llm.get_weight @bias[%layer] : tensor<32xf32>
    %wk = llm.get_weight @k[%layer] : tensor<16x32xf32>
    %wr = llm.get_weight @router : tensor<4x32xf32>
    %wg = llm.get_weight @experts_gate : tensor<4x32x32xf32>
    %wu = llm.get_weight @experts_up : tensor<4x32x32xf32>
    %wd = llm.get_weight @experts_down : tensor<4x32x32xf32>
    %n = llm.layer_norm %x, %wn bias %wb {eps = 1.0e-06 : f64} : !x, tensor<32xf32>, tensor<32xf32>
    %k = llm.linear %n, %wk : (!x, tensor<16x32xf32>) -> !h
    %kv1 = llm.kv_append %kv[%layer], %k, %k, %batch : !kv, !h, !h, !batch
    %a = llm.attention %n, %kv1[%layer], %batch {scale = 0.35 : f64, windows = array<i64: 0, 6, 9>} : (!x, !kv, !batch) -> !x
    %r = llm.linear %a, %wr : (!x, tensor<4x32xf32>) -> tensor<?x4xf32>
    %e = llm.moe gelu %a, %wg, %wu, %wd by softmax %r top 2 : (!x, tensor<4x32x32xf32>, tensor<4x32x32xf32>, tensor<4x32x32xf32>, tensor<?x4xf32>) -> !x
    %s = llm.scale %e by 0.25 : !x
    %y = arith.addf %x, %s : !x
    return %y, %kv1 : !x, !kv
  }
  func.func @step(%batch: !batch, %kv: !kv) -> (tensor<?x40xf32>, !kv) {
    %t = llm.batch.tokens %batch : (!batch) -> tensor<?xi32>
    %w = llm.get_weight @embedding : tensor<40x32xf32>
    %e = llm.embed %t, %w : (tensor<?xi32>, tensor<40x32xf32>) -> !x
    %x0 = llm.scale %e by 5.0 : !x
    %l0 = arith.constant 0 : index
    %x1, %kv1 = func.call @dense(%x0, %batch, %kv, %l0) : (!x, !batch, !kv, index) -> (!x, !kv)
    %l1 = arith.constant 1 : index
    %x2, %kv2 = func.call @mixed(%x1, %batch, %kv1, %l1) : (!x, !batch, !kv, index) -> (!x, !kv)
    %l2 = arith.constant 2 : index
    %x3, %kv3 = func.call @dense(%x2, %batch, %kv2, %l2) : (!x, !batch, !kv, index) -> (!x, !kv)
    %rows = llm.logit_rows %x3, %batch : (!x, !batch) -> !x
    %logits = llm.linear %rows, %w : (!x, tensor<40x32xf32>) -> tensor<?x40xf32>
    %capped = llm.softcap %logits at 8.0 : tensor<?x40xf32>
    return %capped, %kv3 : tensor<?x40xf32>, !kv
  }
})";

struct Result {
  std::string error;
  std::vector<std::string> reported;
};

/// Compiles up to fuse with --verify.
Result verify(const std::string &text, const std::map<std::string, test::RandomTensor> &tensors,
              CompileOptions options) {
  mlir::MLIRContext context(compilerDialects(), mlir::MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  if (!module)
    return {"the IR does not parse", {}};
  Result result;
  options.pipeline.verify = true;
  if (options.pipeline.stopAfter.empty())
    options.pipeline.stopAfter = "fuse";
  options.report = [&](const std::string &line) { result.reported.push_back(line); };
  reference::WeightSource source;
  if (!tensors.empty())
    source = [&](llvm::StringRef name) -> Expected<reference::WeightBytes> {
      const test::RandomTensor &tensor = tensors.at(name.str());
      return reference::WeightBytes{tensor.format, tensor.shape, tensor.bytes};
    };
  if (auto compiled = compileIr(*module, "", options, {}, source); !compiled)
    result.error = compiled.error().message;
  return result;
}

/// Random weights for `modelText`.
std::map<std::string, test::RandomTensor> makeTensors() {
  mlir::MLIRContext context(compilerDialects(), mlir::MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  auto module = mlir::parseSourceString<mlir::ModuleOp>(modelText, &context);
  std::mt19937_64 random(1);
  std::map<std::string, test::RandomTensor> tensors;
  module->walk([&](llm::WeightOp op) {
    const Format format = *llm::formatOf(op.getTensorType().getElementType());
    const int64_t columns = op.getTensorType().getShape().back(),
                  count = op.getTensorType().getNumElements();
    for (int64_t layer = 0; layer < 3; ++layer) {
      std::vector<float> values(count);
      for (float &value : values)
        value = static_cast<float>(int64_t(random() % 2001) - 1000) * 3e-4f;
      const auto *floats = reinterpret_cast<const uint8_t *>(values.data());
      std::vector<uint8_t> bytes(floats, floats + count * 4);
      if (format != Format::F32) {
        bytes.resize(rowBytes(format, count));
        EXPECT_TRUE(
            quantizeRows(Format::F32, floats, format, bytes.data(), count / columns, columns));
      }
      tensors[op.sourceName(layer)] = {format, op.getTensorType().getShape().vec(), bytes};
    }
  });
  return tensors;
}

const std::map<std::string, test::RandomTensor> &tensorsOfModel() {
  static const auto tensors = makeTensors();
  return tensors;
}

Result verifyWith(const std::string &pass, const std::string &phase = "import") {
  CompileOptions options;
  options.pipeline.passPlugins = {LLMIR_WRONG_REWRITES};
  options.pipeline.extraPasses = {phase + ":llm.model(" + pass + ")"};
  options.pipeline.stopAfter = phase;
  return verify(modelText, tensorsOfModel(), options);
}

TEST(Verify, FindsEveryWrongRewrite) {
  // The pass, the function that it changes, and what the first op that differs looks like.
  const char *const rewrites[][3] = {
      {"difference", "dense computes for layer 0", "arith.subf"},
      {"residual", "dense computes for layer 0", "llm.rms_norm"},
      {"eps", "dense computes for layer 0", "eps = 2."},
      {"layer-norm-bias", "mixed computes for layer 0", "llm.layer_norm"},
      {"rope-style", "dense computes for layer 0", "style = interleaved"},
      {"theta", "dense computes for layer 0", "llm.rope"},
      {"window", "dense computes for layer 0", "window = 6"},
      {"softcap", "step computes", "is missing is the value of `%9 = llm.softcap"},
      {"attention-softcap", "dense computes for layer 0", "llm.attention"},
      {"attention-scale", "dense computes for layer 0", "llm.attention"},
      {"scale-of-last-kind", "mixed computes for layer 0", "llm.scale"},
      {"weight-of-layer-0", "dense computes for layer 2", "llm.rms_norm"},
      {"cache-of-layer-0", "dense computes for layer 2", "llm.attention"},
      {"layers-swapped", "step computes", "in @dense"},
      {"stale-cache", "dense computes for layer 0", "llm.attention"},
      {"keys-as-values", "dense computes for layer 0", "llm.attention"},
      {"gelu", "dense computes for layer 0", "llm.glu  gelu"},
      {"gate-as-up", "dense computes for layer 0", "llm.glu"},
      {"bias", "dense computes for layer 0", "llm.linear"},
      {"norms-swapped", "dense computes for layer 0", "llm.rms_norm"},
      {"logits-of-the-embedding", "step computes", "llm.logit_rows"},
      {"embedding-scale", "step computes", "in @dense"},
      {"top-k", "mixed computes for layer 0", "llm.moe"},
      {"renormalise", "mixed computes for layer 0", "llm.moe"},
      {"times-1.0001", "dense computes for layer 0", "llm.scale"},
      {"window-of-last-layer", "mixed computes for layer 2", "llm.attention"},
  };
  for (auto [name, function, op] : rewrites) {
    SCOPED_TRACE(name);
    Result result = verifyWith(fmt::format("wrong-{}", name));
    EXPECT_THAT(
        result.error,
        StartsWith(fmt::format("--verify: the pass wrong-{} changes what @{}: ", name, function)));
    EXPECT_THAT(result.error,
                AllOf(HasSubstr(op), HasSubstr("the largest difference is "),
                      HasSubstr("the input is '"), HasSubstr("of seed 1: "), Not(HasSubstr("\n"))));
  }
}

TEST(Verify, SaysWhatIsNeededToSeeItAgain) {
  EXPECT_THAT(
      verifyWith("wrong-times-1.0001").error,
      AllOf(
          StartsWith("--verify: the pass wrong-times-1.0001 changes what @dense computes for layer "
                     "0: the first new value is that of `%12 = llm.scale %11 by 1.000100e+00 : "
                     "tensor<?x32xf32>` in @dense; the largest difference is 3.43e-05 ("),
          testing::EndsWith(") at row 1, column 13 of result 0; the input is 'mixed' of seed 1: 1 "
                            "token at 7, 3 tokens at 6, 2 tokens at 0, 1 token at 17")));
}

TEST(Verify, LooksIntoPhases) {
  EXPECT_THAT(verifyWith("wrong-eps", "fuse").error,
              AllOf(StartsWith("--verify: the pass wrong-eps changes what @dense computes"),
                    HasSubstr("llm.rms_norm"), HasSubstr("in @dense")));
}

TEST(Verify, SaysWhatCannotBeCompared) {
  EXPECT_EQ(verifyWith("wrong-cache-type").error,
            "--verify: the pass wrong-cache-type changes the type of @step");
  EXPECT_THAT(verifyWith("wrong-op").error,
              AllOf(StartsWith("--verify: behind the pass wrong-op: "),
                    HasSubstr("'arith.divf': the interpreter has no definition of this op")));
  EXPECT_EQ(verify(modelText, {}, {}).error, "--verify: the weights are not there, only the IR");
}

TEST(Verify, FindsNothingInACorrectModel) {
  Result result = verify(modelText, tensorsOfModel(), {});
  EXPECT_EQ(result.error, "");
  EXPECT_THAT(result.reported,
              testing::ElementsAre("remark: verified 4 passes that changed the model: 216 "
                                   "comparisons on 9 inputs, the same bits"));
}

TEST(Verify, FindsNothingInRandomModels) {
  for (int seed = 0; seed < 9; ++seed) {
    SCOPED_TRACE(seed);
    test::RandomModel model = test::randomModel(seed);
    CompileOptions options;
    options.activations = seed % 2 ? "int8" : "int16";
    options.quantize = seed % 3 == 1 ? "int8" : seed % 3 == 2 ? "int4" : "none";
    EXPECT_EQ(verify(model.ir, model.tensors, options).error, "") << model.ir;
  }
}

/// Compiles the model with --verify to code; with `spoil`, its packed weights are wrong.
Result verifyCode(const std::string &target, bool spoil) {
  mlir::MLIRContext context(compilerDialects(), mlir::MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  std::string text = modelText; // no code is generated for a difference
  text.replace(text.find("arith.subf"), 10, "arith.addf");
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  const auto &tensors = tensorsOfModel();
  Result result;
  CompileOptions options;
  options.target = target;
  options.pipeline.verify = true;
  options.report = [&](const std::string &line) { result.reported.push_back(line); };
  const std::string file = testing::TempDir() + fmt::format("llmir-verify-{}.so", getpid());
  std::vector<uint8_t> memory;
  std::span<uint8_t> packed;
  auto pack = [&](const cpu::WeightTable &table, const Manifest &manifest) {
    memory.resize(manifest.weightBytes + 64);
    uint8_t *aligned = memory.data() + (64 - reinterpret_cast<uintptr_t>(memory.data()) % 64);
    packed = {aligned, static_cast<size_t>(manifest.weightBytes)};
    Status status = packWeights(
        table, manifest,
        [&](const std::string &name) -> Expected<GgufTensor> {
          const test::RandomTensor &tensor = tensors.at(name);
          return GgufTensor{
              .name = name, .format = tensor.format, .shape = tensor.shape, .bytes = tensor.bytes};
        },
        aligned);
    if (spoil)
      std::ranges::fill(packed, 0);
    return status;
  };
  Compilation compilation{
      .options = options,
      .context = context,
      .import = {},
      .codeFile = file,
      .weightsPlanned = pack,
      .weightSource = [&](llvm::StringRef name) -> Expected<reference::WeightBytes> {
        const test::RandomTensor &tensor = tensors.at(name.str());
        return reference::WeightBytes{tensor.format, tensor.shape, tensor.bytes};
      },
      .packedWeights = [&] { return std::span<const uint8_t>(packed); },
      .llmModule = *module};
  if (auto status = runPhases(compilation); !status)
    result.error = status.error().message;
  std::filesystem::remove(file);
  return result;
}

TEST(Verify, ComparesTheCompiledCode) {
  Result result = verifyCode("host", false);
  ASSERT_EQ(result.error, "");
  EXPECT_THAT(result.reported.back(), AllOf(HasSubstr("; the compiled code's logits differ by "),
                                            HasSubstr(" (0.6 is allowed) on 3 inputs")));
  EXPECT_THAT(verifyCode("host", true).error,
              AllOf(StartsWith("--verify: the compiled code's logits differ from the model's by "),
                    HasSubstr("rounding explains 0.6; the input is 'first token' of seed 1: ")));
}

TEST(Verify, SaysThatCodeCannotBeLoaded) {
  auto code = LoadedCode::load("/nowhere.so", Manifest(), {});
  ASSERT_FALSE(code);
  EXPECT_THAT(code.error().message,
              StartsWith("--verify: the code cannot be loaded: /nowhere.so: "));
}

TEST(Verify, SaysThatForeignCodeIsNotCompared) {
  Result result = verifyCode("aarch64", false);
  ASSERT_EQ(result.error, "");
#ifdef __x86_64__
  EXPECT_THAT(result.reported.back(),
              HasSubstr("; the compiled code was not run: it is for aarch64-unknown-linux-gnu"));
#endif
}

} // namespace
