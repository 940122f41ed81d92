// Inside the interpreter: run-time values, frames, the table of op definitions. A group of ops is a
// file that registers its definitions here; a new op is a function and a line.
#pragma once

#include "llmir/reference/Interpreter.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"
#include <variant>

namespace llmir::reference {

/// A weight that has been checked against its symbol's type.
struct Weight {
  Format format;
  int64_t rows; ///< 1 for vectors
  int64_t columns;
  const uint8_t *bytes;
  std::vector<uint8_t> quantised = {}; ///< what `bytes` points to if the source holds floats

  /// Dequantises one row into `columns` floats.
  void readRow(int64_t row, float *dst) const;
  std::vector<float> readVector() const;
};

/// What an SSA value is at run time: an index, a tensor, a weight, the batch, the cache. The cache
/// is updated in place, since the verifier lets a value of it be consumed only once.
using RuntimeValue =
    std::variant<int64_t, std::shared_ptr<const Tensor>, const Weight *, const Batch *, KvCache *>;
using RuntimeValues = std::vector<RuntimeValue>;

/// The values of one running function or isolated region.
class Frame {
public:
  explicit Frame(Machine &machine) : machine(machine) {}

  Machine &machine;

  const RuntimeValue &value(mlir::Value value) const;
  RuntimeValues valuesOf(mlir::ValueRange range) const;
  int64_t index(mlir::Value v) const { return std::get<int64_t>(value(v)); }
  const Tensor &tensor(mlir::Value v) const {
    return *std::get<std::shared_ptr<const Tensor>>(value(v));
  }
  const Weight &weight(mlir::Value v) const { return *std::get<const Weight *>(value(v)); }
  const Batch &batch(mlir::Value v) const { return *std::get<const Batch *>(value(v)); }
  KvCache &kv(mlir::Value v) const { return *std::get<KvCache *>(value(v)); }

  void set(mlir::Value value, RuntimeValue runtimeValue);
  void set(mlir::Value value, Tensor tensor);
  /// Forgets the operands that have no use after `op`, so that memory does not grow with depth.
  void releaseOperands(mlir::Operation *op);

private:
  struct Slot {
    RuntimeValue value;
    int64_t uses; ///< still to come; values that nested regions use are never released
  };
  llvm::DenseMap<mlir::Value, Slot> slots;
};

/// The definitions of ops by name.
class OpTable {
public:
  using Definition = std::function<Status(mlir::Operation *, Frame &)>;

  static const OpTable &get();
  const Definition *find(llvm::StringRef name) const;
  template <typename OpT> void add(Status (*define)(OpT, Frame &)) {
    definitions[OpT::getOperationName()] = [define](mlir::Operation *op, Frame &frame) {
      return define(mlir::cast<OpT>(op), frame);
    };
  }

private:
  llvm::StringMap<Definition> definitions;
};

void registerModelOps(OpTable &table);
void registerNormOps(OpTable &table);
void registerLinearOps(OpTable &table);
void registerExpertOps(OpTable &table);
void registerElementwiseOps(OpTable &table);
void registerRopeOps(OpTable &table);
void registerAttentionOps(OpTable &table);
void registerSampleOp(OpTable &table);
void registerControlOps(OpTable &table);

/// The state that all frames share.
class Machine {
public:
  Machine(mlir::Operation *symbols, WeightSource source, Options options)
      : symbols(symbols), source(std::move(source)), options(options) {}

  /// The symbol of the model or graph; null if there is none of this kind.
  template <typename OpT> OpT lookup(mlir::FlatSymbolRefAttr name) const {
    return mlir::dyn_cast_or_null<OpT>(mlir::SymbolTable::lookupSymbolIn(symbols, name));
  }
  llm::ModelOp getModel() const { return mlir::cast<llm::ModelOp>(symbols); }
  int getThreads() const { return options.threads; }

  /// What a product with `weight` reads of x, as Options::activations has it.
  std::vector<double> inputsOf(const Tensor &x, mlir::Value weight) const;

  /// The weight of a symbol; `layer` is ignored for one without layers.
  Expected<const Weight *> getWeight(llm::WeightOp op, int64_t layer);

  /// Binds the block's arguments, runs its ops and gives the terminator's operands.
  Expected<RuntimeValues> runBlock(mlir::Block &block, RuntimeValues arguments, Frame &frame);
  /// Runs a function or an isolated region, which is one block, in a frame of its own.
  Expected<RuntimeValues> runRegion(mlir::Region &region, RuntimeValues arguments);

private:
  void observe(mlir::Operation *op, const Frame &frame) const;

  mlir::Operation *symbols; ///< llm.model or llm.graph
  WeightSource source;
  Options options;
  llvm::StringMap<Weight> weights;
  int depth = 0;
};

/// "file:3:5: 'llm.rope': what is wrong".
std::string where(mlir::Operation *op);
template <typename... Args>
tl::unexpected<Error> failAt(mlir::Operation *op, fmt::format_string<Args...> format,
                             Args &&...args) {
  return fail("{}: {}", where(op), fmt::format(format, std::forward<Args>(args)...));
}

/// Operands of one op that share the step's tokens have the same rows; types say only `?`.
Status checkRows(mlir::Operation *op, int64_t rows, int64_t expected);

Tensor makeTensor(int64_t rows, int64_t columns);
/// A tensor's numbers, [rows][columns]: those of quantised activations are exact in f64.
std::vector<double> toDoubles(const Tensor &x);
double activate(llm::Activation activation, double x);

} // namespace llmir::reference
