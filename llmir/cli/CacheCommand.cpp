// `llmir cache`: what lies in the cache of compiled models, and making room there.
#include "llmir/cli/Commands.h"
#include "llmir/driver/ArtifactCache.h"
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace llmir {

namespace {

using Json = nlohmann::ordered_json;

/// An unfinished artifact this old is of a compilation that was killed.
constexpr int64_t abandonedSeconds = 3600;

const char *describe(Staleness staleness) {
  switch (staleness) {
  case Staleness::None:
    return "";
  case Staleness::ModelIsGone:
    return "the model is gone";
  case Staleness::ModelHasChanged:
    return "the model has changed";
  case Staleness::Damaged:
    return "damaged";
  case Staleness::Unfinished:
    return "unfinished";
  }
  return "";
}

/// "2026-11-24 12:34", in local time.
std::string shownTime(int64_t seconds) {
  std::time_t time = seconds;
  std::tm local{};
  char text[32] = "";
  if (localtime_r(&time, &local))
    std::strftime(text, sizeof text, "%Y-%m-%d %H:%M", &local);
  return text;
}

class CacheCommand : public Command {
  void declare(CommandSpec &spec) override {
    spec.name = "cache";
    spec.summary = "List compiled models, or make room";
    spec.details = "Compiled models lie in $LLMIR_CACHE, or in llmir in $XDG_CACHE_HOME or "
                   "~/.cache. What is removed is compiled again when it is needed; a process that "
                   "runs it goes on.";
    spec.examples = {"llmir cache", "llmir cache --clean", "llmir cache --clear --older-than 30"};
    OptionTable &table = spec.options;
    table.group("Cache");
    table.add("verify", &verify, "Read all of every file; a damaged one is an error");
    table
        .add("clean", &clean,
             "Remove what is of no use: its model is gone or has changed, it is damaged or was "
             "never finished")
        .excludes("clear");
    table.add("clear", &clear, "Remove everything").commandLineOnly();
    table.add("older-than", &olderThan, "Remove only what was not used for so many days")
        .placeholder("DAYS")
        .range(0, 100000)
        .needs("clear");
    table.add("json", &json, "Print JSON");
  }

  Status run(const CommandContext &) override {
    auto folder = cacheFolder();
    if (!folder)
      return forward(folder);
    auto entries =
        listCache(*folder, verify ? Artifact::Check::All : Artifact::Check::AllButWeights);
    if (!entries)
      return forward(entries);
    if (clean || clear)
      return remove(*entries);
    json ? printJson(*folder, *entries) : print(*folder, *entries);
    for (const CacheEntry &entry : *entries)
      if (verify && entry.staleness == Staleness::Damaged)
        return fail("{}", entry.error);
    return {};
  }

  bool mustGo(const CacheEntry &entry, int64_t now) const {
    const int64_t age = now - entry.lastUsed;
    if (clear)
      return age >= olderThan * 86400;
    return entry.staleness == Staleness::Unfinished ? age >= abandonedSeconds
                                                    : entry.staleness != Staleness::None;
  }

  Status remove(const std::vector<CacheEntry> &entries) const {
    int64_t count = 0, bytes = 0;
    for (const CacheEntry &entry : entries) {
      if (!mustGo(entry, std::time(nullptr)))
        continue;
      if (unlink(entry.path.c_str()) != 0 && errno != ENOENT)
        return fail("{}: cannot be removed: {}", entry.path, std::strerror(errno));
      ++count;
      bytes += entry.bytes;
    }
    if (json)
      printTo(stdout, "{}\n", Json{{"removed", count}, {"removed_bytes", bytes}}.dump(1));
    else
      printTo(stdout, "removed {} file{}, {:.1f} MB\n", count, count == 1 ? "" : "s",
              double(bytes) * 1e-6);
    return {};
  }

  static void print(const std::string &folder, const std::vector<CacheEntry> &entries) {
    int64_t bytes = 0;
    for (const CacheEntry &entry : entries) {
      bytes += entry.bytes;
      std::string what = describe(entry.staleness);
      if (entry.manifest)
        what = fmt::format("{:<11} {:<5} {:<3} {:<4} {}{}{}", entry.manifest->cpu,
                           entry.manifest->activations, entry.manifest->kv.elementType,
                           entry.manifest->quantize, entry.manifest->modelFile,
                           what.empty() ? "" : "  ! ", what);
      else
        what = fmt::format("{}  ! {}", entry.path, what);
      printTo(stdout, "{}  {:>9.1f} MB  {}\n", shownTime(entry.lastUsed),
              double(entry.bytes) * 1e-6, what);
    }
    printTo(stdout, "{}: {} file{}, {:.1f} MB\n", folder, entries.size(),
            entries.size() == 1 ? "" : "s", double(bytes) * 1e-6);
  }

  static void printJson(const std::string &folder, const std::vector<CacheEntry> &entries) {
    Json list = Json::array();
    int64_t bytes = 0;
    for (const CacheEntry &entry : entries) {
      bytes += entry.bytes;
      Json item = {{"file", entry.path}, {"bytes", entry.bytes}, {"last_used", entry.lastUsed}};
      if (entry.manifest)
        item.update({{"model", entry.manifest->modelFile},
                     {"compiler", entry.manifest->compiler},
                     {"target", entry.manifest->cpu},
                     {"activations", entry.manifest->activations},
                     {"kv", entry.manifest->kv.elementType},
                     {"quantize", entry.manifest->quantize}});
      if (entry.staleness != Staleness::None)
        item["problem"] = describe(entry.staleness);
      list.push_back(std::move(item));
    }
    Json result = {{"folder", folder}, {"bytes", bytes}, {"artifacts", std::move(list)}};
    printTo(stdout, "{}\n", result.dump(1, ' ', false, Json::error_handler_t::replace));
  }

  bool verify = false, clean = false, clear = false, json = false;
  int32_t olderThan = 0;
};

} // namespace

std::unique_ptr<Command> makeCacheCommand() { return std::make_unique<CacheCommand>(); }

} // namespace llmir
