// WorkQueue: every piece runs once, whatever number of threads can be had.
#include "llmir/support/WorkQueue.h"

#include "Limit.h"
#include <vector>

using namespace llmir;

namespace {

std::vector<int> runsOfPieces(int pieces) {
  std::vector<int> runs(pieces);
  WorkQueue queue;
  for (int &count : runs)
    queue.add([&count] { ++count; });
  queue.run();
  return runs;
}

// First: a stack that a thread leaves would serve the next one.
TEST(WorkQueue, WorksWithTheThreadsThatCanBeHad) {
  LittleMemory noStacks(1 << 20);
  EXPECT_EQ(runsOfPieces(1000), std::vector<int>(1000, 1));
}

TEST(WorkQueue, RunsEachPieceOnce) {
  EXPECT_EQ(runsOfPieces(1000), std::vector<int>(1000, 1));
  EXPECT_TRUE(runsOfPieces(0).empty());
}

} // namespace
