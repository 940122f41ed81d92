// The exact interpreter of the llm dialect: slow, simple, the oracle that every pass and every
// backend is judged by. Values are f32 between ops; within an op all sums and functions are f64, so
// its error is that of one rounding per op.
#pragma once

#include "llmir/dialect/Llm.h"
#include "llmir/reference/Batch.h"
#include "llmir/reference/KvCache.h"
#include <functional>
#include <memory>
#include <span>

namespace llmir::reference {

/// A tensor on the host, row-major. One of the three arrays is in use, as `format` says. The rows
/// of experts tensor<?xSxD> are T * S rows here, those of a token side by side.
struct Tensor {
  std::vector<int64_t> shape = {};
  Format format = Format::F32;
  std::vector<float> values = {};  ///< F32
  std::vector<int32_t> ints = {};  ///< I32
  std::vector<uint8_t> bytes = {}; ///< A8, A16: shape[0] rows of rowBytes(format, shape[1])

  int64_t rows() const { return shape[0]; }
  int64_t columns() const { return shape.back(); }
  float *row(int64_t index) { return values.data() + index * columns(); }
  const float *row(int64_t index) const { return values.data() + index * columns(); }
};

/// A weight where it lies. Floats are rounded to their symbol's type if that is quantised. The
/// shape's outermost dimension comes first (GGUF lists it last). The bytes stay valid as long as
/// the interpreter lives.
struct WeightBytes {
  Format format = Format::F32;
  std::vector<int64_t> shape;
  std::span<const uint8_t> bytes;
};

/// Gives the weight of a name in the model's source file (WeightOp::sourceName), or an Error if
/// there is none.
using WeightSource = std::function<Expected<WeightBytes>(llvm::StringRef sourceName)>;

struct Options {
  int threads = 1; ///< results do not depend on it
  /// What products with quantised weights round f32 activations to (A8, A16); F32: to nothing.
  Format activations = Format::F32;
  /// The format whose numbers a weight has; empty: its symbol's.
  std::function<Format(llm::WeightOp)> weightFormat = {};
  /// Gets every tensor that an op has given, in the order in which they run.
  std::function<void(mlir::Operation *, const Tensor &)> observe = {};
};

class Machine;

/// Runs the functions of one model or ragged graph. Ops it knows: all of llm; func.call; scf.for;
/// arith.constant, addi, subi and muli of index; arith.addf, subf and mulf of tensors.
class Interpreter {
public:
  /// `model` is verified IR that outlives the interpreter: an llm.model, or a ragged llm.graph,
  /// which has no step. Weights are asked for when first used.
  Interpreter(mlir::Operation *model, WeightSource weights, Options options = {});
  ~Interpreter();
  Interpreter(Interpreter &&) noexcept;

  /// Runs @step: the logits [R, vocabulary], and the step's keys and values in `kv`. Errors: a
  /// batch or cache that does not fit the model, an op without a definition here, a weight that is
  /// missing or of another format or shape. After an error the cache's slots of this step are
  /// undefined, all others untouched.
  Expected<Tensor> step(const Batch &batch, KvCache &kv);

  /// Runs a function of the model, whose arguments are, as their types say: the batch, the cache,
  /// the layer, or the next one of `tensors`. Gives the tensors among its results. Errors: those of
  /// step. Precondition: there are as many tensors as arguments of such types.
  Expected<std::vector<Tensor>> call(mlir::func::FuncOp function, const Batch &batch, KvCache &kv,
                                     int64_t layer, std::span<const Tensor> tensors);

private:
  std::unique_ptr<Machine> machine;
};

} // namespace llmir::reference
