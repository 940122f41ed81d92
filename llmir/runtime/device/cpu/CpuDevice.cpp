// Memory by mmap, programs by CpuProgram, launches by WorkerPool.
#include "llmir/runtime/device/cpu/CpuDevice.h"

#include "llmir/runtime/device/cpu/CpuProgram.h"
#include "llmir/support/CpuInfo.h"
#include <sys/mman.h>
#include <system_error>

namespace llmir {

Expected<std::unique_ptr<CpuDevice>> CpuDevice::create(int threads) {
  if (threads < 0 || threads > maxCpuThreads)
    return fail("{} threads were asked for, from 1 to {} are possible", threads, maxCpuThreads);
  const int count = threads ? threads : usableCpus();
  try {
    return std::unique_ptr<CpuDevice>(new CpuDevice(count));
  } catch (const std::system_error &error) {
    return fail("{} threads could not be started: {}; ask for fewer with --threads", count,
                error.what());
  }
}

Expected<DeviceBuffer> CpuDevice::allocate(size_t bytes) {
  if (bytes == 0)
    return DeviceBuffer();
  // Not reserved: a cache is sized for the longest context and mostly stays empty.
  void *address = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED)
    return fail("{} MiB of memory are not to be had: ask for less, such as a smaller --context",
                (bytes >> 20) + 1);
  return DeviceBuffer(static_cast<std::byte *>(address), bytes,
                      [](std::byte *data, size_t size) { munmap(data, size); });
}

Expected<std::unique_ptr<Program>> CpuDevice::load(Artifact artifact) {
  auto program = CpuProgram::load(std::move(artifact));
  if (!program)
    return forward(program);
  return std::unique_ptr<Program>(std::move(*program));
}

void CpuDevice::launch(const Program &program, const llmir_step_args &given) {
  const auto &code = static_cast<const CpuProgram &>(program);
  struct Launch {
    llmir_step_args args;
    llmir_step_fn step;
    WorkerPool &pool;
    StepTimes *times;
  } launch{given, code.step(), pool, times};
  launch.args.weights = code.weights();
  launch.args.barrier = [](void *sync, int32_t) { static_cast<WorkerPool *>(sync)->barrier(); };
  launch.args.sync = &pool;
  if (times) {
    launch.args.barrier = [](void *sync, int32_t worker) {
      auto &launch = *static_cast<Launch *>(sync);
      launch.times->arrive(worker);
      launch.pool.barrier();
      if (worker == 0)
        launch.times->depart();
    };
    launch.args.sync = &launch;
    times->start();
  }
  pool.run(
      [](void *context, int32_t worker, int32_t workers) {
        auto &launch = *static_cast<Launch *>(context);
        launch.step(&launch.args, worker, workers);
      },
      &launch);
  if (times)
    times->end();
}

} // namespace llmir
