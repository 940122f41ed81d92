// Archives of torch.export: what is read, and every way in which zip, graph and weights can lie.
#include "ZipBytes.h"

#include "llmir/formats/model/TorchExport.h"
#include "llmir/formats/torch_export/Archive.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <zlib.h>

using namespace llmir;
using namespace llmir::torch_export;
using testing::HasSubstr;

namespace {

/// From memory that ends where the file does: a sanitizer sees any byte too far.
Expected<Contents> parse(const std::string &file) {
  auto copy = std::make_shared<std::vector<uint8_t>>(file.begin(), file.end());
  static std::vector<std::shared_ptr<std::vector<uint8_t>>> kept; // results are views
  kept.push_back(copy);
  auto contents = parseArchive(*copy, "m.pt2");
  if (!contents) {
    const std::string &message = contents.error().message;
    EXPECT_TRUE(message.starts_with("m.pt2: ")) << message;
    EXPECT_TRUE(std::ranges::none_of(message, [](unsigned char c) { return c < 32; })) << message;
    EXPECT_LT(message.size(), 500u) << message;
  }
  return contents;
}

std::string errorOf(const std::string &file) {
  auto contents = parse(file);
  return contents ? "read" : contents.error().message;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, text.npos) << from;
  return text.replace(at, from.size(), to);
}

const std::string graph =
    R"json({"schema_version": {"major": 8, "minor": 20}, "graph_module": {"graph": {
"inputs": [{"as_tensor": {"name": "p_w"}}, {"as_tensor": {"name": "x"}}],
"outputs": [{"as_tensor": {"name": "y"}}],
"nodes": [{"target": "torch.ops.aten.mul.Tensor",
  "inputs": [{"name": "self", "arg": {"as_tensor": {"name": "x"}}, "kind": 1},
             {"name": "other", "arg": {"as_float": "Infinity"}, "kind": 1}],
  "outputs": [{"as_tensor": {"name": "y"}}],
  "metadata": {"stack_trace": "File \"a.py\", line 3, in f\n  x\n  File \"b.py\", line 12, in g\n  y",
    "nn_module_stack": "L__self__,,m.M;L__self__a,blocks.0,m.B"}}],
"tensor_values": {
  "p_w": {"dtype": 7, "sizes": [{"as_int": 2}, {"as_int": 3}]},
  "x": {"dtype": 7, "sizes": [{"as_expr": {"expr_str": "Symbol('s0', integer=True)"}}, {"as_int": 3}]},
  "y": {"dtype": 7, "sizes": [{"as_expr": {"expr_str": "Symbol('s0', integer=True)"}}, {"as_int": 3}]}},
"sym_int_values": {"s": {"as_expr": {"expr_str": "Symbol('s0')", "hint": {"as_int": 5}}}, "n": {"as_int": 4}}},
"signature": {"input_specs": [
  {"parameter": {"arg": {"name": "p_w"}, "parameter_name": "w"}},
  {"user_input": {"arg": {"as_tensor": {"name": "x"}}}}],
 "output_specs": [{"user_output": {"arg": {"as_tensor": {"name": "y"}}}}]}}})json";

const std::string weights =
    R"({"config": {"w": {"path_name": "weight_0", "is_param": true, "use_pickle": false, "tensor_meta":
{"dtype": 7, "sizes": [{"as_int": 2}, {"as_int": 3}], "strides": [{"as_int": 3}, {"as_int": 1}],
 "storage_offset": {"as_int": 0}, "layout": 7}}}})";

const std::string bytes(24, '\1');

std::string archiveOf(const std::string &graph, const std::string &weights,
                      std::vector<ZipFile> more = {{"m/data/weights/weight_0", bytes}}) {
  more.push_back({"m/models/model.json", graph});
  more.push_back({"m/data/weights/model_weights_config.json", weights});
  return zipOf(more);
}

std::string deflated(const std::string &text) {
  std::string out(text.size() + 64, '\0');
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(text.data()));
  stream.avail_in = text.size();
  stream.next_out = reinterpret_cast<Bytef *>(out.data());
  stream.avail_out = out.size();
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string graphError(std::string_view from, std::string_view to) {
  return errorOf(replaced(graph, from, to));
}
std::string weightsError(std::string_view from, std::string_view to) {
  return errorOf(archiveOf(graph, replaced(weights, from, to)));
}

} // namespace

TEST(TorchExport, AGraphAndItsWeights) {
  auto contents = parse(archiveOf(graph, weights));
  ASSERT_TRUE(contents) << contents.error().message;
  const Graph &g = contents->program.graph;
  ASSERT_EQ(g.nodes.size(), 1u);
  EXPECT_EQ(g.nodes[0].target, "torch.ops.aten.mul.Tensor");
  EXPECT_EQ(g.nodes[0].modulePath, "blocks.0");
  EXPECT_EQ(g.nodes[0].file, "b.py");
  EXPECT_EQ(g.nodes[0].line, 12);
  EXPECT_EQ(std::get<double>(g.nodes[0].inputs[1].value), std::numeric_limits<double>::infinity());
  EXPECT_EQ(g.tensors.at("x").sizes[0].text(), "s0");
  EXPECT_EQ(std::get<int64_t>(g.symbolicInts.at("n")), 4);
  ASSERT_EQ(contents->program.inputs.size(), 2u);
  EXPECT_EQ(contents->program.inputs[0].source, "w");
  const StoredTensor &w = contents->tensors.at("w");
  EXPECT_EQ(w.shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(std::string(w.bytes.begin(), w.bytes.end()), bytes);
}

TEST(TorchExport, AGraphByItselfHasNoWeights) {
  auto contents = parse(graph);
  ASSERT_TRUE(contents) << contents.error().message;
  EXPECT_TRUE(contents->tensors.empty());
}

TEST(TorchExport, ThePackedGraphIsUnpacked) {
  ZipFile packed{"m/models/model.json", deflated(graph), int64_t(graph.size()), 8};
  EXPECT_TRUE(parse(zipOf({packed})));
  packed.bytes.pop_back();
  EXPECT_THAT(errorOf(zipOf({packed})), HasSubstr("is damaged: it does not unpack to"));
}

TEST(TorchExport, WeightsAreSeenAsThoseOfAGgufFile) {
  const std::string path = testing::TempDir() + "/weights.pt2";
  std::ofstream(path, std::ios::binary) << archiveOf(graph, weights);
  EXPECT_TRUE(isTorchModel(path));
  EXPECT_FALSE(isTorchModel(testing::TempDir()));
  auto model = openTorchModel(path);
  ASSERT_TRUE(model) << model.error().message;
  const GgufTensor *w = model->weights.findTensor("w");
  ASSERT_TRUE(w);
  EXPECT_EQ(w->format, Format::F32);
  EXPECT_EQ(w->bytes.size(), 24u);
  std::filesystem::remove(path);
  EXPECT_FALSE(openTorchModel(path));
}

TEST(TorchExport, DamagedZipArchives) {
  const std::string whole = archiveOf(graph, weights);
  for (size_t length : {size_t(4), size_t(30), whole.size() / 2, whole.size() - 22})
    EXPECT_THAT(errorOf(whole.substr(0, length)), HasSubstr("is no zip archive, or was cut off"));
  auto one = [](ZipFile file) { return errorOf(zipOf({std::move(file)})); };
  for (const char *path : {"../x", "m/../../x", "/etc/x", "a\\b", ""})
    EXPECT_THAT(one({path, "x"}), HasSubstr("lies outside of the archive")) << path;
  EXPECT_THAT(one({"a", "x", -1, 0, 1}), HasSubstr("\"a\" is encrypted"));
  EXPECT_THAT(one({"a", "x", 1, 12}), HasSubstr("is packed by method 12"));
  EXPECT_THAT(one({"a", "x", 2000, 8}),
              HasSubstr("claims 2000 bytes of 1 packed ones: a zip bomb"));
  EXPECT_THAT(one({"a", "x", 9}), HasSubstr("claims 9 bytes of 1 packed ones, but is stored"));
  EXPECT_THAT(one({"a", "x", -1, 0, 0, 1000000}), HasSubstr("is damaged"));
  EXPECT_THAT(one({std::string(5000, 'a'), "x"}), HasSubstr("path has 5000 bytes"));
  EXPECT_THAT(errorOf(zipOf({{"a", "x"}, {"a", "y"}})), HasSubstr("\"a\" is there twice"));
  EXPECT_THAT(errorOf(zipOf({{"a", "x"}})), HasSubstr("has no graph models/*.json"));
  EXPECT_THAT(errorOf(zipOf({{"m/models/a.json", graph}, {"m/models/b.json", graph}})),
              HasSubstr("has 2 graphs, one is read"));
  EXPECT_THAT(errorOf(zipOf({{"m/models/a.json", std::string(700000, 'x'), int64_t(66) << 20, 8}})),
              HasSubstr("\"m/models/a.json\": has 69206016 bytes, at most 67108864 are allowed"));
  std::string table = zipOf({{"a", "x"}, {"b", "y"}});
  const size_t last = table.rfind("PK\1\2");
  std::string cut = table;
  cut[last + 28] = 127; // the length of the path, which then ends behind the file
  EXPECT_THAT(errorOf(cut), HasSubstr("its table of contents is damaged"));
  table[last] = 'X';
  EXPECT_THAT(errorOf(table), HasSubstr("its table of contents is damaged; export the model"));
}

TEST(TorchExport, WrongWeights) {
  EXPECT_THAT(weightsError(R"("use_pickle": false)", R"("use_pickle": true)"),
              HasSubstr("w is pickled"));
  EXPECT_THAT(weightsError("weight_0", "weight_1"), HasSubstr("there is no such entry"));
  EXPECT_THAT(weightsError("weight_0", "../../secret"), HasSubstr("there is no such entry"));
  EXPECT_THAT(weightsError(R"("as_int": 2})", R"("as_int": 4})"),
              HasSubstr("has 24 bytes, its shape asks for 48"));
  EXPECT_THAT(weightsError(R"("as_int": 2})", R"("as_int": -2})"),
              HasSubstr("sizes[0].as_int is -2, expected an integer from 0"));
  EXPECT_THAT(weightsError(R"([{"as_int": 2}, {"as_int": 3}], "s)",
                           R"([{"as_int": 1099511627776}, {"as_int": 1099511627776}], "s)"),
              HasSubstr("has more bytes than there can be"));
  EXPECT_THAT(
      weightsError(R"({"as_int": 2})", R"json({"as_expr": {"expr_str": "Symbol('s0')"}})json"),
      HasSubstr("expected a list of numbers"));
  EXPECT_THAT(weightsError(R"({"as_int": 3}, {"as_int": 1}])", R"({"as_int": 1}, {"as_int": 2}])"),
              HasSubstr("strides are not those of a contiguous tensor"));
  EXPECT_THAT(weightsError(R"([{"as_int": 3}, {"as_int": 1}])", R"([{"as_int": 3}])"),
              HasSubstr("strides is a list, expected 2 numbers"));
  EXPECT_THAT(
      weightsError(R"("storage_offset": {"as_int": 0})", R"("storage_offset": {"as_int": 4})"),
      HasSubstr("storage_offset is not 0"));
  EXPECT_THAT(weightsError(R"("layout": 7)", R"("layout": 1)"), HasSubstr("is sparse"));
  EXPECT_THAT(weightsError(R"("dtype": 7)", R"("dtype": 10)"),
              HasSubstr("expected the number of an integer, float or bool type"));
  EXPECT_THAT(errorOf(archiveOf(graph, "[]")), HasSubstr("is no JSON object"));
  EXPECT_THAT(
      errorOf(archiveOf(graph, weights, {{"m/data/weights/weight_0", deflated(bytes), 24, 8}})),
      HasSubstr("is packed; weights must be stored as they are"));
}

TEST(TorchExport, WrongGraphs) {
  EXPECT_THAT(errorOf("{"), HasSubstr("is not JSON"));
  EXPECT_THAT(errorOf("{}"), HasSubstr("the document has no \"schema_version\""));
  EXPECT_THAT(errorOf("{\"a\":" + std::string(100, '[')), HasSubstr("is nested more than 64 deep"));
  EXPECT_THAT(errorOf("{" + std::string(maxProgramBytes, ' ')), HasSubstr("bytes, at most"));
  EXPECT_THAT(graphError(R"("major": 8)", R"("major": 9)"),
              HasSubstr("schema_version.major is 9, 8 is read"));
  EXPECT_THAT(graphError(R"("target": "torch.ops.aten.mul.Tensor")", R"("target": 7)"),
              HasSubstr("graph_module.graph.nodes[0].target is 7, expected a string"));
  EXPECT_THAT(graphError(R"({"as_float": "Infinity"})", R"({"as_float": "much"})"),
              HasSubstr("as_float is \"much\", expected a number"));
  EXPECT_THAT(graphError(R"({"as_float": "Infinity"})", R"({"as_complex": {}})"),
              HasSubstr("has the kind as_complex, which is not supported"));
  EXPECT_THAT(graphError(R"({"as_float": "Infinity"})", R"({"as_float": 1, "as_int": 2})"),
              HasSubstr("expected one of as_float and as_int"));
  EXPECT_THAT(graphError(R"({"as_float": "Infinity"})", "{}"),
              HasSubstr("expected one with a field"));
  EXPECT_THAT(graphError(R"({"as_float": "Infinity"})", R"({"as_bool": 1})"),
              HasSubstr("as_bool is 1, expected true or false"));
  EXPECT_THAT(graphError(R"({"as_int": 4})", R"({"as_int": 18446744073709551615})"),
              HasSubstr("expected an integer"));
  EXPECT_THAT(graphError(R"("nodes": [)", R"("nodes": 1, "more": [)"),
              HasSubstr("graph_module.graph.nodes is 1, expected a list"));
  EXPECT_THAT(graphError(R"("tensor_values": {)", R"("tensor_values": [], "more": {)"),
              HasSubstr("tensor_values is a list, expected an object"));
  EXPECT_THAT(graphError("Symbol('s0', integer=True)", "Integer(-3)"),
              HasSubstr("expected a size from 0"));
  std::string sizes = R"("sizes": [)";
  for (int i = 0; i < 33; ++i)
    sizes += R"({"as_int": 1}, )";
  EXPECT_THAT(graphError(R"("sizes": [)", sizes), HasSubstr("dimensions, at most 32 are allowed"));
}

TEST(TorchExport, SizesAreExpressions) {
  auto textOf = [](const char *text) {
    auto size = parseSizeExpression(text);
    return size ? size->text() : size.error().message;
  };
  EXPECT_EQ(textOf("Integer(-7)"), "-7");
  EXPECT_EQ(textOf("Add(Mul(Integer(2), Symbol('s27', positive=True, integer=True)), Integer(1))"),
            "Add(1, Mul(2, s27))");
  EXPECT_EQ(textOf("FloorDiv(Symbol('s1'), Integer(2))"), "FloorDiv(s1, 2)");
  for (const char *wrong : {"", "7", "Integer()", "Integer(9223372036854775808)", "Symbol(s)",
                            "Symbol('s', x)", "Symbol('')", "Add(Integer(1))", "Add(Integer(1), ",
                            "Mod(Integer(1), Integer(2), Integer(3))", "Integer(1) "})
    EXPECT_THAT(textOf(wrong), HasSubstr("is no expression of integers and symbols")) << wrong;
  EXPECT_THAT(textOf("Pow(Symbol('s0'), Integer(2))"),
              HasSubstr("has the function Pow, known are"));
  std::string deep;
  for (int i = 0; i < 40; ++i)
    deep += "Add(";
  EXPECT_THAT(textOf(deep.c_str()), HasSubstr("has more than 32 levels or 256 parts"));
}

TEST(TorchExport, ProductsOfSizes) {
  auto productOf = [](std::initializer_list<const char *> texts) {
    SizeProduct product;
    for (const char *text : texts)
      EXPECT_TRUE(product.multiply(*parseSizeExpression(text)));
    return product;
  };
  EXPECT_EQ(productOf({"Mul(Integer(4), Symbol('a'))", "Symbol('b')"}),
            productOf({"Symbol('b')", "Integer(2)", "Symbol('a')", "Integer(2)"}));
  EXPECT_TRUE(productOf({"Symbol('a')"}).divides(productOf({"Symbol('a')", "Integer(3)"})));
  EXPECT_FALSE(productOf({"Integer(2)"}).divides(productOf({"Symbol('a')", "Integer(3)"})));
  SizeProduct product = productOf({"Integer(4611686018427387904)"});
  EXPECT_FALSE(product.multiply(SizeExpression::integer(2)));
}
