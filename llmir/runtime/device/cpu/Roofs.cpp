// The best of several rounds: what the machine can do, not what neighbours let it do.
#include "llmir/runtime/device/cpu/Roofs.h"

#include "llmir/runtime/device/cpu/PeakLoops.h"
#include "llmir/support/CpuInfo.h"
#include "llmir/support/MemoryInfo.h"
#include <algorithm>
#include <cstring>
#include <functional>

namespace llmir {

namespace {

constexpr int rounds = 5;
constexpr size_t unit = 512; // what readAll takes at a time

/// Seconds of the fastest of some runs of `work(worker, workers)` on all workers.
template <typename Work> double fastest(CpuDevice &device, Work work) {
  double best = 0;
  for (int round = 0; round < rounds; ++round) {
    const auto start = std::chrono::steady_clock::now();
    device.run([](void *context, int32_t worker,
                  int32_t workers) { (*static_cast<Work *>(context))(worker, workers); },
               &work);
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    best = round == 0 ? seconds : std::min(best, seconds);
  }
  return std::max(best, 1e-9);
}

PeakLevel levelOf(const Manifest &manifest) {
  const auto &features = manifest.features;
  auto has = [&](const char *name) {
    return std::find(features.begin(), features.end(), name) != features.end();
  };
  return has("avx512_vnni") ? PeakLevel::Avx512Vnni
         : has("avx2")      ? PeakLevel::Avx2
                            : PeakLevel::Portable;
}

ArithmeticRoof measure(CpuDevice &device, const PeakLoop &loop) {
  constexpr int64_t repetitions = 100000; // a few milliseconds
  const double seconds = fastest(device, [&](int32_t, int32_t) { loop.run(repetitions); });
  return {loop.name, double(loop.operations) * repetitions * device.threads() / seconds};
}

} // namespace

int64_t roofBufferBytes() {
  const int64_t wanted = std::max<int64_t>(256 << 20, 2 * cacheBytes(3));
  const int64_t available = memoryInfo().available;
  return available > 0 ? std::min(wanted, available / 4) : wanted;
}

Expected<Roofs> measureRoofs(CpuDevice &device, const Manifest &manifest, int64_t bufferBytes) {
  const PeakLevel level = levelOf(manifest);
  Roofs roofs;
  const size_t units = std::max<size_t>(1, size_t(bufferBytes) / unit);
  roofs.bufferBytes = int64_t(units * unit);
  auto buffer = device.allocate(units * unit);
  if (!buffer)
    return forward(buffer, "the buffer that memory is measured with");
  // Each worker writes what it reads later: pages lie near those who touch them first.
  auto part = [&](int32_t worker, int32_t workers) {
    const size_t from = units * size_t(worker) / size_t(workers);
    const size_t to = units * (size_t(worker) + 1) / size_t(workers);
    return std::span(buffer->data() + from * unit, (to - from) * unit);
  };
  auto touch = [&](int32_t worker, int32_t workers) {
    std::span<std::byte> bytes = part(worker, workers);
    std::memset(bytes.data(), 1, bytes.size());
  };
  device.run([](void *context, int32_t worker,
                int32_t workers) { (*static_cast<decltype(touch) *>(context))(worker, workers); },
             &touch);
  const double seconds = fastest(device, [&](int32_t worker, int32_t workers) {
    std::span<std::byte> bytes = part(worker, workers);
    readAll(level, bytes.data(), bytes.size());
  });
  roofs.memoryPerSecond = double(roofs.bufferBytes) / seconds;
  roofs.f32 = measure(device, floatLoop(level));
  const PeakLoop bytes = int8Loop(level), pairs = int16Loop(level);
  roofs.int8 = bytes.run ? measure(device, bytes) : roofs.f32;
  roofs.int16 = pairs.run ? measure(device, pairs) : roofs.f32;
  return roofs;
}

} // namespace llmir
