// The CPU as a Device: compiled code is a shared object in this process, run by a pool of threads.
#pragma once

#include "llmir/runtime/device/Device.h"
#include "llmir/runtime/device/cpu/StepTimes.h"
#include "llmir/runtime/device/cpu/WorkerPool.h"

namespace llmir {

inline constexpr int maxCpuThreads = 1024;

class CpuDevice final : public Device {
public:
  /// `threads` from 1 to maxCpuThreads, or 0 for as many as this process has CPUs.
  static Expected<std::unique_ptr<CpuDevice>> create(int threads = 0);

  Expected<DeviceBuffer> allocate(size_t bytes) override;
  Expected<std::unique_ptr<Program>> load(Artifact artifact) override;
  void launch(const Program &program, const llmir_step_args &args) override;

  int threads() const { return pool.workers(); }

  /// Each launch from now on writes the times of its barriers to `times`, which is made for as many
  /// workers; null: no longer.
  void record(StepTimes *newTimes) { times = newTimes; }

  /// Runs a job of the caller's own on the workers of steps.
  void run(WorkerPool::Job job, void *context) { pool.run(job, context); }

private:
  explicit CpuDevice(int threads) : pool(threads) {}

  WorkerPool pool;
  StepTimes *times = nullptr;
};

} // namespace llmir
