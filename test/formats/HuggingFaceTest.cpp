// config.json read into GGUF's metadata: defaults, what is refused and by which name. Whole
// directories are tested in test/e2e.
#include "llmir/formats/gguf/TensorBytes.h"
#include "llmir/formats/huggingface/Config.h"
#include "llmir/formats/huggingface/ModelFolder.h"
#include "llmir/formats/model/OpenModel.h"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>

using namespace llmir;
using namespace llmir::huggingface;
using testing::HasSubstr;

namespace {

Json baseOf(const std::string &className) {
  return {{"architectures", {className}},
          {"hidden_size", 64},
          {"intermediate_size", 96},
          {"num_hidden_layers", 3},
          {"num_attention_heads", 4},
          {"num_key_value_heads", 2},
          {"vocab_size", 300},
          {"max_position_embeddings", 256},
          {"rms_norm_eps", 1e-6},
          {"num_experts", 8},
          {"num_experts_per_tok", 2},
          {"moe_intermediate_size", 32},
          {"max_window_layers", 1}};
}

Json with(Json json, const Json &changes) {
  json.update(changes);
  return json;
}

ModelConfig config(const Json &json) {
  auto read = readConfig(json, "m/config.json");
  EXPECT_TRUE(read) << read.error().message;
  return read.value_or(ModelConfig());
}

std::string errorOf(const Json &json) {
  auto read = readConfig(json, "m/config.json");
  if (read)
    return "no error";
  EXPECT_TRUE(read.error().message.starts_with("m/config.json: ")) << read.error().message;
  EXPECT_EQ(read.error().message.find('\n'), std::string::npos);
  return read.error().message;
}

} // namespace

TEST(HuggingFaceConfig, DefaultsAreThoseOfTheClass) {
  EXPECT_EQ(config(baseOf("LlamaForCausalLM")).headSize, 16);
  EXPECT_EQ(config(baseOf("Qwen3ForCausalLM")).headSize, 128);
  EXPECT_EQ(config(baseOf("Qwen3MoeForCausalLM")).headSize, 16);
  EXPECT_EQ(config(with(baseOf("LlamaForCausalLM"), {{"num_key_value_heads", nullptr}})).kvHeads,
            4);
  EXPECT_EQ(config(baseOf("MistralForCausalLM")).window, 4096);
  EXPECT_FALSE(config(with(baseOf("MistralForCausalLM"), {{"sliding_window", nullptr}})).window);
  EXPECT_FALSE(config(with(baseOf("LlamaForCausalLM"), {{"sliding_window", 8}})).window);
  EXPECT_TRUE(config(baseOf("Qwen2ForCausalLM")).qkvBias);
  EXPECT_FALSE(config(baseOf("Qwen2ForCausalLM")).outputBias);
  EXPECT_FALSE(config(baseOf("LlamaForCausalLM")).qkvBias);
  const Json biases = {{"attention_bias", true}, {"mlp_bias", true}};
  EXPECT_TRUE(config(with(baseOf("LlamaForCausalLM"), biases)).outputBias);
  EXPECT_TRUE(config(with(baseOf("LlamaForCausalLM"), biases)).mlpBias);
  EXPECT_FALSE(config(with(baseOf("MistralForCausalLM"), biases)).qkvBias);
  EXPECT_FALSE(config(with(baseOf("Qwen3ForCausalLM"), biases)).mlpBias);
  EXPECT_FALSE(config(baseOf("LlamaForCausalLM")).isTied);
  EXPECT_EQ(config(baseOf("LlamaForCausalLM")).rope.base, 10000);
  EXPECT_EQ(config(with(baseOf("Qwen3MoeForCausalLM"), {{"num_local_experts", 5}})).experts->count,
            5);
}

TEST(HuggingFaceConfig, Windows) {
  const Json base = with(baseOf("Qwen2ForCausalLM"), {{"sliding_window", 8}});
  EXPECT_FALSE(config(base).window);
  const Json used = with(base, {{"use_sliding_window", true}});
  EXPECT_EQ(config(used).window, 8);
  EXPECT_EQ(config(used).slides, (std::vector{false, true, true}));
  const Json types = {"sliding_attention", "full_attention", "sliding_attention"};
  EXPECT_EQ(config(with(used, {{"layer_types", types}})).slides, (std::vector{true, false, true}));
  EXPECT_FALSE(config(with(used, {{"sliding_window", nullptr}})).window);
}

TEST(HuggingFaceConfig, Gemma) {
  const ModelConfig one = config(baseOf("GemmaForCausalLM"));
  EXPECT_TRUE(one.isTied);
  EXPECT_EQ(one.headSize, 256);
  EXPECT_FALSE(one.window);
  EXPECT_FALSE(one.attentionSoftcap);
  const Json two = baseOf("Gemma2ForCausalLM");
  EXPECT_EQ(config(two).window, 4096);
  EXPECT_EQ(config(two).slides, (std::vector{true, false, true}));
  EXPECT_EQ(config(two).attentionSoftcap, 50);
  EXPECT_EQ(config(with(two, {{"attn_logit_softcapping", nullptr}})).attentionSoftcap, 0);
  EXPECT_FALSE(config(two).attentionScale);
  EXPECT_EQ(config(with(two, {{"query_pre_attn_scalar", 64}})).attentionScale, 0.125);
  EXPECT_EQ(config(with(two, {{"num_hidden_layers", 46}})).attentionScale, 1.0 / 16);
  const Json three = baseOf("Gemma3ForCausalLM");
  EXPECT_FALSE(config(three).logitSoftcap);
  EXPECT_EQ(config(three).rope.base, 1e6);
  EXPECT_EQ(config(three).rope.localBase, 1e4);
  EXPECT_EQ(config(with(three, {{"rope_local_base_freq", 7}})).rope.localBase, 7);
  EXPECT_EQ(config(with(three, {{"sliding_window_pattern", 2}})).slides,
            (std::vector{true, false, true}));
  const Json nested = {{"full_attention", {{"rope_type", "linear"}, {"factor", 8}}},
                       {"sliding_attention", {{"rope_theta", 9}}}};
  const RopeConfig rope = config(with(three, {{"rope_parameters", nested}})).rope;
  EXPECT_EQ(rope.factor, 8);
  EXPECT_EQ(rope.base, 1e6);
  EXPECT_EQ(rope.localBase, 9);
}

TEST(HuggingFaceConfig, RotationsOfOldAndNewFiles) {
  const Json base = with(baseOf("LlamaForCausalLM"), {{"rope_theta", 5e5}});
  const Json linear = {{"type", "linear"}, {"factor", 4}};
  for (const char *key : {"rope_scaling", "rope_parameters"}) {
    const RopeConfig rope = config(with(base, {{key, linear}})).rope;
    EXPECT_EQ(rope.type, "linear");
    EXPECT_EQ(rope.factor, 4);
    EXPECT_EQ(rope.base, 5e5);
  }
  const Json both = {{"rope_scaling", linear},
                     {"rope_parameters", {{"rope_type", "default"}, {"rope_theta", 7}}}};
  EXPECT_EQ(config(with(base, both)).rope.type, "linear");
  EXPECT_EQ(config(with(base, {{"rope_parameters", both["rope_parameters"]}})).rope.base, 7);
  const Json yarn = {{"rope_type", "yarn"}, {"factor", 4}};
  EXPECT_EQ(config(with(base, {{"rope_scaling", yarn}})).rope.originalContext, 256);
  EXPECT_FALSE(config(with(base, {{"rope_scaling", yarn}})).rope.magnitude);
  EXPECT_EQ(config(with(base, {{"rope_scaling", with(yarn, {{"attention_factor", 1.5}})}}))
                .rope.magnitude,
            1.5);
  // As DeepSeek's: multipliers above and below.
  const Json scales = with(yarn, {{"mscale", 2}, {"mscale_all_dim", 1}});
  EXPECT_NEAR(*config(with(base, {{"rope_scaling", scales}})).rope.magnitude, 1.2773 / 1.1386,
              1e-3);
}

TEST(HuggingFaceConfig, NamesWhatIsWrong) {
  const char *llama = "LlamaForCausalLM", *qwen2 = "Qwen2ForCausalLM", *moe = "Qwen3MoeForCausalLM";
  auto scaling = [](Json fields) { return Json{{"rope_scaling", std::move(fields)}}; };
  const Json llama3 = {
      {"rope_type", "llama3"}, {"factor", 8}, {"low_freq_factor", 1}, {"high_freq_factor", 4}};
  const struct {
    const char *className;
    Json changes;
    const char *message;
  } cases[] = {
      {llama, {{"architectures", nullptr}}, "has no \"architectures\""},
      {llama, {{"architectures", Json::array()}}, "has no \"architectures\""},
      {llama, {{"architectures", {5}}}, "has no \"architectures\""},
      {"BertModel", Json::object(),
       "\"architectures\" is \"BertModel\", which is not supported yet"},
      {llama, {{"quantization_config", {{"quant_method", "awq"}}}}, "quantised (\"awq\"), which"},
      {llama, {{"quantization_config", 4}}, "quantised (somehow)"},
      {llama, {{"hidden_size", nullptr}}, "has no \"hidden_size\""},
      {llama, {{"hidden_size", "64"}}, "\"hidden_size\" is \"64\", expected an integer from 1"},
      {llama, {{"hidden_size", 64.5}}, "\"hidden_size\" is 64.5, expected an integer"},
      {llama, {{"hidden_size", {64}}}, "\"hidden_size\" is a list, expected an integer"},
      {llama, {{"hidden_size", INT64_MIN}}, "\"hidden_size\" is -9223372036854775808, expected"},
      {llama, {{"hidden_size", UINT64_MAX}}, "\"hidden_size\" is 18446744073709551615, expected"},
      {llama, {{"hidden_size", 66}}, "\"hidden_size\" is 66, expected a multiple of num_attention"},
      {llama, {{"num_hidden_layers", 0}}, "\"num_hidden_layers\" is 0, expected an integer from 1"},
      {llama, {{"num_key_value_heads", 3}}, "\"num_attention_heads\" is 4, expected a multiple of"},
      {qwen2, {{"num_key_value_heads", nullptr}}, "has no \"num_key_value_heads\""},
      {llama, {{"head_dim", 7}}, "is 7, expected an even number"},
      {llama, {{"rms_norm_eps", 0}}, "\"rms_norm_eps\" is 0, expected a positive number"},
      {llama, {{"rms_norm_eps", 1e300}}, "\"rms_norm_eps\" is 1e+300, expected a positive number"},
      {llama, {{"rms_norm_eps", true}}, "\"rms_norm_eps\" is true, expected a positive number"},
      {llama, {{"hidden_act", "gelu"}}, "\"hidden_act\" is \"gelu\", expected silu"},
      {llama, {{"hidden_act", 1}}, "\"hidden_act\" is 1, expected a string"},
      {llama, {{"tie_word_embeddings", 1}}, "\"tie_word_embeddings\" is 1, expected true or false"},
      {llama, {{"partial_rotary_factor", 0.5}}, "\"partial_rotary_factor\" is 0.5, expected 1"},
      {llama, {{"rope_theta", 1}}, "\"rope_parameters.rope_theta\" is 1.0, expected more than 1"},
      {llama, {{"rope_scaling", 4}}, "\"rope_scaling\" is 4, expected an object"},
      {llama, scaling({{"type", "dynamic"}}),
       "\"rope_scaling.type\" is \"dynamic\", expected default"},
      {llama, scaling({{"rope_type", 3}}), "\"rope_scaling.rope_type\" is 3, expected a string"},
      {llama, scaling({{"type", "linear"}}), "has no \"rope_scaling.factor\""},
      {llama, scaling({{"full_attention", Json::object()}}), "rotations that differ by layer"},
      {llama, scaling({{"type", "default"}, {"partial_rotary_factor", 0.5}}), "rotating a part"},
      {llama, scaling(with(llama3, {{"high_freq_factor", 1}})),
       "expected more than low_freq_factor"},
      {llama, scaling(with(llama3, {{"original_max_position_embeddings", 0}})),
       "is 0, expected an"},
      {llama, scaling({{"type", "yarn"}, {"factor", 2}, {"truncate", false}}),
       "is false, expected"},
      {qwen2, {{"use_sliding_window", 1}}, "\"use_sliding_window\" is 1, expected true or false"},
      {qwen2,
       {{"use_sliding_window", true}, {"sliding_window", 8}, {"layer_types", {"full_attention"}}},
       "\"layer_types\" is a list, expected a list of 3 names"},
      {qwen2,
       {{"use_sliding_window", true}, {"sliding_window", 8}, {"layer_types", {"a", "b", "c"}}},
       "\"layer_types\" holds \"a\", which is not supported"},
      {qwen2,
       {{"use_sliding_window", true}, {"sliding_window", 8}, {"max_window_layers", nullptr}},
       "has no \"max_window_layers\""},
      {moe,
       {{"num_experts_per_tok", 9}},
       "\"num_experts_per_tok\" is 9, expected an integer from 1"},
      {"Gemma2ForCausalLM", {{"hidden_activation", "relu"}}, "\"hidden_activation\" is \"relu\""},
      {"Gemma3ForCausalLM", {{"use_bidirectional_attention", true}}, "is true, expected false"},
      {"Gemma3ForCausalLM", {{"query_pre_attn_scalar", 0}}, "is 0, expected a positive number"},
      {"Gemma3ForCausalLM", {{"final_logit_softcapping", -1}}, "is -1, expected a positive"},
      {"Gemma3ForCausalLM", {{"sliding_window_pattern", 0}}, "\"sliding_window_pattern\" is 0"},
      {"Gemma3ForCausalLM",
       {{"rope_parameters", {{"full_attention", 3}}}},
       "\"rope_parameters.full_attention\" is 3, expected an object"},
      {"Gemma3ForCausalLM",
       {{"rope_parameters",
         {{"full_attention", Json::object()}, {"sliding_attention", {{"rope_type", "yarn"}}}}}},
       "\"rope_parameters.sliding_attention\" is an object, expected an object with"},
      {moe, {{"decoder_sparse_step", 2}}, "\"decoder_sparse_step\" is 2, expected 1"},
      {moe, {{"mlp_only_layers", {0}}}, "\"mlp_only_layers\" is a list, expected an empty one"},
  };
  for (const auto &[className, changes, message] : cases)
    EXPECT_THAT(errorOf(with(baseOf(className), changes)), HasSubstr(message));
}

TEST(HuggingFaceConfig, EveryTypeOfEveryFieldIsReadOrRefused) {
  const Json values = {nullptr,
                       true,
                       -1,
                       0,
                       1,
                       5,
                       1e300,
                       INT64_MIN,
                       UINT64_MAX,
                       "",
                       "yarn",
                       Json::array(),
                       {1},
                       {{1}},
                       Json::object(),
                       {{"type", "yarn"}}};
  for (const Family &family : allFamilies()) {
    Json base = with(baseOf(std::string(family.className)),
                     {{"use_sliding_window", true}, {"sliding_window", 8}});
    for (const char *key :
         {"rope_theta", "rope_scaling", "rope_parameters", "head_dim", "layer_types", "hidden_act",
          "quantization_config", "mlp_only_layers", "query_pre_attn_scalar",
          "attn_logit_softcapping", "rope_local_base_freq", "sliding_window_pattern"})
      base.emplace(key, nullptr);
    for (const auto &field : base.items())
      for (const Json &value : values) {
        auto read = readConfig(with(base, {{field.key(), value}}), "m/config.json");
        if (!read)
          continue;
        GgufWriter writer;
        writeConfig(*read, writer);
        const std::string bytes = writer.toBytes();
        EXPECT_TRUE(
            GgufFile::parse({reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()}, "m"));
      }
  }
}

TEST(HuggingFaceJson, IsBounded) {
  auto parse = [](const std::string &text) {
    auto json = parseObject({reinterpret_cast<const uint8_t *>(text.data()), text.size()}, "c.json",
                            maxConfigBytes);
    return json ? "no error" : json.error().message;
  };
  EXPECT_EQ(parse("{}"), "no error");
  EXPECT_EQ(parse(""), "c.json: is not JSON at byte 1; fetch it again");
  EXPECT_EQ(parse("{\"a\": 1e999}"), "c.json: is not JSON; fetch it again");
  EXPECT_EQ(parse("\"a\x01\""), "c.json: is not JSON at byte 3; fetch it again");
  EXPECT_EQ(parse("3"), "c.json: is 3, expected an object; fetch it again");
  EXPECT_EQ(parse("{\"a\": " + std::string(1 << 20, '[')), "c.json: is nested more than 32 deep");
  EXPECT_EQ(parse(std::string(maxConfigBytes + 1, ' ')),
            "c.json: has 16777217 bytes, at most 16777216 are allowed");
}

TEST(OpenModel, PathsOfDirectories) {
  const auto folder = std::filesystem::temp_directory_path() / fmt::format("open-{}", getpid());
  std::filesystem::create_directory(folder);
  std::filesystem::create_directory(folder / "Tiny-0.5B");
  const std::string model = folder / "Tiny-0.5B";
  EXPECT_EQ(modelName(model), "Tiny-0.5B");
  EXPECT_EQ(modelName(model + "/"), "Tiny-0.5B");
  EXPECT_EQ(modelName("some/tiny.gguf"), "tiny");
  EXPECT_EQ(modelLocation(model + "//"), modelLocation(model + "/../Tiny-0.5B"));
  EXPECT_THAT(openModel(model).error().message, HasSubstr("is a folder without config.json"));
  EXPECT_THAT(modelStamp(model + ".gguf").error().message, HasSubstr("No such file"));
  std::ofstream(model + "/config.json") << "{}";
  EXPECT_THAT(openModel(model).error().message, HasSubstr("neither model.safetensors nor"));
  std::ofstream(model + "/model.safetensors") << "12345";
  EXPECT_THAT(openModel(model).error().message, HasSubstr("config.json: has no \"architectures\""));
  EXPECT_EQ(modelStamp(model + "/")->bytes, 7);
  EXPECT_EQ(modelFiles(model), (std::vector{model + "/config.json", model + "/model.safetensors"}));
  std::filesystem::remove_all(folder);
}

TEST(TensorBytes, RowsOfHeadsAreInterleaved) {
  const std::vector<uint8_t> data = {0, 1, 2, 3, 4, 5, 6, 7};
  GgufTensor tensor{.name = "t", .format = Format::I8, .shape = {8, 1}, .bytes = data};
  std::vector<uint8_t> copy;
  EXPECT_EQ(tensorBytes(tensor, copy).data(), data.data());
  EXPECT_EQ(matrixOf(tensor, 0, 1).read(2, 3, copy).data(), data.data() + 2);
  tensor.halvedHeads = 2;
  EXPECT_THAT(tensorBytes(tensor, copy), testing::ElementsAre(0, 2, 1, 3, 4, 6, 5, 7));
  EXPECT_THAT(matrixOf(tensor, 0, 1).read(3, 3, copy), testing::ElementsAre(3, 4, 6));
  GgufTensor experts{.name = "e", .format = Format::I8, .shape = {2, 1, 2}};
  experts.matrices = {std::span(data).subspan(6), std::span(data).first(2)};
  EXPECT_EQ(experts.byteCount(), 4u);
  EXPECT_EQ(matrixOf(experts, 1, 2).bytes.data(), data.data());
  EXPECT_EQ(matrixOf(experts, 1, 2).rows, 1);
  EXPECT_THAT(tensorBytes(experts, copy), testing::ElementsAre(6, 7, 0, 1));
}
