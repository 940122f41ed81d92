// The hand-made artifact of fixtures/fixture_model.c in a temporary folder.
#pragma once

#include "llmir/runtime/device/cpu/CpuDevice.h"
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

namespace llmir {

class ArtifactFolder {
public:
  ArtifactFolder() {
    std::string pattern = testing::TempDir() + "llmir-artifact-XXXXXX";
    folder = mkdtemp(pattern.data());
    manifest.abiVersion = LLMIR_ABI_VERSION;
    manifest.activations = "int8";
    manifest.arenaBytesPerToken = 8;
    manifest.model = {"fixture", 97, 512, 1};
    manifest.kv = {1, 4, 16, 16, "f32"};
    manifest.weightRows = manifest.weightSlots = 1;
    manifest.weightBytes = 64;
    manifest.weights = {{"salt", 0, 0, 0, 64}};
    std::filesystem::copy_file(LLMIR_FIXTURE_MODEL, folder / codeFileName);
    std::ofstream(folder / weightsFileName) << std::string(64, 's');
    writeManifest();
  }
  ~ArtifactFolder() { std::filesystem::remove_all(folder); }

  void writeManifest() { std::ofstream(folder / manifestFileName) << manifestToJson(manifest); }

  std::filesystem::path folder;
  Manifest manifest;
};

/// Device and program, or a test failure.
struct LoadedFixture {
  explicit LoadedFixture(int threads) {
    device = std::move(*CpuDevice::create(threads));
    auto loaded = device->load(artifact.folder);
    if (!loaded)
      ADD_FAILURE() << loaded.error().message;
    else
      program = std::move(*loaded);
  }

  ArtifactFolder artifact;
  std::unique_ptr<CpuDevice> device;
  std::unique_ptr<Program> program;
};

} // namespace llmir
