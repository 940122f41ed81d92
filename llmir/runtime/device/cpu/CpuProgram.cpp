// The loader: ABI version, then CPU features, then dlopen. Who may have written the
// artifact is asked before, by the driver: a shared object can do anything once it is open.
#include "llmir/runtime/device/cpu/CpuProgram.h"

#include "llmir/support/CpuInfo.h"
#include <cerrno>
#include <cstring>
#include <dlfcn.h>
#include <fmt/ranges.h>
#include <sys/mman.h>
#include <unistd.h>

namespace llmir {

Status checkCpuFeatures(const Manifest &manifest, const std::string &name) {
  std::vector<std::string> missing;
  for (const std::string &feature : manifest.features)
    if (!cpuFlags().contains(feature))
      missing.push_back(feature);
  if (missing.empty())
    return {};
  return fail("{}: was compiled for a CPU with {}, which this one ({}) lacks: compile the model on "
              "this machine",
              name, fmt::join(missing, ", "), cpuModelName());
}

static Status checkAbi(const std::string &name, uint32_t version) {
  if (version == LLMIR_ABI_VERSION)
    return {};
  return fail("{}: has ABI version {}, this runtime needs {}: compile the model again", name,
              version, LLMIR_ABI_VERSION);
}

Expected<std::unique_ptr<CpuProgram>> CpuProgram::load(Artifact artifact) {
  const Manifest &manifest = artifact.manifest();
  for (Status status : {checkAbi(artifact.path(), manifest.abiVersion),
                        checkCpuFeatures(manifest, artifact.path())})
    if (!status)
      return forward(status);
  std::unique_ptr<CpuProgram> program(new CpuProgram(std::move(artifact)));
  if (Status status = program->openCode(); !status)
    return forward(status);
  program->placeWeights();
  return program;
}

CpuProgram::~CpuProgram() {
  if (library)
    dlclose(library);
  if (codeFile >= 0)
    close(codeFile);
}

/// The code is opened from memory: the artifact may lie where nothing may be executed. The file
/// stays open, since dlopen knows libraries by their names, and this one is of its number.
Status CpuProgram::openCode() {
  const std::string &name = artifact.path();
  std::span<const uint8_t> code = artifact.code();
  codeFile = memfd_create("llmir-model", MFD_CLOEXEC);
  if (codeFile < 0)
    return fail("{}: memory for its code cannot be had: {}", name, std::strerror(errno));
  while (!code.empty()) {
    ssize_t written = write(codeFile, code.data(), code.size());
    if (written < 0 && errno != EINTR)
      return fail("{}: its code cannot be copied into memory: {}", name, std::strerror(errno));
    code = code.subspan(size_t(std::max<ssize_t>(written, 0)));
  }
  library = dlopen(fmt::format("/proc/self/fd/{}", codeFile).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return fail("{}: its code cannot be loaded: {}", name, dlerror());
  auto *version = static_cast<const uint32_t *>(dlsym(library, LLMIR_VERSION_SYMBOL));
  if (!version)
    return fail("{}: its code lacks the symbol {}", name, LLMIR_VERSION_SYMBOL);
  if (Status status = checkAbi(name, *version); !status)
    return status;
  entry = reinterpret_cast<llmir_step_fn>(dlsym(library, LLMIR_STEP_SYMBOL));
  if (!entry)
    return fail("{}: its code lacks the symbol {}", name, LLMIR_STEP_SYMBOL);
  return {};
}

void CpuProgram::placeWeights() {
  const Manifest &manifest = artifact.manifest();
  weightTable.assign(manifest.weightRows * manifest.weightSlots, nullptr);
  for (const WeightManifest &weight : manifest.weights)
    weightTable[weight.row * manifest.weightSlots + weight.slot] =
        artifact.weights().data() + weight.offset;
}

} // namespace llmir
