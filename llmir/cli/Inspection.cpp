// Collects the facts in an order that matters: the process is measured as soon as it holds what
// every run holds, before anything else is looked at.
#include "llmir/cli/Inspection.h"

#include "llmir/driver/PlanModel.h"
#include "llmir/formats/tokenizer/GgufTokenizer.h"

namespace llmir {

namespace {

/// Bytes of this process once it holds what every run holds: code, libraries, the file's metadata
/// and the tokenizer made of it, which is gone again afterwards. Measured, as it depends on the
/// system's libraries as much as on the vocabulary.
int64_t measureProgram(const GgufFile &file, Status &problem) {
  auto tokenizer = tokenizerFromGguf(file);
  if (!tokenizer)
    problem = forward(tokenizer);
  return residentBytes();
}

} // namespace

Expected<Inspection> inspectModel(const InspectionRequest &request) {
  auto opened = openModelFile(request.model, request.verify ? Artifact::Check::All
                                                            : Artifact::Check::AllButWeights);
  if (!opened)
    return forward(opened);
  Inspection found;
  found.path = request.model;
  found.artifact = std::move(opened->artifact);
  found.file = std::move(opened->file);
  if (found.artifact)
    if (Status status = checkOptions(*found.artifact, request.artifact); !status)
      return forward(status);
  Status noTokenizer;
  const int64_t program = measureProgram(found.file, noTokenizer);
  found.fileBytes = found.artifact ? found.artifact->info().st_size : found.file.stamp().bytes;
  found.summary = summarize(found.file);
  found.machine = memoryInfo();

  auto manifest = found.artifact ? Expected<Manifest>(found.artifact->manifest())
                                 : planModel(request.model, request.artifact);
  if (manifest) {
    found.manifest = std::move(*manifest);
    auto plan = planInspection(*found.manifest, request, found.machine, program);
    if (!plan)
      return forward(plan);
    found.plan = std::move(*plan);
    found.problem = std::move(noTokenizer);
  } else {
    found.problem = forward(manifest);
  }
  if (request.verify) {
    auto check = verifyTensors(found.file);
    if (check)
      found.check = std::move(*check);
    else
      found.problem = forward(check);
  }
  return found;
}

} // namespace llmir
