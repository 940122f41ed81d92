// Verifiers of llm.graph and llm.dense_attention.
#include "llmir/dialect/Constraints.h"
#include "llmir/dialect/Llm.h"

using namespace mlir;
using namespace llmir;
using namespace llmir::llm;

func::FuncOp GraphOp::getForward() { return lookupSymbol<func::FuncOp>("forward"); }

LogicalResult GraphOp::verifyRegions() {
  func::FuncOp forward = getForward();
  if (!forward || forward.isExternal())
    return emitOpError("C1: has no function @forward");
  return success();
}

LogicalResult DenseAttentionOp::verify() {
  int64_t heads = getHeads();
  int64_t qColumns = getQ().getType().getDimSize(1), kColumns = getK().getType().getDimSize(1),
          vColumns = getV().getType().getDimSize(1), columns = getResult().getType().getDimSize(1);
  if (heads < 1 || kColumns % heads || qColumns % kColumns)
    return emitOpError("C1: k has ") << kColumns << " columns and q " << qColumns
                                     << ", no multiples for " << heads << " heads";
  if (vColumns % heads)
    return emitOpError("C2: v has ")
           << vColumns << " columns, no multiple of " << heads << " heads";
  int64_t expected = qColumns / kColumns * vColumns;
  if (columns != expected)
    return emitOpError("C3: the result has ") << columns << " columns, expected " << expected;
  if (!isPositive(getScale()) || (getSoftcap() && !isPositive(*getSoftcap())) ||
      (getWindow() && static_cast<int64_t>(*getWindow()) < 1))
    return emitOpError("C4: scale, window and softcap must be positive and finite");
  return success();
}
