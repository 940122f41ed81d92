// An artifact in this process: its manifest, its shared object, its weights mapped from the file.
#pragma once

#include "llmir/runtime/device/Device.h"
#include "llmir/support/MappedFile.h"
#include <vector>

namespace llmir {

class CpuProgram final : public Program {
public:
  /// Everything is checked before the code is opened: a program for another CPU gives an error that
  /// names the missing features, never an illegal instruction.
  static Expected<std::unique_ptr<CpuProgram>> load(const std::string &directory);
  ~CpuProgram() override;

  const Manifest &manifest() const override { return contents; }
  llmir_step_fn step() const { return entry; }
  /// [weightRows][weightSlots]; null where the manifest names no weight.
  const void *const *weights() const { return weightTable.data(); }

private:
  CpuProgram() = default;
  Status openCode(const std::string &path);
  Status mapWeights(const std::string &path);

  Manifest contents;
  void *library = nullptr;
  llmir_step_fn entry = nullptr;
  MappedFile weightFile;
  std::vector<const void *> weightTable;
};

/// An error when this CPU lacks one of the features that `manifest` asks for.
Status checkCpuFeatures(const Manifest &manifest, const std::string &name);

} // namespace llmir
