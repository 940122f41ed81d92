// Puts compiler, cache, device and formats together.
#include "llmir/driver/Model.h"

#include "llmir/driver/CompilerProcess.h"
#include "llmir/formats/chat_template/ChatTemplate.h"
#include "llmir/formats/tokenizer/GgufTokenizer.h"

namespace llmir {

Expected<LoadedProgram> loadProgram(const std::string &model, const ModelOptions &options) {
  auto device = CpuDevice::create(options.threads);
  if (!device)
    return forward(device);
  auto compiler = findCompiler();
  if (!compiler)
    return forward(compiler);
  auto artifact = obtainArtifact(model, *compiler, options.artifact);
  if (!artifact)
    return forward(artifact);
  auto program = (*device)->load(artifact->path());
  if (!program)
    return forward(program);
  return LoadedProgram{std::move(*artifact), std::move(*device), std::move(*program)};
}

Expected<ModelText> loadText(const std::string &model) {
  auto file = GgufFile::open(model);
  if (!file)
    return forward(file);
  auto tokenizer = tokenizerFromGguf(*file);
  if (!tokenizer)
    return forward(tokenizer);
  return ModelText{std::move(*file), std::move(*tokenizer)};
}

Expected<std::string> chatPrompt(const ModelText &model, const std::string &system,
                                 const std::string &prompt) {
  constexpr const char *key = "tokenizer.chat_template";
  auto source = model.file.findString(key);
  if (!source)
    return forward(source);
  if (!*source)
    return fail("{}: has no chat template ({}): leave --chat away", model.file.path(), key);
  auto chat = ChatTemplate::parse(**source);
  if (!chat)
    return forward(chat, fmt::format("{}: {}", model.file.path(), key));
  using Json = nlohmann::ordered_json;
  auto tokenText = [&](std::optional<int32_t> id) {
    return id ? std::string(model.tokenizer.tokenBytes(*id)) : std::string();
  };
  Json messages = Json::array();
  if (!system.empty())
    messages.push_back({{"role", "system"}, {"content", system}});
  messages.push_back({{"role", "user"}, {"content", prompt}});
  auto text = chat->render({{"messages", std::move(messages)},
                            {"add_generation_prompt", true},
                            {"bos_token", tokenText(model.tokenizer.bosId())},
                            {"eos_token", tokenText(model.tokenizer.eosId())}});
  if (!text)
    return forward(text, fmt::format("{}: {}", model.file.path(), key));
  return text;
}

} // namespace llmir
