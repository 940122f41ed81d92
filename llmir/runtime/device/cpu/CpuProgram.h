// An artifact in this process: its code opened, its weights where the file is mapped.
#pragma once

#include "llmir/runtime/device/Device.h"
#include <vector>

namespace llmir {

class CpuProgram final : public Program {
public:
  /// Everything is checked before the code is opened: a program for another CPU gives an error that
  /// names the missing features, never an illegal instruction.
  static Expected<std::unique_ptr<CpuProgram>> load(Artifact artifact);
  ~CpuProgram() override;

  const Manifest &manifest() const override { return artifact.manifest(); }
  llmir_step_fn step() const { return entry; }
  /// [weightRows][weightSlots]; null where the manifest names no weight.
  const void *const *weights() const { return weightTable.data(); }

private:
  explicit CpuProgram(Artifact artifact) : artifact(std::move(artifact)) {}
  Status openCode();
  void placeWeights();

  Artifact artifact;
  int codeFile = -1; // of memory; open as long as the library is
  void *library = nullptr;
  llmir_step_fn entry = nullptr;
  std::vector<const void *> weightTable;
};

/// An error when this CPU lacks one of the features that `manifest` asks for.
Status checkCpuFeatures(const Manifest &manifest, const std::string &name);

} // namespace llmir
