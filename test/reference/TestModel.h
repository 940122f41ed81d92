// What the interpreter's tests share: a model from IR text with weights from memory, inputs chosen
// freely (each token's embedding is a row of the test's own), results compared number by number.
#pragma once

#include "llmir/reference/Interpreter.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"
#include <cmath>
#include <complex>
#include <cstring>
#include <gmock/gmock.h>
#include <map>
#include <random>

namespace llmir::reference {

using Rows = std::vector<std::vector<float>>;

inline std::vector<float> randomVector(size_t count, uint32_t seed, float limit = 1) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> uniform(-limit, limit);
  std::vector<float> values(count);
  for (float &value : values)
    value = uniform(generator);
  return values;
}

inline Rows randomRows(size_t rows, size_t columns, uint32_t seed, float limit = 1) {
  Rows result;
  for (size_t r = 0; r < rows; ++r)
    result.push_back(randomVector(columns, seed * 1000 + static_cast<uint32_t>(r), limit));
  return result;
}

class TestModel {
public:
  static constexpr const char *defaultKv =
      "!llm.kv<layers = 2, heads = 1, k_dim = 4, v_dim = 4, block = 8, element = f32>";

  /// A model whose @step reads %x, the embeddings of the tokens, then runs `body`, which defines %y
  /// (and %kv1 from %kv if it appends). At hand: %zero, %positions, %batch, %kv and the alias !kv.
  TestModel(const Rows &inputs, const std::string &declarations, const std::string &body,
            int64_t outputs, const std::string &kvType = defaultKv, const char *kind = "mixed") {
    std::string in = std::to_string(inputs[0].size()), out = std::to_string(outputs);
    std::string table = "tensor<" + std::to_string(inputs.size()) + "x" + in + "xf32>";
    std::string x = "tensor<?x" + in + "xf32>", y = "tensor<?x" + out + "xf32>";
    std::string batch = std::string("!llm.batch<") + kind + ">";
    bool appends =
        body.find("%kv1 =") != std::string::npos || body.find(", %kv1 ") != std::string::npos;
    parse("!kv = " + kvType + "\n!batch = " + batch + "\n" +
          "llm.model @m attributes {context_length = 64 : i64, vocabulary = " + out +
          " : i64} {\n" + "llm.weight @table : " + table + " from \"table\"\n" + declarations +
          "\nfunc.func @step(%batch: !batch, %kv: !kv) -> (" + y + ", !kv) {\n" +
          "%zero = arith.constant 0 : index\n%table = llm.get_weight @table : " + table + "\n" +
          "%tokens = llm.batch.tokens %batch : (!batch) -> tensor<?xi32>\n" +
          "%positions = llm.batch.positions %batch : (!batch) -> tensor<?xi32>\n" +
          "%x = llm.embed %tokens, %table : (tensor<?xi32>, " + table + ") -> " + x + "\n" + body +
          "\nreturn %y, " + (appends ? "%kv1" : "%kv") + " : " + y + ", !kv\n}\n}\n");
    std::vector<float> flat;
    for (const auto &row : inputs)
      flat.insert(flat.end(), row.begin(), row.end());
    addFloats("table",
              {static_cast<int64_t>(inputs.size()), static_cast<int64_t>(inputs[0].size())}, flat);
    numInputs = inputs.size();
  }

  void addBytes(const std::string &name, Format format, std::vector<int64_t> shape,
                std::vector<uint8_t> bytes) {
    stored[name] = {format, std::move(shape), std::move(bytes)};
  }
  void addFloats(const std::string &name, std::vector<int64_t> shape,
                 const std::vector<float> &values) {
    std::vector<uint8_t> bytes(values.size() * sizeof(float));
    std::memcpy(bytes.data(), values.data(), bytes.size());
    addBytes(name, Format::F32, std::move(shape), std::move(bytes));
  }
  void addHalves(const std::string &name, std::vector<int64_t> shape,
                 const std::vector<float> &values) {
    std::vector<uint8_t> bytes;
    for (float value : values) {
      uint16_t half = floatToHalf(value);
      bytes.push_back(half & 255);
      bytes.push_back(half >> 8);
    }
    addBytes(name, Format::F16, std::move(shape), std::move(bytes));
  }

  llm::ModelOp model() { return *module->getBody()->getOps<llm::ModelOp>().begin(); }
  KvCache cache(int64_t blocks = 8) { return KvCache(model().getKvType(), blocks); }
  Interpreter interpreter(int threads = 1) {
    auto source = [this](llvm::StringRef name) -> Expected<WeightBytes> {
      auto found = stored.find(name.str());
      if (found == stored.end())
        return fail("no such tensor");
      return WeightBytes{found->second.format, found->second.shape, found->second.bytes};
    };
    return Interpreter(model(), source, {threads});
  }

  /// One sequence of all inputs, from position `start` on; fails the test on an error.
  Tensor run(int32_t start = 0, int threads = 1) {
    auto result = tryRun(start, threads);
    EXPECT_TRUE(result.has_value()) << result.error().message;
    return result ? *result : Tensor{{0, 0}};
  }
  Expected<Tensor> tryRun(int32_t start = 0, int threads = 1) {
    SequenceStep sequence{{}, start, {0, 1, 2, 3, 4, 5, 6, 7}};
    for (size_t i = 0; i < numInputs; ++i)
      sequence.tokens.push_back(static_cast<int32_t>(i));
    KvCache kv = cache();
    return interpreter(threads).step(Batch::of({&sequence, 1}, kv.getType().getBlock()), kv);
  }

private:
  struct Stored {
    Format format;
    std::vector<int64_t> shape;
    std::vector<uint8_t> bytes;
  };

  void parse(const std::string &text) {
    context.loadDialect<llm::LlmDialect, mlir::cf::ControlFlowDialect, mlir::scf::SCFDialect>();
    module = mlir::parseSourceString<mlir::ModuleOp>(text, &context, "test.mlir");
    if (!module)
      throw std::runtime_error("the test's IR does not parse:\n" + text);
  }

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::map<std::string, Stored> stored;
  size_t numInputs = 0;
};

inline void expectRow(const Tensor &tensor, int64_t row, const std::vector<double> &expected,
                      double tolerance = 1e-6) {
  ASSERT_LT(row, tensor.rows());
  ASSERT_EQ(tensor.columns(), static_cast<int64_t>(expected.size()));
  for (size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(tensor.row(row)[i], expected[i], tolerance * std::max(1.0, std::abs(expected[i])))
        << "row " << row << ", column " << i;
}

} // namespace llmir::reference
