// The loader: manifest, then CPU features, then dlopen, then weights. Who may have written the
// artifact is asked before, by the driver: a shared object can do anything once it is open.
#include "llmir/runtime/device/cpu/CpuProgram.h"

#include "llmir/support/CpuInfo.h"
#include <dlfcn.h>
#include <filesystem>
#include <fmt/ranges.h>

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

Expected<std::unique_ptr<CpuProgram>> CpuProgram::load(const std::string &directory) {
  std::filesystem::path folder = std::filesystem::absolute(directory);
  std::string manifestPath = folder / manifestFileName;
  auto manifestFile = MappedFile::open(manifestPath);
  if (!manifestFile)
    return forward(manifestFile);
  std::span<const uint8_t> text = manifestFile->bytes();
  auto manifest = manifestFromJson(
      std::string(reinterpret_cast<const char *>(text.data()), text.size()), manifestPath);
  if (!manifest)
    return forward(manifest);
  if (manifest->abiVersion != LLMIR_ABI_VERSION)
    return fail("{}: has ABI version {}, this runtime needs {}: compile the model again",
                manifestPath, manifest->abiVersion, LLMIR_ABI_VERSION);
  if (Status status = checkCpuFeatures(*manifest, directory); !status)
    return forward(status);

  std::unique_ptr<CpuProgram> program(new CpuProgram);
  program->contents = std::move(*manifest);
  if (Status status = program->openCode(folder / codeFileName); !status)
    return forward(status);
  if (Status status = program->mapWeights(folder / weightsFileName); !status)
    return forward(status);
  return program;
}

CpuProgram::~CpuProgram() {
  if (library)
    dlclose(library);
}

Status CpuProgram::openCode(const std::string &path) {
  library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return fail("cannot load compiled code: {}", dlerror());
  auto *version = static_cast<const uint32_t *>(dlsym(library, LLMIR_VERSION_SYMBOL));
  if (!version)
    return fail("{}: is no compiled model: it lacks the symbol {}", path, LLMIR_VERSION_SYMBOL);
  if (*version != LLMIR_ABI_VERSION)
    return fail("{}: has ABI version {}, this runtime needs {}: compile the model again", path,
                *version, LLMIR_ABI_VERSION);
  entry = reinterpret_cast<llmir_step_fn>(dlsym(library, LLMIR_STEP_SYMBOL));
  if (!entry)
    return fail("{}: is no compiled model: it lacks the symbol {}", path, LLMIR_STEP_SYMBOL);
  return {};
}

Status CpuProgram::mapWeights(const std::string &path) {
  auto file = MappedFile::open(path);
  if (!file)
    return forward(file);
  if (int64_t(file->bytes().size()) != contents.weightBytes)
    return fail("{}: has {} bytes, its manifest says {}: compile the model again", path,
                file->bytes().size(), contents.weightBytes);
  weightFile = std::move(*file);
  weightTable.assign(contents.weightRows * contents.weightSlots, nullptr);
  for (const WeightManifest &weight : contents.weights)
    weightTable[weight.row * contents.weightSlots + weight.slot] =
        weightFile.bytes().data() + weight.offset;
  return {};
}

} // namespace llmir
