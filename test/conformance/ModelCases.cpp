// Whole random models: kernels as phases put them together. Their seeds are others than those of
// the compiler's own test.
#include "Case.h"
#include "test/models/RandomModel.h"

#include <fmt/format.h>

namespace llmir::conformance {

void addModelCases(std::vector<Case> &cases) {
  for (int seed = 1000; seed < 1040; ++seed) {
    const bool isInt8 = seed % 2;
    const test::TestModel model = test::randomModel(seed);
    const bool roundsKv = model.ir.find("element = f16") != std::string::npos;
    // The same limits, for the same reasons, as in test/compiler/RandomModelTest.cpp.
    const double tolerance = model.onlyFloat ? (roundsKv ? 2e-3 : 1e-4) : isInt8 ? 0.1 : 1e-2;
    cases.push_back({fmt::format("model/{}/{}", isInt8 ? "int8" : "int16", seed),
                     [=] { return test::randomModel(seed); }, mixedSteps(), tolerance,
                     Products::None, isInt8 ? "int8" : "int16", model.vocabulary});
  }
}

} // namespace llmir::conformance
