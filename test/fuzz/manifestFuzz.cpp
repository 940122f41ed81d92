// Manifests of artifacts: an error, or a manifest that is written and read back the same.
#include "Fuzz.h"

#include "llmir/abi/Manifest.h"

using namespace llmir;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  auto manifest = manifestFromJson(std::string(asText(data, size)), "fuzz.json");
  if (!manifest)
    return 0;
  std::string written = manifestToJson(*manifest);
  auto again = manifestFromJson(written, "again.json");
  require(again && manifestToJson(*again) == written);
  return 0;
}
