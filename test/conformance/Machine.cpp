// Writes jobs, starts the runner of steps, reads what it gives back.
#include "Machine.h"

#include "job.h"
#include "llmir/support/CpuInfo.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace llmir::conformance {

using reference::Batch;

namespace {

constexpr unsigned secondsOfCase = 120;

std::string textOf(const std::string &path) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  return buffer ? (*buffer)->getBuffer().trim().str() : "";
}

/// The major version of an emulator; 0 if it does not say.
int majorVersion(const std::string &program) {
  llvm::SmallString<128> file;
  if (llvm::sys::fs::createTemporaryFile("llmir-conformance", "txt", file))
    return 0;
  std::optional<llvm::StringRef> redirects[] = {"", file.str(), ""};
  llvm::sys::ExecuteAndWait(program, {program, "--version"}, std::nullopt, redirects);
  const std::string text = textOf(file.str().str());
  unlink(file.c_str());
  int major = 0;
  llvm::StringRef(text)
      .split("version ")
      .second.take_until([](char c) { return c == '.'; })
      .getAsInteger(10, major);
  return major;
}

class Writer {
public:
  explicit Writer(const std::string &path) : out(path, std::ios::binary | std::ios::trunc) {}

  template <typename T> void put(const T &value) { bytes(&value, sizeof(T)); }
  template <typename T> void array(const std::vector<T> &values) {
    bytes(values.data(), values.size() * sizeof(T));
  }
  void bytes(const void *data, size_t size) {
    out.write(static_cast<const char *>(data), static_cast<std::streamsize>(size));
  }

private:
  std::ofstream out;
};

void writeJob(const std::string &path, const test::CompiledModel &model,
              const std::vector<Batch> &batches, int64_t blocks, int64_t repeats) {
  const Manifest &manifest = model.manifest;
  std::vector<int64_t> offsets(manifest.weightRows * manifest.weightSlots, -1);
  for (const WeightManifest &weight : manifest.weights)
    offsets[weight.row * manifest.weightSlots + weight.slot] = weight.offset;
  conformance_job job = {};
  job.vocabulary = manifest.model.vocabulary;
  job.layers = manifest.kv.layers;
  job.k_block_bytes = manifest.kv.kBlockBytes;
  job.v_block_bytes = manifest.kv.vBlockBytes;
  job.blocks = blocks;
  job.arena_bytes_per_token = manifest.arenaBytesPerToken;
  job.weight_rows = manifest.weightRows;
  job.weight_slots = manifest.weightSlots;
  job.weight_bytes = manifest.weightBytes;
  job.weights_at = static_cast<int64_t>(sizeof(job) + offsets.size() * sizeof(int64_t));
  job.steps = static_cast<int64_t>(batches.size());
  job.steps_at = job.weights_at + job.weight_bytes;
  std::ranges::copy(Machine::workerCounts(repeats), job.workers);
  job.repeats = repeats;
  Writer file(path);
  file.put(job);
  file.array(offsets);
  file.bytes(model.weights.get(), manifest.weightBytes);
  for (const Batch &b : batches) {
    file.put(conformance_step{static_cast<int32_t>(b.numTokens()),
                              static_cast<int32_t>(b.numSequences()),
                              static_cast<int32_t>(b.logitRows.size()), b.blockTableStride});
    for (const auto *field : {&b.tokens, &b.positions, &b.tokenSequence, &b.queryStarts,
                              &b.sequenceLengths, &b.blockTable, &b.slotMapping, &b.logitRows})
      file.array(*field);
  }
}

Expected<StepResults> readResults(const std::string &path, const std::vector<Batch> &batches,
                                  int64_t vocabulary, int64_t repeats) {
  std::ifstream in(path, std::ios::binary);
  auto read = [&](auto &values) {
    in.read(reinterpret_cast<char *>(values.data()),
            static_cast<std::streamsize>(values.size() * sizeof(values[0])));
  };
  StepResults results;
  for (size_t i = 0; i < Machine::workerCounts(repeats).size(); ++i) {
    auto &steps = results.logits.emplace_back();
    for (const Batch &batch : batches)
      read(steps.emplace_back(batch.logitRows.size() * vocabulary));
  }
  if (repeats) {
    results.nanoseconds.resize(batches.size());
    read(results.nanoseconds);
  }
  if (!in)
    return fail("the runner's result is cut off");
  return results;
}

} // namespace

std::vector<int64_t> Machine::workerCounts(int64_t repeats) {
  return repeats ? std::vector<int64_t>{1} : std::vector<int64_t>{1, 2, 5};
}

Machine Machine::of(const Target &target) {
  Machine machine;
  const auto wanted = llvm::Triple(target.triple).getArch();
  if (wanted == llvm::Triple(llvm::sys::getProcessTriple()).getArch()) {
    for (const std::string &flag : target.cpuFlags)
      if (!cpuFlags().contains(flag))
        machine.reason = fmt::format("this CPU lacks {}", flag);
    machine.command = {LLMIR_RUNNER};
    return machine;
  }
  // The emulated CPU has what the target asks for and nothing else: more is an illegal instruction.
  const std::string runner = LLMIR_RUNNER ".aarch64";
  auto qemu = llvm::sys::findProgramByName("qemu-aarch64");
  if (wanted != llvm::Triple::aarch64)
    machine.reason = fmt::format("nothing here runs {}", target.triple);
  else if (!qemu || majorVersion(*qemu) < 10)
    machine.reason = "there is no qemu-aarch64 of version 10: scripts/install_deps.sh conformance";
  else if (!std::filesystem::exists(runner))
    machine.reason = "its runner is not built: make conformance";
  else
    machine.command = {*qemu,
                       "-cpu",
                       target.isa == CpuIsa::NeonDot ? "neoverse-n1" : "cortex-a53",
                       "-L",
                       "/usr/aarch64-linux-gnu",
                       runner};
  return machine;
}

Expected<StepResults> Machine::run(const std::string &codeFile, const test::CompiledModel &model,
                                   const std::vector<Batch> &batches, int64_t blocks,
                                   int64_t repeats, const std::string &folder) const {
  const std::string job = folder + "/job", result = folder + "/result", log = folder + "/log";
  writeJob(job, model, batches, blocks, repeats);
  std::vector<llvm::StringRef> arguments(command.begin(), command.end());
  arguments.insert(arguments.end(), {codeFile, job, result});
  std::optional<llvm::StringRef> redirects[] = {"", log, log};
  std::string message;
  const int code = llvm::sys::ExecuteAndWait(command.front(), arguments, std::nullopt, redirects,
                                             secondsOfCase, 0, &message);
  if (code != 0)
    return fail("the runner ended with {}: {} {}", code, message, textOf(log));
  return readResults(result, batches, model.manifest.model.vocabulary, repeats);
}

} // namespace llmir::conformance
