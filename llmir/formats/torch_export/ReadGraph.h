// The parts of the schema that the program and the tables of weights share.
#pragma once

#include "llmir/formats/torch_export/ExportedProgram.h"
#include "llmir/formats/torch_export/Json.h"

namespace llmir::torch_export {

/// All throw WrongJson.
TensorMeta readTensorMeta(const Place &place);
Graph readGraph(const Place &place);
ArgumentValue readArgument(const Place &place);

} // namespace llmir::torch_export
