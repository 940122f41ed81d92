// The new prompt usually begins with the last prompt and its answer; then only the rest is
// tokenized.
#include "llmir/cli/Dialogue.h"

#include "llmir/support/MappedFile.h"
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <unistd.h>

namespace llmir {

namespace {

constexpr size_t maxFile = 16 << 20;

struct Saved {
  std::string system;
  std::vector<ChatMessage> messages;
};

Expected<Saved> readSaved(const std::string &path) {
  auto file = MappedFile::open(path);
  if (!file)
    return forward(file);
  if (file->bytes().size() > maxFile)
    return fail("{}: has {} bytes; a conversation has at most {}", path, file->bytes().size(),
                maxFile);
  auto json = nlohmann::ordered_json::parse(file->bytes().begin(), file->bytes().end(), nullptr,
                                            /*allow_exceptions=*/false);
  auto list = json.is_object() ? json.find("messages") : json.end();
  if (json.is_discarded() || list == json.end() || !list->is_array())
    return fail("{}: is no saved conversation: an object with \"messages\" is expected", path);
  Saved saved;
  size_t number = 0;
  for (const auto &entry : *list) {
    ++number;
    auto text = [&](const char *key) {
      auto value = entry.is_object() ? entry.find(key) : entry.end();
      return value != entry.end() && value->is_string() ? std::optional(value->get<std::string>())
                                                        : std::nullopt;
    };
    auto role = text("role"), content = text("content");
    if (!role || !content)
      return fail("{}: message {} has no \"role\" and \"content\" that are text", path, number);
    if (*role == "system" && number == 1) {
      saved.system = std::move(*content);
      continue;
    }
    const char *expected = saved.messages.size() % 2 == 0 ? "user" : "assistant";
    if (*role != expected)
      return fail("{}: message {} has the role '{}'; after a system message, user and assistant "
                  "take turns: '{}' is expected",
                  path, number, role->substr(0, 20), expected);
    saved.messages.push_back({std::move(*role), std::move(*content)});
  }
  return saved;
}

} // namespace

void Dialogue::answer(std::string text, std::span<const int32_t> tokens) {
  spokenText = tokens.empty() ? "" : promptText + text;
  spokenTokens.assign(tokens.begin(), tokens.end());
  messages.push_back({"assistant", std::move(text)});
}

bool Dialogue::takeBack() {
  if (messages.empty())
    return false;
  messages.pop_back();
  return true;
}

void Dialogue::clear() {
  messages.clear();
  first = 0;
}

Expected<std::vector<int32_t>> Dialogue::prompt() {
  std::vector<ChatMessage> spoken;
  if (!system.empty())
    spoken.push_back({"system", system});
  spoken.insert(spoken.end(), messages.begin() + std::min(first, messages.size()), messages.end());
  auto text = format->render(spoken, /*asksForAnswer=*/true);
  if (!text)
    return forward(text);
  promptText = std::move(*text);
  // The template writes the begin token itself.
  constexpr EncodeOptions options{.addBos = false, .parseSpecial = true};
  std::vector<int32_t> tokens;
  std::string_view rest = promptText;
  if (!spokenText.empty() && rest.starts_with(spokenText)) {
    tokens = spokenTokens;
    rest.remove_prefix(spokenText.size());
  }
  auto more = tokenizer->encode(rest, options);
  if (!more)
    return forward(more);
  tokens.insert(tokens.end(), more->begin(), more->end());
  return tokens;
}

bool Dialogue::forgetOldest() {
  if (first + 2 >= messages.size())
    return false;
  first += 2;
  return true;
}

size_t Dialogue::turns() const { return (messages.size() + 1) / 2; }

Status Dialogue::save(const std::string &path) const {
  std::error_code code;
  if (std::filesystem::exists(path, code))
    if (auto old = readSaved(path); !old)
      return fail("{}: is there already and is no saved conversation: choose another name", path);
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  if (!system.empty())
    list.push_back({{"role", "system"}, {"content", system}});
  for (const ChatMessage &message : messages)
    list.push_back({{"role", message.role}, {"content", message.content}});
  std::string text = nlohmann::ordered_json{{"messages", std::move(list)}}.dump(
                         2, ' ', false, nlohmann::json::error_handler_t::replace) +
                     "\n";
  std::string unfinished = fmt::format("{}.{}", path, getpid());
  FILE *file = fopen(unfinished.c_str(), "wbxe");
  bool isWritten = file && fwrite(text.data(), 1, text.size(), file) == text.size();
  isWritten = file && fclose(file) == 0 && isWritten;
  if (isWritten && rename(unfinished.c_str(), path.c_str()) == 0)
    return {};
  int error = errno;
  if (file)
    unlink(unfinished.c_str());
  return fail("{}: cannot be written: {}", path, std::strerror(error));
}

Status Dialogue::load(const std::string &path) {
  auto saved = readSaved(path);
  if (!saved)
    return forward(saved);
  system = std::move(saved->system);
  messages = std::move(saved->messages);
  first = 0;
  return {};
}

} // namespace llmir
