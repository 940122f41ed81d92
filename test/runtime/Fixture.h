// The hand-made artifact of fixtures/fixture_model.c in a temporary file.
#pragma once

#include "llmir/abi/ArtifactWriter.h"
#include "llmir/runtime/device/cpu/CpuDevice.h"
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

namespace llmir {

class FixtureArtifact {
public:
  FixtureArtifact() {
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
    std::ifstream file(LLMIR_FIXTURE_MODEL, std::ios::binary);
    code.assign(std::istreambuf_iterator<char>(file), {});
  }
  ~FixtureArtifact() { std::filesystem::remove_all(folder); }

  /// Writes manifest and code as they are now, and opens the file.
  Expected<Artifact> write() const {
    const std::string path = folder / "fixture.llmir";
    auto writer = ArtifactWriter::create(path, 64);
    if (!writer)
      return forward(writer);
    std::ranges::fill(writer->weights(), uint8_t('s'));
    if (Status status = writer->finish(manifest, code, {}); !status)
      return forward(status);
    return Artifact::open(path);
  }

  std::filesystem::path folder;
  Manifest manifest;
  std::vector<uint8_t> code;
};

/// Device and program, or a test failure.
struct LoadedFixture {
  explicit LoadedFixture(int threads) {
    device = std::move(*CpuDevice::create(threads));
    auto written = artifact.write();
    auto loaded = written ? device->load(std::move(*written)) : forward(written);
    if (!loaded)
      ADD_FAILURE() << loaded.error().message;
    else
      program = std::move(*loaded);
  }

  FixtureArtifact artifact;
  std::unique_ptr<CpuDevice> device;
  std::unique_ptr<Program> program;
};

} // namespace llmir
