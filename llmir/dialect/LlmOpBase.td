// What the definitions of ops share: their base class and the types of operands.
#ifndef LLMIR_DIALECT_LLM_OP_BASE_TD
#define LLMIR_DIALECT_LLM_OP_BASE_TD

include "LlmTypes.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class LlmOp<string mnemonic, list<Trait> traits = []> : Op<LlmDialect, mnemonic, traits>;

def IsActivations : CPred<"::llmir::llm::isActivations($_self)">;
def Activations : Type<IsActivations, "activations tensor<?xDxf32>", "::mlir::RankedTensorType">;
def QuantActivations : Type<CPred<"::llmir::llm::isQuantizedActivations($_self)">,
    "quantised activations tensor<?xDx!llm.quant<a8 | a16>>", "::mlir::RankedTensorType">;
def AnyActivations : AnyTypeOf<[Activations, QuantActivations], "", "::mlir::RankedTensorType">;
def ExpertRows : Type<CPred<"::llmir::llm::isExpertRows($_self)">, "rows of experts tensor<?xSxDxf32>", "::mlir::RankedTensorType">;
def QuantExpertRows : Type<CPred<"::llmir::llm::isQuantizedExpertRows($_self)">,
    "quantised rows of experts tensor<?xSxDx!llm.quant<a8 | a16>>", "::mlir::RankedTensorType">;
def FloatRows : AnyTypeOf<[Activations, ExpertRows], "", "::mlir::RankedTensorType">;
def QuantRows : AnyTypeOf<[QuantActivations, QuantExpertRows], "", "::mlir::RankedTensorType">;
def AnyRows : AnyTypeOf<[FloatRows, QuantRows], "", "::mlir::RankedTensorType">;
def ExpertNumbers : Type<CPred<"::llmir::llm::isExpertNumbers($_self)">, "tensor<?xSxi32>", "::mlir::RankedTensorType">;
def WeightMatrix : Type<CPred<"::llmir::llm::isWeight($_self, 2)">,
    "weight matrix tensor<NxKxF> with F one of f32, f16, bf16, !llm.quant", "::mlir::RankedTensorType">;
def ExpertMatrices : Type<CPred<"::llmir::llm::isWeight($_self, 3)">,
    "weight matrices of experts tensor<ExNxKxF> with F one of f32, f16, bf16, !llm.quant", "::mlir::RankedTensorType">;
def WeightVector : Type<CPred<"::llmir::llm::isWeight($_self, 1) && !::llmir::llm::isQuantized($_self)">,
    "weight vector tensor<Nxf32>, f16 or bf16", "::mlir::RankedTensorType">;
def AnyWeight : AnyTypeOf<[WeightMatrix, ExpertMatrices, WeightVector], "", "::mlir::RankedTensorType">;
def IntPerToken : Type<CPred<"::llmir::llm::isIntPerToken($_self)">, "tensor<?xi32>", "::mlir::RankedTensorType">;

#endif
