// What --perf times: kernels of the sizes that models have, alone.
#include "Case.h"
#include "KernelModel.h"

#include <fmt/format.h>

namespace llmir::conformance {

void addPerfCases(std::vector<Case> &cases) {
  constexpr int64_t size = 2048;
  for (Format format : {Format::F32, Format::F16, Format::BF16, Format::Q4_0, Format::Q4_1,
                        Format::Q5_0, Format::Q5_1, Format::Q8_0, Format::Q2_K, Format::Q3_K,
                        Format::Q4_K, Format::Q5_K, Format::Q6_K})
    for (const char *activations : {"int8", "int16"}) {
      if (!formatInfo(format).scheme && std::string(activations) == "int16")
        continue;
      auto make = [=] {
        KernelModel m(size);
        std::string x = m.rows(m.input(size), size);
        return m.finish(m.linear(x, size, size, format), size);
      };
      cases.push_back(
          {fmt::format("perf/linear/{}/{}/{}x{}", formatInfo(format).name, activations, size, size),
           make,
           {{{{0, 1}}}, {{{1, 8}}}, {{{2, 128}}}},
           1e-5,
           Products::None,
           activations});
    }
}

std::vector<Case> allCases(bool perf) {
  std::vector<Case> cases;
  if (perf) {
    addPerfCases(cases);
    return cases;
  }
  addLinearCases(cases);
  addRowCases(cases);
  addAttentionCases(cases);
  addExpertCases(cases);
  addModelCases(cases);
  return cases;
}

} // namespace llmir::conformance
