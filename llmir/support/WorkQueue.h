// A list of independent pieces of work, run on all processors this process may use. For preparing
// things, not for steps.
#pragma once

#include <functional>
#include <utility>
#include <vector>

namespace llmir {

class WorkQueue {
public:
  void add(std::function<void()> piece) { pieces.push_back(std::move(piece)); }
  /// Runs everything added so far and returns when all of it is done.
  void run();

private:
  std::vector<std::function<void()>> pieces;
};

} // namespace llmir
