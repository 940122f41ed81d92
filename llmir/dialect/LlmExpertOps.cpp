// Verifiers of the ops of mixtures of experts.
#include "llmir/dialect/Constraints.h"
#include "llmir/dialect/Llm.h"

using namespace mlir;
using namespace llmir;
using namespace llmir::llm;

static ArrayRef<int64_t> shape(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}
LogicalResult MoeOp::verify() {
  int64_t experts = shape(getGate())[0], inner = shape(getGate())[1], hidden = shape(getX())[1];
  if (shape(getRouter())[1] != experts)
    return emitOpError("C1: the router has ")
           << shape(getRouter())[1] << " columns, there are " << experts << " experts";
  if (shape(getGate())[2] != hidden || shape(getUp()) != shape(getGate()) ||
      shape(getDown()) != ArrayRef<int64_t>({experts, hidden, inner}))
    return emitOpError("C2: gate and up must be [")
           << experts << ", " << inner << ", " << hidden << "], down [" << experts << ", " << hidden
           << ", " << inner << "]";
  int64_t topK = getTopK();
  if (topK < 1 || topK > experts)
    return emitOpError("C3: top ") << topK << " of " << experts << " experts";
  if (!isPositive(getScale()))
    return emitOpError("C4: scale must be positive and finite");
  return success();
}

LogicalResult ExpertsRouteOp::verify() {
  int64_t chosen = shape(getExperts())[1];
  if (shape(getWeights())[1] != chosen || chosen > shape(getRouter())[1])
    return emitOpError("C1: the results have ")
           << chosen << " and " << shape(getWeights())[1]
           << " columns, they need the same, at most the router's " << shape(getRouter())[1];
  if (!isPositive(getScale()))
    return emitOpError("C2: scale must be positive and finite");
  return success();
}

LogicalResult ExpertsGroupOp::verify() {
  // The kernel keeps a counter for each expert on its stack.
  int64_t experts = getOf();
  if (experts < 1 || experts > 65536)
    return emitOpError("C1: there are ") << experts << " experts, 1 to 65536 are possible";
  return success();
}

LogicalResult ExpertsLinearOp::verify() {
  int64_t ranks = shape(getExperts())[1];
  if (shape(getX()).back() != shape(getWeight())[2])
    return emitOpError("C1: x has ")
           << shape(getX()).back() << " columns and the weight " << shape(getWeight())[2];
  if (shape(getResult())[1] != ranks || shape(getResult())[2] != shape(getWeight())[1])
    return emitOpError("C2: the result must be [?, ")
           << ranks << ", " << shape(getWeight())[1] << "]";
  if (shape(getX()).size() == 3 && shape(getX())[1] != ranks)
    return emitOpError("C3: x has ")
           << shape(getX())[1] << " rows for each token, it is given to " << ranks << " experts";
  if (isQuantized(getX().getType()) && !isQuantized(getWeight().getType()))
    return emitOpError("C4: quantised rows need a quantised weight");
  return success();
}

LogicalResult ExpertsCombineOp::verify() {
  if (shape(getX())[2] != shape(getResult())[1])
    return emitOpError("C1: x has ")
           << shape(getX())[2] << " columns and the result " << shape(getResult())[1];
  if (shape(getX())[1] != shape(getWeights())[1])
    return emitOpError("C2: x has ") << shape(getX())[1] << " rows for each token, there are "
                                     << shape(getWeights())[1] << " weights";
  return success();
}
