// Puts chat templates behind JSON lines, so that the Python oracles can drive them: one request a
// line on stdin
// ({"template", "context", and optionally "limits"}), one answer a line on stdout ({"text"} or
// {"error"}).
#include "llmir/formats/chat_template/ChatTemplate.h"
#include <iostream>

using namespace llmir;
using nlohmann::ordered_json;

static ordered_json answer(const ordered_json &request) {
  Expected<ChatTemplate> parsed = ChatTemplate::parse(request["template"].get<std::string>());
  if (!parsed)
    return {{"error", parsed.error().message}};
  ChatTemplate::Limits limits;
  if (request.contains("limits")) {
    limits.steps = request["limits"].value("steps", limits.steps);
    limits.outputBytes = request["limits"].value("output_bytes", limits.outputBytes);
  }
  Expected<std::string> text = parsed->render(request["context"], limits);
  return text ? ordered_json{{"text", *text}} : ordered_json{{"error", text.error().message}};
}

int main() {
  for (std::string line; std::getline(std::cin, line);)
    std::cout << answer(ordered_json::parse(line)).dump() << std::endl;
}
