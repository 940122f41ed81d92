// Answers go to stdout, everything else to stderr: a pipe gets the model's words alone.
#include "llmir/cli/Chat.h"

#include "llmir/cli/Generation.h"
#include "llmir/formats/tokenizer/StreamDecoder.h"
#include "llmir/support/Text.h"
#include <chrono>
#include <cstdio>

namespace llmir {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view blockQuote = "\"\"\"";

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view space = " \t\r\n";
  size_t begin = text.find_first_not_of(space);
  return begin == std::string_view::npos
             ? ""
             : text.substr(begin, text.find_last_not_of(space) + 1 - begin);
}

} // namespace

Chat::Chat(const ChatSetup &setup, std::string system)
    : setup(setup), dialogue(setup.format, setup.text.tokenizer),
      conversation(setup.session, setup.prefillChunk) {
  dialogue.system = std::move(system);
}

std::span<const Chat::SlashCommand> Chat::slashCommands() {
  static constexpr SlashCommand commands[] = {
      {"help", "", "this list", &Chat::help},
      {"exit", "", "end (or Ctrl-D)", &Chat::exit},
      {"clear", "", "forget the conversation", &Chat::clear},
      {"system", "TEXT", "what the model should be; without TEXT: show it", &Chat::system},
      {"regen", "", "answer the last message anew", &Chat::regenerate},
      {"save", "FILE", "write the conversation as JSON", &Chat::save},
      {"load", "FILE", "go on with a conversation that was saved", &Chat::load},
      {"set", "OPTION VALUE", "change how answers are generated; alone: show it", &Chat::set},
      {"stats", "", "tokens of the context and of the last turn", &Chat::stats},
  };
  return commands;
}

void Chat::note(const std::string &line) const { printTo(stderr, "{}\n", setup.style.dim(line)); }

Status Chat::run(LineReader &reader) {
  while (!isDone) {
    std::string message;
    auto outcome = readMessage(reader, message);
    if (!outcome)
      return forward(outcome);
    if (*outcome == LineReader::Outcome::End)
      return {};
    std::string_view text = trimmed(message);
    if (*outcome == LineReader::Outcome::Cancelled || text.empty())
      continue;
    Status status;
    if (text.starts_with('/') && !text.starts_with("//")) {
      status = runCommand(std::string(text));
    } else {
      dialogue.say(text.starts_with("//") ? std::string(text.substr(1)) : std::move(message));
      regenerations = 0;
      status = answer();
      if (!status && !outputBroken && dialogue.waitsForAnswer())
        dialogue.takeBack();
    }
    if (outputBroken)
      return status;
    if (!status)
      printTo(stderr, "{} {}\n", setup.style.red("error:"), status.error().message);
  }
  return {};
}

Expected<LineReader::Outcome> Chat::readMessage(LineReader &reader, std::string &message) {
  std::string line;
  auto outcome = reader.read("> ", line);
  if (!outcome || *outcome != LineReader::Outcome::Line)
    return outcome;
  const bool isBlock = trimmed(line).starts_with(blockQuote);
  if (isBlock)
    line = trimmed(line).substr(blockQuote.size());
  for (;;) {
    bool isLast = isBlock ? trimmed(line).ends_with(blockQuote) : !line.ends_with('\\');
    if (isBlock && isLast)
      line = trimmed(line).substr(0, trimmed(line).size() - blockQuote.size());
    else if (!isBlock && !isLast)
      line.pop_back();
    message += line;
    if (isLast)
      return LineReader::Outcome::Line;
    message += '\n';
    outcome = reader.read(". ", line);
    if (!outcome || *outcome == LineReader::Outcome::Cancelled)
      return outcome;
    if (*outcome == LineReader::Outcome::End) // the next read says so again
      return LineReader::Outcome::Line;
  }
}

Status Chat::runCommand(const std::string &line) {
  size_t space = std::min(line.find_first_of(" \t\n"), line.size());
  std::string name = line.substr(1, space - 1), argument(trimmed(line.substr(space)));
  std::vector<std::string> names;
  for (const SlashCommand &command : slashCommands()) {
    names.emplace_back(command.name);
    if (name != command.name)
      continue;
    if (!*command.argument && !argument.empty())
      return fail("/{} takes nothing behind it; see /help", name);
    return (this->*command.run)(argument);
  }
  return fail("unknown command {}{}; see /help; a message that begins with / is written //",
              inQuotes("/" + name), suggestion(name, names, "/"));
}

Expected<std::vector<int32_t>> Chat::fittingPrompt() {
  const int64_t context = setup.session.limits().contextTokens;
  const int64_t reserve =
      std::min<int64_t>(std::max(1, setup.generation.maxTokens), std::max<int64_t>(1, context / 4));
  for (int forgotten = 0;; ++forgotten) {
    auto prompt = dialogue.prompt();
    if (!prompt)
      return prompt;
    if (int64_t(prompt->size()) + reserve <= context + 1) { // the last token needs no place
      if (forgotten)
        note(fmt::format("the context of {} tokens is full: the model no longer sees the oldest "
                         "{} of {} turns",
                         context, forgotten, dialogue.turns()));
      return prompt;
    }
    if (dialogue.forgetOldest())
      continue;
    if (int64_t(prompt->size()) <= context)
      return prompt; // a short answer is better than none
    return fail("the message has {} tokens with its surroundings, the context {}: shorten it or "
                "start with a larger --context (this model: at most {})",
                prompt->size(), context, setup.session.manifest().model.contextLength);
  }
}

Status Chat::answer() {
  dialogue.rememberAll();
  auto prompt = fittingPrompt();
  if (!prompt)
    return forward(prompt);
  StreamDecoder decoder(setup.text.tokenizer, {.skipSpecial = true});
  std::string text;
  auto print = [&](const std::string &part) {
    text += part;
    writeTo(stdout, part);
    outputBroken |= fflush(stdout) != 0;
    return !outputBroken;
  };
  const Clock::time_point start = Clock::now();
  Clock::time_point first = start, last = start;
  Request request = makeRequest(std::move(*prompt), setup.generation, setup.text.tokenizer);
  request.sampling.seed += regenerations;
  request.onToken = [&](int32_t token) {
    last = Clock::now();
    if (first == start)
      first = last;
    return print(decoder.push(token));
  };
  interrupt.clear();
  auto result = conversation.complete(request, [&] { return interrupt.isSet(); });
  if (!result)
    return forward(result);
  lastTurn = *result;
  const bool isWhole = decoder.flush().empty(); // else the answer ends inside a character
  dialogue.answer(text, isWhole ? conversation.tokens() : std::span<const int32_t>());
  writeTo(stdout, "\n");
  outputBroken |= fflush(stdout) != 0;
  if (outputBroken)
    return fail("the answer cannot be written to stdout");

  std::string line =
      fmt::format("prompt: {} tokens, {} of them new", request.prompt.size(), lastTurn.computed);
  if (lastTurn.generated > 0)
    line += fmt::format(", {:.1f} tokens/s", perSecond(lastTurn.computed, first - start));
  line += fmt::format("; answer: {} tokens", lastTurn.generated);
  if (lastTurn.generated > 1)
    line += fmt::format(", {:.1f} tokens/s", perSecond(lastTurn.generated - 1, last - first));
  if (lastTurn.reason == FinishReason::Cancelled)
    line += "; stopped";
  else if (lastTurn.reason == FinishReason::MaxTokens)
    line += "; stopped at --max-tokens";
  else if (lastTurn.reason == FinishReason::Context)
    line += "; the context is full: /clear or a larger --context gives room";
  note(line);
  return {};
}

Status Chat::help(const std::string &) {
  for (const SlashCommand &command : slashCommands())
    printTo(stderr, "  {:<22}{}\n", fmt::format("/{} {}", command.name, command.argument),
            command.help);
  printTo(stderr,
          "A line that ends with \\ goes on in the next; {0} begins and ends a message "
          "of many lines.\nCtrl-C stops an answer.\n",
          blockQuote);
  return {};
}

Status Chat::exit(const std::string &) {
  isDone = true;
  return {};
}

Status Chat::clear(const std::string &) {
  dialogue.clear();
  note("the conversation is forgotten");
  return {};
}

Status Chat::system(const std::string &text) {
  if (!text.empty())
    dialogue.system = text;
  note(dialogue.system.empty() ? "there is no system message" : "system: " + dialogue.system);
  return {};
}

Status Chat::regenerate(const std::string &) {
  if (!dialogue.waitsForAnswer() && !dialogue.takeBack())
    return fail("there is no message to answer yet");
  ++regenerations;
  return answer();
}

Status Chat::save(const std::string &file) {
  if (file.empty())
    return fail("/save needs the name of a file");
  Status status = dialogue.save(file);
  if (status)
    note(fmt::format("{}: {} turns are saved", file, dialogue.turns()));
  return status;
}

Status Chat::load(const std::string &file) {
  if (file.empty())
    return fail("/load needs the name of a file");
  Status status = dialogue.load(file);
  if (status)
    note(fmt::format("{}: {} turns{}", file, dialogue.turns(),
                     dialogue.waitsForAnswer() ? "; /regen answers the last message" : ""));
  return status;
}

Status Chat::set(const std::string &assignment) {
  std::vector<std::string> names;
  for (const Option &option : setup.options.options())
    if (option.info().group == generationGroup)
      names.push_back(option.info().name);
  if (assignment.empty()) {
    for (const std::string &name : names)
      printTo(stderr, "  {:<20}{}\n", name, setup.options.find(name)->valueText());
    return {};
  }
  size_t end = std::min(assignment.find_first_of(" \t="), assignment.size());
  std::string name = assignment.substr(0, end);
  std::string value(trimmed(assignment.substr(std::min(end + 1, assignment.size()))));
  if (std::find(names.begin(), names.end(), name) == names.end())
    return fail("unknown option {}{}; /set alone shows what there is", inQuotes(name),
                suggestion(name, names));
  if (value.empty())
    return fail("/set {} needs a value: {}", name, setup.options.find(name)->expected());
  return setup.options.find(name)->set({&value, 1}, OptionSource::CommandLine, "/set " + name);
}

Status Chat::stats(const std::string &) {
  printTo(stderr, "  {:<20}{}\n", "turns", dialogue.turns());
  printTo(stderr, "  {:<20}{} of {} tokens\n", "context", conversation.tokens().size(),
          setup.session.limits().contextTokens);
  printTo(stderr, "  {:<20}{} tokens kept, {} computed, {} generated\n", "last turn", lastTurn.kept,
          lastTurn.computed, lastTurn.generated);
  return {};
}

} // namespace llmir
