// What compiling leaves alone, what it reads from the IR, and what it refuses.
#include "llmir/compiler/Compile.h"
#include "llmir/abi/Manifest.h"
#include "llmir/compiler/PackWeights.h"
#include "llmir/dialect/Llm.h"
#include "llmir/formats/gguf/GgufWriter.h"
#include "llmir/frontend/WeightSource.h"
#include "llmir/reference/Interpreter.h"
#include "mlir/Parser/Parser.h"
#include <filesystem>
#include <gmock/gmock.h>
#include <unistd.h>

using namespace llmir;

namespace {

const char *const scale = "%in = llm.scale %x by 2.0 : tensor<?x4xf32>";

/// Compiles a model whose @step runs `body`, from %x to %in, and which `behind` follows.
struct Compiled {
  explicit Compiled(const std::string &attributes, const std::string &body = scale,
                    const std::string &behind = "", const WeightsPlanned &weightsPlanned = {},
                    const std::string &functions = "") {
    context.loadAllAvailableDialects();
    module = mlir::parseSourceString<mlir::ModuleOp>(
        R"(!kv = !llm.kv<layers = 1, heads = 1, k_dim = 4, v_dim = 4, block = 16, element = f32>
llm.model @m attributes {context_length = 8 : i64, vocabulary = 4 : i64)" +
            attributes + R"(} {
  llm.weight @table : tensor<4x4xf32> from "table"
  llm.weight @column : tensor<1x4xf32> from "column"
  func.func @step(%batch: !llm.batch<mixed>, %kv: !kv) -> (tensor<?x4xf32>, !kv) {
    %w = llm.get_weight @table : tensor<4x4xf32>
    %c = llm.get_weight @column : tensor<1x4xf32>
    %t = llm.batch.tokens %batch : (!llm.batch<mixed>) -> tensor<?xi32>
    %x = llm.embed %t, %w : (tensor<?xi32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    )" + body +
            R"(
    %y = llm.linear %in, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    return %y, %kv : tensor<?x4xf32>, !kv
  }
  )" + functions +
            "\n}\n" + behind,
        &context);
    if (!module)
      throw std::runtime_error("the test's IR does not parse");
    auto file =
        std::filesystem::temp_directory_path() / fmt::format("llmir-compile-{}.so", getpid());
    manifest = compileIr(*module, file, {}, weightsPlanned);
    std::filesystem::remove(file);
  }

  mlir::MLIRContext context{compilerDialects(), mlir::MLIRContext::Threading::DISABLED};
  mlir::OwningOpRef<mlir::ModuleOp> module;
  Expected<Manifest> manifest = fail("not compiled");
};

} // namespace

TEST(Compile, LeavesTheWorkflowAsItIs) {
  const std::string text =
      "llm.workflow @w serves @m batching <mode = continuous, max_sequences = 4, token_budget = "
      "16, "
      "chunked_prefill = true, policy = fcfs, preemption = recompute> cache <block = 16, sharing = "
      "hash, eviction = lru> speculation <method = ngram, tokens = 2> parallel <tensor = 1, "
      "pipeline = 1, data = 1>";
  Compiled compiled("", scale, text);
  ASSERT_TRUE(compiled.manifest) << compiled.manifest.error().message;
  auto workflows = llvm::to_vector(compiled.module->getOps<llm::WorkflowOp>());
  ASSERT_EQ(workflows.size(), 1u);
  std::string printed;
  llvm::raw_string_ostream(printed) << *workflows[0];
  EXPECT_EQ(printed, text);
}

TEST(Compile, ReadsTheTargetFromTheModel) {
  Compiled host("");
  ASSERT_TRUE(host.manifest) << host.manifest.error().message;
  EXPECT_TRUE((*host.module->getOps<llm::ModelOp>().begin()).getTargetAttr());
  Compiled chosen(", target = #llm.target<triple = \"x86_64-unknown-linux-gnu\", isa = avx2, "
                  "vector_bits = 256, cpu = \"x86-64-v3\", flags = [\"avx2\"]>");
  ASSERT_TRUE(chosen.manifest) << chosen.manifest.error().message;
  EXPECT_EQ(chosen.manifest->cpu, "x86-64-v3");
  EXPECT_EQ(chosen.manifest->features, std::vector<std::string>{"avx2"});
}

TEST(Compile, RefusesToSample) {
  Compiled compiled("", R"(
    %p = llm.linear %x, %c : (tensor<?x4xf32>, tensor<1x4xf32>) -> tensor<?x1xf32>
    %s = llm.sample %x, %p {temperature = 1.0 : f64} : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?xi32>
    %in = llm.embed %s, %w : (tensor<?xi32>, tensor<4x4xf32>) -> tensor<?x4xf32>)");
  ASSERT_FALSE(compiled.manifest);
  EXPECT_THAT(compiled.manifest.error().message,
              testing::HasSubstr("no CPU code generation for llm.sample: the runtime samples"));
}

TEST(Compile, RefusesFunctionsThatItCannotLower) {
  const std::string body = scale + std::string("\n");
  Compiled argument("", body + "%b = arith.constant true\nfunc.call @f(%b) : (i1) -> ()", "", {},
                    "func.func private @f(%a: i1) { return }");
  ASSERT_FALSE(argument.manifest);
  EXPECT_THAT(argument.manifest.error().message,
              testing::HasSubstr("no CPU code generation for an argument of @f"));
  Compiled flow("", body + "func.call @f() : () -> ()", "", {},
                "func.func private @f() { cf.br ^next\n^next: return }");
  ASSERT_FALSE(flow.manifest);
  EXPECT_THAT(flow.manifest.error().message,
              testing::HasSubstr("no CPU code generation for control flow in @f"));
}

TEST(Compile, RefusesWeightsOfAnotherTypeOrShape) {
  const std::vector<uint8_t> zeros(64);
  auto errorOf = [&](Format format, std::vector<int64_t> shape) {
    const GgufTensor tensor{
        .name = "w", .format = format, .shape = std::move(shape), .bytes = zeros};
    std::vector<uint8_t> packed;
    Compiled compiled("", scale, "", [&](const auto &table, const Manifest &manifest) {
      packed.resize(manifest.weightBytes);
      return packWeights(
          table, manifest, [&](const std::string &) -> Expected<GgufTensor> { return tensor; },
          packed.data());
    });
    return compiled.manifest ? std::string() : compiled.manifest.error().message;
  };
  EXPECT_THAT(errorOf(Format::Q8_0, {4, 4}),
              testing::HasSubstr("has the type q8_0, the model expects f32"));
  EXPECT_THAT(errorOf(Format::F32, {2, 8}),
              testing::HasSubstr("has the shape [2, 8], the model expects [4, 4]"));
}

TEST(Compile, RefusesOptionsAndNamesThatAreNotThere) {
  const std::string path =
      std::filesystem::temp_directory_path() / fmt::format("llmir-compile-{}.gguf", getpid());
  ASSERT_TRUE(GgufWriter().write(path));
  mlir::MLIRContext context(compilerDialects());
  CompileOptions options;
  options.kv = "f8";
  EXPECT_EQ(importModel(path, options, context).error().message, "--kv f8: must be f16 or f32");
  options.activations = "int4";
  EXPECT_EQ(planModel(path, options).error().message, "--activations int4: must be int8 or int16");
  auto file = GgufFile::open(path);
  std::filesystem::remove(path);
  ASSERT_TRUE(file);
  EXPECT_EQ(weightSource<reference::WeightBytes>(*file)("w").error().message,
            path + ": has no tensor w: is it the file that was imported?");
}
