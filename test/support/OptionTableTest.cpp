// Options from the command line, the environment and files: values, precedence, messages.
#include "llmir/support/CommandLine.h"
#include "llmir/support/Text.h"
#include <cstdlib>
#include <gmock/gmock.h>

using namespace llmir;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

class Options : public testing::Test {
protected:
  void SetUp() override { declare(); }
  void declare() {
    program = {};
    CommandSpec &run = program.commands.emplace_back();
    program.name = "prog";
    run.name = "run";
    run.options.positional("MODEL", &model, "A file");
    run.options.add("threads", &threads, "Threads").letter('t').range(1, 64);
    run.options.add("top-p", &topP, "Probability").range(0, 1);
    run.options.add("kv", &kv, "Element").choices({"f16", "f32"});
    run.options.add("no-cache", &noCache, "Not");
    run.options.add("batch", &batch, "Sizes").range(1, 100);
    run.options.add("prompt", &prompt, "Text").excludes("tokens");
    run.options.add("tokens", &tokens, "Ids");
    run.options.add("system", &system, "Text").needs("prompt");
    program.general.add("color", &color, "Colour").choices({"auto", "never"});
    program.commands.emplace_back().name = "evaluate";
  }

  std::string parse(std::vector<std::string> arguments) {
    auto result = parseArguments(program, arguments);
    if (!result)
      return result.error().message;
    Status status = checkCombinations(*result->command);
    return status ? "" : status.error().message;
  }
  /// Of a program that knows no values yet.
  std::string error(std::vector<std::string> arguments) {
    declare();
    return parse(std::move(arguments));
  }
  Option &option(const char *name) { return *program.commands[0].options.find(name); }
  std::string set(const char *name, const std::string &text, OptionSource source) {
    Status status = option(name).set({&text, 1}, source, "there");
    return status ? "" : status.error().message;
  }

  ProgramSpec program;
  std::string model, kv = "f16", color = "auto", system;
  std::optional<std::string> prompt, tokens;
  int32_t threads = 0;
  float topP = 1;
  bool noCache = false;
  std::vector<int32_t> batch = {1};
};

TEST_F(Options, EveryTypeOfValue) {
  EXPECT_EQ(parse({"--color", "never", "run", "m", "-t4", "--top-p=0.5", "--kv", "f32",
                   "--no-cache", "--batch", "1,8", "--batch", "32", "--prompt", "--odd [text]"}),
            "");
  EXPECT_EQ(model, "m");
  EXPECT_EQ(threads, 4);
  EXPECT_EQ(topP, 0.5f);
  EXPECT_EQ(kv, "f32");
  EXPECT_EQ(color, "never");
  EXPECT_TRUE(noCache);
  EXPECT_THAT(batch, ElementsAre(1, 8, 32));
  EXPECT_EQ(*prompt, "--odd [text]");
  EXPECT_EQ(parse({"run", "m", "-t", "1", "-t", "2", "--no-cache=false", "--prompt", ""}), "");
  EXPECT_EQ(threads, 2);
  EXPECT_FALSE(noCache);
  EXPECT_EQ(*prompt, "");
}

TEST_F(Options, ErrorsSayWhatIsRight) {
  EXPECT_EQ(error({"run", "m", "--threads", "65"}),
            "--threads: '65' is not possible: a whole number from 1 to 64 is expected");
  EXPECT_EQ(error({"run", "m", "-t"}), "--threads needs a value: a whole number from 1 to 64");
  EXPECT_THAT(error({"run", "m", "--top-p", "nan"}), HasSubstr("a number from 0 to 1 is expected"));
  EXPECT_THAT(error({"run", "m", "--top-p", "1e999"}), HasSubstr("'1e999' is not possible"));
  EXPECT_THAT(error({"run", "m", "--threads", "4\n\xff"}), HasSubstr("'4??' is not possible"));
  EXPECT_THAT(error({"run", "m", "--no-cache=maybe"}), HasSubstr("true or false is expected"));
  EXPECT_THAT(error({"run", "m", "--batch", "1,,2"}), HasSubstr("'' is not possible"));
  EXPECT_THAT(error({"run", "m", "--kv", "f8"}), HasSubstr("one of f16, f32 is expected"));
  EXPECT_THAT(error({"run", "m", "--thread", "2"}), HasSubstr("(did you mean --threads?)"));
  EXPECT_EQ(error({"run", "m", "x"}),
            "unexpected argument 'x': quote values with spaces; see prog run --help");
  EXPECT_EQ(error({"run", ""}), "MODEL: '' is not possible: the name of a file is expected");
  // Numbers are written in one way, and nothing is read in part.
  for (const char *number : {"1e3", "0x10", " 5", "5 ", "5.0", "--5", "++5", "+-5", "",
                             "99999999999999999999", "4294967297", "5\xc3\xa4"})
    EXPECT_THAT(error({"run", "m", std::string("--threads=") + number}),
                HasSubstr("a whole number from 1 to 64"))
        << number;
  EXPECT_EQ(error({"run", "m", "--threads", "+5"}), "");
  EXPECT_EQ(error({"run"}), "MODEL is missing: A file; see --help");
  EXPECT_EQ(error({"rum"}), "unknown command 'rum' (did you mean run?): the commands are run, "
                            "evaluate; see prog --help");
  EXPECT_EQ(error({}), "a command is missing; see prog --help");
  EXPECT_EQ(error({"--what"}), "unknown option '--what'; see prog --help");
  const std::vector<std::string> two = {"1", "2"};
  EXPECT_EQ(option("threads").set(two, OptionSource::CommandLine, "there").error().message,
            "there: one value is expected, not 2");
}

TEST_F(Options, AStrongerSourceWins) {
  EXPECT_EQ(set("threads", "3", OptionSource::CommandLine), "");
  EXPECT_EQ(set("threads", "never looked at", OptionSource::Environment), "");
  EXPECT_EQ(threads, 3);
  setenv("LLMIR_TOP_P", "0.25", 1);
  setenv("LLMIR_KV", "", 1); // as if not set
  EXPECT_TRUE(readEnvironment(program, program.commands[0]));
  EXPECT_EQ(set("top-p", "0.75", OptionSource::File), "");
  EXPECT_EQ(topP, 0.25f);
  setenv("LLMIR_KV", "f8", 1);
  Status status = readEnvironment(program, program.commands[0]);
  EXPECT_THAT(status.error().message, HasSubstr("LLMIR_KV in the environment: 'f8' is not"));
  unsetenv("LLMIR_KV");
  unsetenv("LLMIR_TOP_P");
}

TEST_F(Options, OptionsThatExcludeOrNeedOthers) {
  EXPECT_EQ(error({"run", "m", "--prompt", "a", "--tokens", "1"}),
            "--prompt and --tokens exclude each other: give one of them");
  EXPECT_EQ(error({"run", "m", "--system", "a"}), "--system needs --prompt");
}

TEST_F(Options, OfTwoThatExcludeEachOtherTheStrongerStays) {
  EXPECT_EQ(set("prompt", "from a file", OptionSource::File), "");
  EXPECT_EQ(set("system", "waits for a prompt", OptionSource::File), "");
  EXPECT_EQ(parse({"run", "m", "--tokens", "1"}), "");
  EXPECT_FALSE(prompt.has_value());
  EXPECT_EQ(*tokens, "1");
}

TEST_F(Options, HelpAndVersionComeBeforeEverythingElse) {
  std::vector<std::string> arguments = {"run", "--threads", "many", "--help"};
  auto help = parseArguments(program, arguments);
  ASSERT_TRUE(help);
  EXPECT_TRUE(help->wantsHelp);
  EXPECT_EQ(help->command, &program.commands[0]);
  arguments = {"--version"};
  EXPECT_TRUE(parseArguments(program, arguments)->wantsVersion);
}

TEST(Text, NearestFindsSlips) {
  const std::vector<std::string> names = {"threads", "temperature", "prefill-chunk", "kv"};
  EXPECT_EQ(nearest("tempreature", names), "temperature");
  EXPECT_EQ(nearest("chunk", names), "prefill-chunk");
  EXPECT_EQ(nearest("kc", names), "kv");
  EXPECT_EQ(nearest("something", names), "");
  EXPECT_EQ(nearest("", names), "");
  EXPECT_EQ(nearest(std::string(100000, 'x'), names), "");
}

} // namespace
