// What all families of models share: reading and checking a GGUF file's configuration and tensors,
// weight symbols, and the usual blocks of ops. A family adds what is its own.
#pragma once

#include "llmir/frontend/Import.h"
#include "llmir/frontend/arch/Experts.h"
#include "llmir/frontend/arch/Rope.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/MapVector.h"
#include <map>
#include <set>
#include <string>
#include <vector>

namespace llmir::frontend {

/// The configuration that families of decoders share, checked: every number is in a sane range and
/// they agree with each other.
struct Hyperparameters {
  int64_t layers, embedding, heads, kvHeads, kDim, vDim, feedForward, vocabulary, context;
  double normEps;
  double attentionScale;        ///< of scores; 1 / sqrt(kDim) if the file does not say
  std::vector<bool> slides;     ///< of each layer: whether it is one with a sliding window
  std::vector<int64_t> windows; ///< of each layer, 0: sees the whole context
  // What only some families have; set by them.
  std::vector<llm::RopeAttr> ropes; ///< of each layer; empty: no rotation
  double embeddingScale = 1;
  std::optional<double> attentionSoftcap, logitSoftcap;
};

/// A tensor that layers have: its part of the name behind "blk.N." and the shape it must have.
struct LayerTensor {
  std::string name; ///< "attn_q.weight"
  std::vector<int64_t> shape;
  bool required = true;
};

/// The tensors of attentionBlock and mlpBlock and of the norms before them; biases are optional.
/// `headNorms`: queries and keys are normalised by head.
std::vector<LayerTensor> decoderTensors(const Hyperparameters &h, bool headNorms = false);

class ModelBuilder {
public:
  ModelBuilder(const GgufFile &file, const ImportOptions &options, mlir::MLIRContext &context,
               std::string architecture);

  const GgufFile &file;
  const ImportOptions &options;
  const std::string architecture;
  mlir::OpBuilder b;
  const mlir::Location loc;
  mlir::OwningOpRef<mlir::ModuleOp> module;

  /// Of each `windowPeriod` layers the last one sees the whole context where the model has a
  /// sliding window and the file does not say which layers slide; 0: all slide.
  Expected<Hyperparameters> readHyperparameters(int64_t windowPeriod = 0);
  /// A positive number with a default; 0 in the file means none.
  Expected<std::optional<double>> readSoftcap(std::string_view field, std::optional<double> absent);

  /// Checks the tensor of the whole model and makes its symbol; null if it is optional and absent.
  Expected<llm::WeightOp> modelWeight(const std::string &name, const std::vector<int64_t> &shape,
                                      bool required = true);
  /// The same for the tensors of layers: a symbol for each distinct type, layers sorted by kind.
  Status layerWeights(std::span<const LayerTensor> tensors, int64_t layers);
  /// Number of distinct kinds of layers, and the kind of each.
  int64_t layerKinds() const { return int64_t(firstLayerOfKind.size()); }

  /// Makes the llm.model; weights and functions go into it.
  void beginModel(const Hyperparameters &h);
  /// Builds one function for each kind of layer, by `body`, and @step, which calls them in order.
  using LayerBody = llvm::function_ref<mlir::Value(ModelBuilder &, mlir::Value x)>;
  Status buildFunctions(const Hyperparameters &h, LayerBody body);

  // Pieces of a layer; valid within LayerBody.
  /// The weight of the kind of layer that is being built, null if this kind has none.
  mlir::Value layerWeight(const std::string &name);
  mlir::Value norm(mlir::Value x, mlir::Value weight, double eps);
  mlir::Value linear(mlir::Value x, const std::string &name);
  /// Queries and keys are normalised by head where the layer has attn_q_norm and attn_k_norm.
  mlir::Value attentionBlock(mlir::Value x, const Hyperparameters &h);
  mlir::Value mlpBlock(mlir::Value x, llm::Activation activation);
  mlir::Value add(mlir::Value x, mlir::Value y);
  /// Attention and MLP, each behind a norm and added to what came in; normalised again before that
  /// where the layer has post_attention_norm and post_ffw_norm.
  mlir::Value preNormLayer(mlir::Value x, const Hyperparameters &h, llm::Activation activation);

  /// What stands in the place of MLPs in the layers that have it; set by a family.
  std::optional<Experts> experts;

  /// A count in the file, from 1 to `limit`.
  Expected<int64_t> count(const std::string &key, std::optional<int64_t> absent, int64_t limit);
  /// The name of a field of this architecture.
  std::string key(std::string_view field) const { return architecture + "." + std::string(field); }

  /// Names of the tensors that the file has and nothing asked for go to `warn`.
  void warnOfUnusedTensors();

private:
  Status readWindows(Hyperparameters &h, int64_t period);
  mlir::Value rotate(mlir::Value heads, const Hyperparameters &h);
  /// What a table of layers holds for the kind that is being built, if it is the same for all of
  /// this kind.
  template <typename T> std::optional<T> uniform(const std::vector<T> &ofLayer) const {
    std::optional<T> value;
    for (size_t i = 0; i < ofLayer.size(); ++i)
      if (kindOfLayer[i] == currentKind) {
        if (value && *value != ofLayer[i])
          return std::nullopt;
        value = ofLayer[i];
      }
    return value;
  }
  /// The symbol behind layerWeight, null if there is none.
  llm::WeightOp findLayerWeight(const std::string &name) const;
  Status checkTensor(const GgufTensor &tensor, const std::vector<int64_t> &shape);
  mlir::RankedTensorType tensorType(const GgufTensor &tensor);
  mlir::RankedTensorType activations(int64_t columns);

  llm::ModelOp model;
  llm::KvType kvType;
  std::set<std::string, std::less<>> used;
  std::vector<int64_t> kindOfLayer, firstLayerOfKind;
  std::map<std::string, std::vector<llm::WeightOp>> weightOfLayer; ///< null where absent
  // While a layer is built:
  int64_t currentKind = 0;
  mlir::Value layer, batch, positions, kv;
};

/// The whole model of the families whose layers are preNormLayer with one rotation and SiLU, with
/// MLPs or with the experts that the file speaks of.
Status buildPreNormModel(ModelBuilder &builder, llm::RopeStyle style, bool headNorms);

} // namespace llmir::frontend
