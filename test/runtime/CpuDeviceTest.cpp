// Workers, barrier and loader of the CPU device.
#include "Fixture.h"
#include "llmir/runtime/device/cpu/CpuProgram.h"
#include "llmir/support/CpuInfo.h"
#include "test/support/Limit.h"
#include <gmock/gmock.h>
#include <thread>
#include <unistd.h>

using namespace llmir;
using testing::HasSubstr;

namespace {

// Every worker must see all that the others wrote before the barrier, thousands of times.
void expectBarrierHolds(int workers, int rounds) {
  WorkerPool pool(workers);
  struct Board {
    WorkerPool &pool;
    std::vector<int> written;
    int rounds;
    std::atomic<int> errors{0};
  } board{pool, std::vector<int>(workers * 16), rounds};
  for (int launch = 0; launch < 3; ++launch)
    pool.run(
        [](void *context, int32_t worker, int32_t workers) {
          auto &board = *static_cast<Board *>(context);
          for (int round = 0; round < board.rounds; ++round) {
            board.written[worker * 16] = round;
            board.pool.barrier();
            for (int other = 0; other < workers; ++other)
              board.errors += board.written[other * 16] != round;
            board.pool.barrier();
          }
        },
        &board);
  EXPECT_EQ(board.errors, 0);
}

TEST(WorkerPool, BarrierSeparatesPhases) {
  for (int workers : {1, 2, 3})
    expectBarrierHolds(workers, 500);
}

TEST(WorkerPool, MoreWorkersThanCpus) { expectBarrierHolds(usableCpus() * 4 + 1, 50); }

TEST(WorkerPool, BusyNeighboursCostTheirShare) {
  std::atomic<bool> stop{false};
  std::vector<std::jthread> neighbours;
  for (int i = 0; i < usableCpus(); ++i)
    neighbours.emplace_back([&] {
      while (!stop.load(std::memory_order_relaxed))
        ;
    });
  auto start = std::chrono::steady_clock::now();
  expectBarrierHolds(usableCpus(), 100);
  std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  stop = true;
  EXPECT_LT(seconds.count(), 20); // 600 barriers; a collapse takes a scheduler's turn for each
}

TEST(WorkerPool, SleepsBetweenJobs) {
  WorkerPool pool(2);
  auto nothing = [](void *, int32_t, int32_t) {};
  pool.run(nothing, nullptr);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  clock_t before = clock(); // of all threads of the process
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_LT(double(clock() - before) / CLOCKS_PER_SEC, 0.05);
  pool.run(nothing, nullptr);
}

TEST(CpuInfo, Quota) {
  FixtureArtifact folder; // any folder
  auto write = [&](const char *name, const char *text) {
    std::ofstream(folder.folder / name) << text;
  };
  EXPECT_EQ(quotaCpus(folder.folder), 0);
  write("cpu.cfs_quota_us", "-1");
  write("cpu.cfs_period_us", "100000");
  EXPECT_EQ(quotaCpus(folder.folder), 0);
  write("cpu.cfs_quota_us", "250000");
  EXPECT_EQ(quotaCpus(folder.folder), 2);
  write("cpu.max", "max 100000");
  EXPECT_EQ(quotaCpus(folder.folder), 2);
  write("cpu.max", "50000 100000");
  EXPECT_EQ(quotaCpus(folder.folder), 1);
  EXPECT_GE(usableCpus(), 1);
  EXPECT_FALSE(cpuFlags().empty());
}

TEST(CpuDevice, MemoryIsZeroAndAligned) {
  auto device = CpuDevice::create(1);
  auto buffer = (*device)->allocate(1000);
  ASSERT_TRUE(buffer);
  EXPECT_EQ(uintptr_t(buffer->data()) % 64, 0u);
  for (size_t i = 0; i < buffer->size(); ++i)
    ASSERT_EQ(buffer->data()[i], std::byte(0));
  auto huge = (*device)->allocate(size_t(1) << 60);
  ASSERT_FALSE(huge);
  EXPECT_THAT(huge.error().message, HasSubstr("MiB"));
}

TEST(CpuDevice, RefusesForeignArtifacts) {
  auto device = CpuDevice::create(1);
  ASSERT_TRUE(device);
  FixtureArtifact artifact;
  auto error = [&] {
    auto written = artifact.write();
    auto program = written ? (*device)->load(std::move(*written)) : forward(written);
    return program ? std::string("loaded") : program.error().message;
  };
  EXPECT_EQ(error(), "loaded");
  artifact.manifest.features = {"amx-of-the-future"};
  EXPECT_THAT(error(), HasSubstr("a CPU with amx-of-the-future, which this one"));
  artifact.manifest.features = {};
  artifact.manifest.abiVersion = 999;
  EXPECT_THAT(error(), HasSubstr("ABI version 999"));
  artifact.manifest.abiVersion = LLMIR_ABI_VERSION;
  artifact.manifest.weightBytes = 128;
  EXPECT_THAT(error(), HasSubstr("holds 64 bytes of weights, its manifest says 128"));
  artifact.manifest.weightBytes = 64;
  artifact.code = {'n', 'o'};
  EXPECT_THAT(error(), HasSubstr("fixture.llmir: its code cannot be loaded"));
  artifact.code.clear();
  EXPECT_THAT(error(), HasSubstr("fixture.llmir: its code cannot be loaded"));
}

TEST(CpuDevice, CodeWithoutASymbolIsRefused) {
  auto device = CpuDevice::create(1);
  for (std::string symbol : {LLMIR_VERSION_SYMBOL, LLMIR_STEP_SYMBOL}) {
    FixtureArtifact artifact;
    auto rest = std::span(artifact.code);
    for (;;) { // every place where its name stands
      auto found = std::ranges::search(rest, symbol);
      if (found.empty())
        break;
      found.front() = 'x';
      rest = std::span(found.end(), rest.end());
    }
    auto program = (*device)->load(std::move(*artifact.write()));
    ASSERT_FALSE(program);
    EXPECT_THAT(program.error().message,
                HasSubstr("fixture.llmir: its code lacks the symbol " + symbol));
  }
}

TEST(CpuDevice, CodeThatFindsNoRoomIsAnError) {
  auto device = CpuDevice::create(1);
  auto errorWith = [&](__rlimit_resource_t resource, rlim_t most) {
    Artifact artifact = std::move(*FixtureArtifact().write());
    Limit limit(resource, most);
    auto program = (*device)->load(std::move(artifact));
    return program ? std::string() : program.error().message;
  };
  EXPECT_THAT(errorWith(RLIMIT_NOFILE, 0),
              HasSubstr("memory for its code cannot be had: Too many open files"));
  EXPECT_THAT(errorWith(RLIMIT_FSIZE, 200),
              HasSubstr("its code cannot be copied into memory: File too large"));
}

TEST(CpuDevice, LoadsTheSameCodeTwice) {
  // dlopen knows libraries by their names: two files of memory must not be taken for one.
  LoadedFixture first(1);
  auto second = first.device->load(std::move(*first.artifact.write()));
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_NE(static_cast<CpuProgram &>(*first.program).step(),
            static_cast<CpuProgram &>(**second).step());
}

TEST(CpuDevice, RefusesImpossibleThreadCounts) {
  EXPECT_THAT(CpuDevice::create(-1).error().message, HasSubstr("-1 threads"));
  EXPECT_THAT(CpuDevice::create(maxCpuThreads + 1).error().message,
              HasSubstr("1025 threads were asked for, from 1 to 1024 are possible"));
}

TEST(CpuDevice, ThreadsThatCannotBeHadAreAnError) {
  // No room for the stacks: some threads start, then one does not, and the first ones must end.
  auto device = [] {
    LittleMemory forSomeStacks(size_t(200) << 20);
    return CpuDevice::create(512);
  }();
  ASSERT_FALSE(device);
  EXPECT_THAT(device.error().message, HasSubstr("512 threads could not be started"));
  EXPECT_THAT(device.error().message, HasSubstr("ask for fewer with --threads"));
}

} // namespace
