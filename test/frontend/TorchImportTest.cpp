// What import makes of an archive's weights and of where an op comes from, which no printed IR
// shows.
#include "../formats/ZipBytes.h"

#include "llmir/frontend/Import.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>

using namespace llmir;
using namespace mlir;
using testing::HasSubstr;

namespace {

/// y = x + w, where w is a parameter or a buffer of the type and number of elements.
std::string graphOf(const char *kind, int dtype, int64_t elements) {
  const std::string text = R"json({"schema_version": {"major": 8, "minor": 20}, "graph_module": {
"graph": {"inputs": [], "outputs": [],
 "nodes": [{"target": "torch.ops.aten.add.Tensor",
  "inputs": [{"name": "self", "arg": {"as_tensor": {"name": "x"}}},
             {"name": "other", "arg": {"as_tensor": {"name": "w"}}}],
  "outputs": [{"as_tensor": {"name": "y"}}],
  "metadata": {"stack_trace": "File \"/src/b.py\", line 12, in g", "nn_module_stack": "L,blocks.0,m.B"}}],
 "tensor_values": {"w": {"dtype": DTYPE, "sizes": [{"as_int": SIZE}]},
  "x": {"dtype": DTYPE, "sizes": [{"as_int": SIZE}]}, "y": {"dtype": DTYPE, "sizes": [{"as_int": SIZE}]}}},
"signature": {"input_specs": [
  {"KIND": {"arg": {"name": "w"}, "KIND_name": "a.w"}},
  {"user_input": {"arg": {"as_tensor": {"name": "x"}}}}],
 "output_specs": [{"user_output": {"arg": {"as_tensor": {"name": "y"}}}}]}}})json";
  std::string result = text;
  for (auto [from, to] : {std::pair<std::string, std::string>("DTYPE", std::to_string(dtype)),
                          {"SIZE", std::to_string(elements)},
                          {"KIND", kind}})
    for (size_t at; (at = result.find(from)) != result.npos;)
      result.replace(at, from.size(), to);
  return result;
}

class TorchImport : public testing::Test {
public:
  ~TorchImport() override { std::filesystem::remove(path); }

  /// Imports `graph` with one stored tensor, a.w unless it has another name.
  Expected<OwningOpRef<ModuleOp>> import(const std::string &graph, int dtype, int64_t elements,
                                         const std::string &bytes, const char *name = "a.w") {
    const std::string config = fmt::format(
        R"({{"config": {{"{}": {{"path_name": "w_0", "use_pickle": false, "tensor_meta":
           {{"dtype": {}, "sizes": [{{"as_int": {}}}], "strides": [{{"as_int": 1}}]}}}}}}}})",
        name, dtype, elements);
    std::ofstream(path, std::ios::binary)
        << zipOf({{"m/models/m.json", graph},
                  {"m/data/weights/m_weights_config.json", config},
                  {"m/data/weights/w_0", bytes}});
    auto archive = torch_export::Archive::open(path);
    EXPECT_TRUE(archive) << archive.error().message;
    return importTorch(*archive, context);
  }
  std::string errorOf(const std::string &graph, int dtype, int64_t elements,
                      const std::string &bytes, const char *name = "a.w") {
    auto module = import(graph, dtype, elements, bytes, name);
    return module ? "imported" : module.error().message;
  }

  MLIRContext context;
  std::string path = testing::TempDir() + "/torch_import.pt2";
};

constexpr int f32 = 7, i64 = 5, boolean = 12;

} // namespace

TEST_F(TorchImport, OpsKnowTheirSourceLineAndModule) {
  auto module = import(graphOf("parameter", f32, 4), f32, 4, std::string(16, '\0'));
  ASSERT_TRUE(module) << module.error().message;
  std::string location;
  (*module)->walk([&](arith::AddFOp op) { llvm::raw_string_ostream(location) << op.getLoc(); });
  EXPECT_THAT(location, HasSubstr("\"/src/b.py\":12"));
  EXPECT_THAT(location, HasSubstr("blocks.0"));
}

TEST_F(TorchImport, ParametersAreWeightsAndBuffersConstants) {
  auto count = [&](const char *kind, int dtype, int64_t elements, const std::string &bytes) {
    auto module = import(graphOf(kind, dtype, elements), dtype, elements, bytes);
    EXPECT_TRUE(module) << module.error().message;
    int weights = 0;
    (*module)->walk([&](llm::WeightOp) { ++weights; });
    return weights;
  };
  EXPECT_EQ(count("parameter", f32, 4, std::string(16, '\0')), 1);
  EXPECT_EQ(count("parameter", i64, 4, std::string(32, '\0')), 0);
  EXPECT_EQ(count("buffer", f32, 4, std::string(16, '\0')), 0);
  EXPECT_EQ(count("buffer", f32, 0, ""), 0);
  auto module = import(graphOf("buffer", boolean, 3), boolean, 3, std::string("\1\0\1", 3));
  ASSERT_TRUE(module) << module.error().message;
  (*module)->walk([&](arith::ConstantOp op) {
    if (auto values = dyn_cast<DenseElementsAttr>(op.getValue())) {
      EXPECT_THAT(llvm::to_vector(values.getValues<bool>()),
                  testing::ElementsAre(true, false, true));
    }
  });
}

TEST_F(TorchImport, WeightsThatDoNotFitTheGraph) {
  const std::string bytes(16, '\0');
  EXPECT_THAT(errorOf(graphOf("parameter", f32, 4), f32, 4, bytes, "b.w"),
              HasSubstr("has no weight a.w; export the model again"));
  EXPECT_THAT(errorOf(graphOf("parameter", f32, 2), f32, 4, bytes),
              HasSubstr("the weight a.w is stored as float32 [4], the graph says float32 [2]"));
  EXPECT_THAT(errorOf(graphOf("parameter", i64, 2), f32, 4, bytes),
              HasSubstr("the graph says int64 [2]"));
  const int64_t many = (int64_t(4) << 20) + 1;
  EXPECT_THAT(errorOf(graphOf("buffer", f32, many), f32, many, std::string(4 * many, '\0')),
              HasSubstr("the constant a.w has 16777220 bytes, at most 16777216 are allowed"));
}
