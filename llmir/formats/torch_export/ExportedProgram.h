// A graph of torch.export as plain structs: what the JSON schema of torch/_export/serde/schema.py
// says, major version 8, without what an importer has no use for. Names are as in the file, nothing
// is resolved.
#pragma once

#include "llmir/formats/torch_export/SizeExpression.h"
#include <map>
#include <memory>
#include <span>
#include <variant>

namespace llmir::torch_export {

/// torch's numbers for the types of elements.
enum class ScalarType {
  Byte = 1,
  Char = 2,
  Short = 3,
  Int = 4,
  Long = 5,
  Half = 6,
  Float = 7,
  Double = 8,
  Bool = 12,
  BFloat16 = 13,
};

/// As torch writes it, "float32"; "type 17" for one that is not in the list above.
std::string nameOf(ScalarType type);
/// 0 for one that is not in the list above.
int bytesOf(ScalarType type);

struct TensorMeta {
  ScalarType type = ScalarType::Float;
  std::vector<SizeExpression> sizes = {}; ///< at most 32; integers are not negative
};

/// The name of a tensor of the graph.
struct TensorName {
  std::string name;
};
/// A number, or the name of one in Graph::symbolicInts.
using IntArgument = std::variant<int64_t, std::string>;

struct Graph;

/// monostate: None. A list of tensors may hold None, as an empty name. Kinds that only say where or
/// how (devices, layouts, memory formats) are monostate too.
using ArgumentValue = std::variant<std::monostate, TensorName, std::vector<TensorName>, IntArgument,
                                   std::vector<IntArgument>, double, bool, std::string, ScalarType,
                                   std::shared_ptr<const Graph>>;

struct Argument {
  std::string name; ///< of the parameter in the op's schema
  ArgumentValue value;
};

struct Node {
  std::string target; ///< "torch.ops.aten.add.Tensor"
  std::vector<Argument> inputs;
  std::vector<ArgumentValue> outputs;
  std::string modulePath; ///< "blocks.0.norm1"; empty where it is not known
  std::string file;       ///< the innermost line of the source; empty where it is not known
  int line = 0;
};

struct Graph {
  std::vector<ArgumentValue> inputs, outputs;
  std::vector<Node> nodes;
  std::map<std::string, TensorMeta, std::less<>> tensors;
  /// Each a number or the text of a SizeExpression, which is parsed where it is asked for.
  std::map<std::string, IntArgument, std::less<>> symbolicInts;
};

struct InputSpec {
  enum class Kind { User, Parameter, Buffer, Constant, Other };
  Kind kind = Kind::User;
  std::string tensor; ///< name in the graph
  std::string source; ///< name in the state dict: Parameter, Buffer, Constant
};

struct ExportedProgram {
  Graph graph;
  std::vector<InputSpec> inputs;
  std::vector<std::string> outputs; ///< names of the tensors that the caller gets
  std::string otherOutput = {}; ///< what else comes out, such as "buffer_mutation"; empty: nothing
  std::map<std::string, int64_t> largest = {}; ///< of the symbols that are bounded above
};

constexpr size_t maxProgramBytes = size_t(64) << 20;

/// Reads the JSON text of an ExportedProgram. `name` stands for the file in errors, which name the
/// field, its value and what is expected.
Expected<ExportedProgram> parseProgram(std::span<const uint8_t> json, const std::string &name);

} // namespace llmir::torch_export
