// The known CPU levels, and the choice of one for this machine.
#include "llmir/codegen/Target.h"

#include "llmir/codegen/TargetNames.h"
#include "llmir/support/CpuInfo.h"
#include "mlir/IR/Builders.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

namespace llmir {

namespace {
struct Level {
  const char *name, *triple, *cpu, *features;
  CpuIsa isa;
  std::vector<std::string> flags;        // of /proc/cpuinfo
  std::vector<std::string> hostFeatures; // LLVM's names of the same
};

const std::vector<Level> &levels() {
  // Best first within an architecture.
  static const std::vector<Level> table = {
      {"x86-64-v4-vnni",
       "x86_64-unknown-linux-gnu",
       "x86-64-v4",
       "+avx512vnni",
       CpuIsa::Avx512Vnni,
       {"avx2", "fma", "f16c", "bmi1", "bmi2", "movbe", "avx512f", "avx512bw", "avx512cd",
        "avx512dq", "avx512vl", "avx512_vnni"},
       {"avx2", "fma", "f16c", "bmi", "bmi2", "movbe", "avx512f", "avx512bw", "avx512cd",
        "avx512dq", "avx512vl", "avx512vnni"}},
      {"x86-64-v3",
       "x86_64-unknown-linux-gnu",
       "x86-64-v3",
       "",
       CpuIsa::Avx2,
       {"avx2", "fma", "f16c", "bmi1", "bmi2", "movbe"},
       {"avx2", "fma", "f16c", "bmi", "bmi2", "movbe"}},
      {"x86-64", "x86_64-unknown-linux-gnu", "x86-64", "", CpuIsa::Portable, {}, {}},
      {"aarch64-dotprod",
       "aarch64-unknown-linux-gnu",
       "generic",
       "+v8.2a,+dotprod,+fullfp16",
       CpuIsa::NeonDot,
       {"asimddp", "asimdhp"},
       {"dotprod", "fullfp16"}},
      {"aarch64", "aarch64-unknown-linux-gnu", "generic", "", CpuIsa::Portable, {}, {}},
  };
  return table;
}

Target fromLevel(const Level &level, std::string tuneCpu) {
  Target target;
  target.triple = level.triple;
  target.cpu = level.cpu;
  target.tuneCpu = std::move(tuneCpu);
  target.features = level.features;
  target.isa = level.isa;
  target.cpuFlags = level.flags;
  return target;
}
} // namespace

int64_t Target::lanes() const {
  switch (isa) {
  case CpuIsa::Avx512Vnni:
    return 16;
  case CpuIsa::Avx2:
    return 8;
  case CpuIsa::NeonDot:
  case CpuIsa::Portable:
    return 4;
  }
  return 4;
}

llm::TargetAttr Target::toAttribute(mlir::MLIRContext *context) const {
  mlir::Builder b(context);
  auto optional = [&](const std::string &text) {
    return text.empty() ? mlir::StringAttr() : b.getStringAttr(text);
  };
  llvm::SmallVector<llvm::StringRef> flags(cpuFlags.begin(), cpuFlags.end());
  return llm::TargetAttr::get(context, b.getStringAttr(triple), isa, lanes() * 32,
                              b.getStringAttr(cpu), optional(tuneCpu), optional(features),
                              flags.empty() ? mlir::ArrayAttr() : b.getStrArrayAttr(flags),
                              l1dBytes, l2Bytes, l3Bytes, cores, memoryBandwidth);
}

Expected<Target> Target::of(llm::ModelOp model) {
  llm::TargetAttr attribute = model.getTargetAttr();
  if (!attribute)
    return fail("llm.model @{} has no target", model.getSymName().str());
  auto text = [](mlir::StringAttr value) { return value ? value.str() : std::string(); };
  Target target;
  target.triple = text(attribute.getTriple());
  target.cpu = text(attribute.getCpu());
  target.tuneCpu = text(attribute.getTune());
  target.features = text(attribute.getFeatures());
  target.isa = attribute.getIsa();
  if (attribute.getFlags())
    for (auto flag : attribute.getFlags().getAsRange<mlir::StringAttr>())
      target.cpuFlags.push_back(flag.str());
  target.l1dBytes = attribute.getL1d();
  target.l2Bytes = attribute.getL2();
  target.l3Bytes = attribute.getL3();
  target.cores = attribute.getCores();
  target.memoryBandwidth = attribute.getBandwidth();
  return target;
}

/// The best level that this machine's processor has.
static Expected<const Level *> hostLevel() {
  std::string arch = llvm::Triple(llvm::sys::getProcessTriple()).getArch() == llvm::Triple::aarch64
                         ? "aarch64"
                         : "x86_64";
  llvm::StringMap<bool> features = llvm::sys::getHostCPUFeatures();
  for (const Level &level : levels()) {
    if (!llvm::StringRef(level.triple).starts_with(arch))
      continue;
    bool hasAll = true;
    for (const std::string &feature : level.hostFeatures)
      hasAll &= features.lookup(feature);
    if (hasAll)
      return &level;
  }
  return fail("this machine's processor architecture is not supported: x86-64 and AArch64 are");
}

Expected<Target> Target::host() {
  auto level = hostLevel();
  if (!level)
    return forward(level);
  Target target = fromLevel(**level, llvm::sys::getHostCPUName().str());
  target.l1dBytes = cacheBytes(1);
  target.l2Bytes = cacheBytes(2);
  target.l3Bytes = cacheBytes(3);
  target.cores = usableCpus();
  return target;
}

std::vector<std::string> targetNames() {
  std::vector<std::string> names;
  for (const Level &level : levels())
    names.push_back(level.name);
  return names;
}

Expected<std::string> hostTargetName() {
  auto level = hostLevel();
  if (!level)
    return forward(level);
  return std::string((*level)->name);
}

Expected<Target> Target::named(const std::string &name) {
  if (name == "host")
    return host();
  std::string known;
  for (const Level &level : levels()) {
    if (level.name == name)
      return fromLevel(level, level.cpu);
    known += fmt::format(", {}", level.name);
  }
  return fail("unknown target '{}': known are host{}", name, known);
}

} // namespace llmir
