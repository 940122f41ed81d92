// llmir-conformance: every kernel of a device against the interpreter: ops, data types, odd shapes,
// mixes of batches, instruction sets. One line a case; the exit code is 1 if one failed.
#include "RunCase.h"
#include "WrongLane.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <fmt/ranges.h>
#include <fnmatch.h>
#include <iostream>

using namespace llmir;
using namespace llmir::conformance;

namespace {

struct Arguments {
  std::string device = "cpu", target = "host";
  std::vector<std::string> filters = {"*"};
  std::vector<int64_t> faults;
  bool list = false, perf = false, quiet = false;
};

/// A folder that is gone when it is left.
class TemporaryFolder {
public:
  TemporaryFolder() {
    path = (std::filesystem::temp_directory_path() / "llmir-conformance-XXXXXX").string();
    exists = mkdtemp(path.data());
  }
  TemporaryFolder(const TemporaryFolder &) = delete;
  ~TemporaryFolder() {
    if (exists)
      std::filesystem::remove_all(path);
  }

  std::string path;
  bool exists;
};

struct Counts {
  int ok = 0, failed = 0, skipped = 0;
};

Expected<std::vector<Case>> chooseCases(const Arguments &arguments) {
  std::vector<Case> cases = allCases(arguments.perf);
  std::erase_if(cases, [&](const Case &c) {
    return std::ranges::none_of(arguments.filters, [&](const std::string &filter) {
      return fnmatch(filter.c_str(), c.name.c_str(), 0) == 0;
    });
  });
  if (cases.empty())
    return fail("--filter '{}': no case has such a name; --list names all",
                fmt::join(arguments.filters, ","));
  return cases;
}

Expected<Counts> run(const Arguments &arguments) {
  if (arguments.device != "cpu")
    return fail("--device {}: there is one device, cpu", arguments.device);
  auto cases = chooseCases(arguments);
  if (!cases)
    return forward(cases);
  Counts counts;
  if (arguments.list) {
    for (const Case &c : *cases)
      std::cout << c.name << "\n";
    return counts;
  }
  auto target = Target::named(arguments.target);
  if (!target)
    return forward(target);
  const TemporaryFolder folder;
  if (!folder.exists)
    return fail("{} cannot be made: set TMPDIR", folder.path);
  const Machine machine = Machine::of(*target);
  if (arguments.perf && !machine.canTime())
    return fail("--perf: nothing here runs {} at its own speed: choose another --target",
                arguments.target);
  RunOptions options{arguments.target, folder.path, arguments.perf ? 21 : 0};
  auto runAll = [&] {
    for (const Case &c : *cases) {
      const Verdict verdict = runCase(c, *target, machine, options);
      const bool isOk = verdict.kind == Verdict::Ok, isFailure = verdict.kind == Verdict::Fail;
      ++(isOk ? counts.ok : isFailure ? counts.failed : counts.skipped);
      if (isFailure || !arguments.quiet)
        std::cout << fmt::format("{:<4} {} {}{}{}{}\n",
                                 isOk        ? "ok"
                                 : isFailure ? "FAIL"
                                             : "skip",
                                 arguments.target, c.name,
                                 options.fault ? " with a wrong " + lastWrongLane() : "",
                                 verdict.text.empty() ? "" : ": ", verdict.text)
                  << std::flush;
    }
  };
  if (arguments.faults.empty())
    runAll();
  for (int64_t fault : arguments.faults) {
    options.fault = fault;
    runAll();
  }
  std::cout << fmt::format("conformance {}: {} ok, {} failed, {} skipped{}{}\n", arguments.target,
                           counts.ok, counts.failed, counts.skipped, counts.skipped ? ": " : "",
                           counts.skipped ? machine.whyNot() : "");
  return counts;
}

} // namespace

int main(int argc, char **argv) {
  Arguments arguments;
  CLI::App app("Runs every kernel of a device against the interpreter");
  app.add_option("--device", arguments.device, "the device: cpu")->capture_default_str();
  app.add_option("--filter", arguments.filters,
                 "only cases whose names match one of these, as *, ? and [] do")
      ->delimiter(',')
      ->capture_default_str();
  app.add_option("--target", arguments.target, "the CPU to compile for (llmir targets)")
      ->capture_default_str();
  app.add_flag("--list", arguments.list, "name the cases and run none");
  app.add_flag("--perf", arguments.perf, "time one worker on kernels of real sizes");
  app.add_flag("--quiet", arguments.quiet, "no line for cases that do not fail");
  app.add_option("--wrong-lanes", arguments.faults,
                 "numbers of faults: for each, one lane of one vector in the kernels is wrong, and "
                 "every case that runs must fail")
      ->delimiter(',')
      ->check(CLI::NonNegativeNumber);
  registerWrongLane();
  CLI11_PARSE(app, argc, argv);
  auto counts = run(arguments);
  if (!counts) {
    std::cerr << "error: " << counts.error().message << "\n";
    return 1;
  }
  return counts->failed ? 1 : 0;
}
