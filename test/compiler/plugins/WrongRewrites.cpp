// Passes that are wrong on purpose, each in one small way: what --verify must find. `wrong-NAME`
// changes the first place that it fits, and fails if there is none.
#include "llmir/dialect/Llm.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Tools/Plugins/PassPlugin.h"

using namespace mlir;
using namespace llmir::llm;

namespace {

/// Says whether it has changed something.
using Rewrite = bool (*)(ModelOp);

/// The first op of a kind that `change` takes.
template <typename OpT, typename Change> bool first(ModelOp model, Change change) {
  return model
      .walk([&](OpT op) { return change(op) ? WalkResult::interrupt() : WalkResult::advance(); })
      .wasInterrupted();
}

FloatAttr times(FloatAttr attribute, double factor) {
  return FloatAttr::get(attribute.getType(), attribute.getValueAsDouble() * factor);
}

bool replace(Operation *op, Value value) {
  op->getResult(0).replaceAllUsesWith(value);
  op->erase();
  return true;
}

bool swapOperands(Operation *op, unsigned a, unsigned b) {
  Value kept = op->getOperand(a);
  op->setOperand(a, op->getOperand(b));
  op->setOperand(b, kept);
  return true;
}

bool scaleResult(Operation *op, double factor) {
  OpBuilder builder(op->getContext());
  builder.setInsertionPointAfter(op);
  auto scale =
      ScaleOp::create(builder, op->getLoc(), op->getResult(0), builder.getF64FloatAttr(factor));
  op->getResult(0).replaceAllUsesExcept(scale, scale);
  return true;
}

template <typename Change> bool changeRope(ModelOp model, Change change) {
  return first<RopeOp>(model, [&](RopeOp op) {
    RopeAttr rope = *op.getRope();
    op.setRopeAttr(change(rope));
    return true;
  });
}

RopeAttr withStyle(RopeAttr rope) {
  auto other = rope.getStyle() == RopeStyle::Half ? RopeStyle::Interleaved : RopeStyle::Half;
  return RopeAttr::get(rope.getContext(), other, rope.getDim(), rope.getTheta(),
                       rope.getMagnitude(), rope.getFactors());
}

RopeAttr withTheta(RopeAttr rope) {
  return RopeAttr::get(rope.getContext(), rope.getStyle(), rope.getDim(),
                       times(rope.getTheta(), 1.001), rope.getMagnitude(), rope.getFactors());
}

bool readStaleCache(AttentionOp op) {
  auto append = op.getKv().getDefiningOp<KvAppendOp>();
  op.getKvMutable().assign(append.getKv());
  append->moveAfter(op);
  return true;
}

Value zeroBefore(Operation *op) {
  OpBuilder builder(op);
  return arith::ConstantIndexOp::create(builder, op->getLoc(), 0);
}

bool swapNorms(ModelOp model) {
  SmallVector<RmsNormOp> norms;
  model.walk([&](RmsNormOp op) { norms.push_back(op); });
  if (norms.size() < 2)
    return false;
  auto a = norms[0].getWeight().getDefiningOp<GetWeightOp>(),
       b = norms[1].getWeight().getDefiningOp<GetWeightOp>();
  FlatSymbolRefAttr kept = a.getWeightAttr();
  a.setWeightAttr(b.getWeightAttr());
  b.setWeightAttr(kept);
  return true;
}

bool swapLayers(ModelOp model) {
  SmallVector<func::CallOp> calls;
  model.walk([&](func::CallOp op) { calls.push_back(op); });
  for (func::CallOp call : calls)
    if (call != calls[0] && call.getCallee() == calls[0].getCallee()) {
      Value kept = call.getOperand(3);
      kept.getDefiningOp()->moveBefore(calls[0]);
      call.setOperand(3, calls[0].getOperand(3));
      calls[0].setOperand(3, kept);
      return true;
    }
  return false;
}

/// The cache of all functions keeps f32 instead of f16.
bool widenCache(ModelOp model) {
  auto widen = [](Type type) -> Type {
    auto kv = dyn_cast<KvType>(type);
    return kv ? KvType::get(kv.getContext(), kv.getLayers(), kv.getHeads(), kv.getKDim(),
                            kv.getVDim(), kv.getBlock(), Float32Type::get(kv.getContext()))
              : type;
  };
  model.walk([&](Operation *op) {
    for (Value result : op->getResults())
      result.setType(widen(result.getType()));
    if (auto function = dyn_cast<func::FuncOp>(op)) {
      for (BlockArgument argument : function.getArguments())
        argument.setType(widen(argument.getType()));
      SmallVector<Type> inputs = llvm::map_to_vector(function.getArgumentTypes(), widen),
                        results = llvm::map_to_vector(function.getResultTypes(), widen);
      function.setFunctionType(FunctionType::get(op->getContext(), inputs, results));
    }
  });
  return true;
}

constexpr struct {
  const char *name;
  Rewrite rewrite;
} rewrites[] = {
    {"difference",
     [](ModelOp m) {
       return first<arith::SubFOp>(m, [](auto op) { return swapOperands(op, 0, 1); });
     }},
    {"residual",
     [](ModelOp m) {
       return first<arith::AddFOp>(m, [](auto op) { return replace(op, op.getRhs()); });
     }},
    {"eps",
     [](ModelOp m) {
       return first<RmsNormOp>(m, [](auto op) {
         op.setEpsAttr(times(op.getEpsAttr(), 2));
         return true;
       });
     }},
    {"layer-norm-bias",
     [](ModelOp m) {
       return first<LayerNormOp>(m, [](auto op) {
         op.getBiasMutable().clear();
         return true;
       });
     }},
    {"rope-style", [](ModelOp m) { return changeRope(m, withStyle); }},
    {"theta", [](ModelOp m) { return changeRope(m, withTheta); }},
    {"window",
     [](ModelOp m) {
       return first<AttentionOp>(m, [](auto op) {
         if (!op.getWindow())
           return false;
         op.setWindow(*op.getWindow() + 1);
         return true;
       });
     }},
    {"window-of-last-layer",
     [](ModelOp m) {
       return first<AttentionOp>(m, [](auto op) {
         if (!op.getWindows())
           return false;
         SmallVector<int64_t> windows(*op.getWindows());
         --windows.back();
         op.setWindows(windows);
         return true;
       });
     }},
    {"softcap",
     [](ModelOp m) { return first<SoftcapOp>(m, [](auto op) { return replace(op, op.getX()); }); }},
    {"attention-softcap",
     [](ModelOp m) {
       return first<AttentionOp>(m, [](auto op) { return bool(op.removeSoftcapAttr()); });
     }},
    {"attention-scale",
     [](ModelOp m) {
       return first<AttentionOp>(m, [](auto op) {
         op.setScaleAttr(times(op.getScaleAttr(), 1.0001));
         return true;
       });
     }},
    {"scale-of-last-kind",
     [](ModelOp m) {
       return first<ScaleOp>(m, [](auto op) {
         if (op->template getParentOfType<func::FuncOp>().getSymName() != "mixed")
           return false;
         op.setFactorAttr(times(op.getFactorAttr(), 1.001));
         return true;
       });
     }},
    {"weight-of-layer-0",
     [](ModelOp m) {
       return first<GetWeightOp>(m, [](auto op) {
         if (!op.getLayer())
           return false;
         op.getLayerMutable().assign(zeroBefore(op));
         return true;
       });
     }},
    {"cache-of-layer-0",
     [](ModelOp m) {
       return first<KvAppendOp>(m, [](auto op) {
         op.getLayerMutable().assign(zeroBefore(op));
         return true;
       });
     }},
    {"layers-swapped", swapLayers},
    {"stale-cache", [](ModelOp m) { return first<AttentionOp>(m, readStaleCache); }},
    {"keys-as-values",
     [](ModelOp m) {
       return first<KvAppendOp>(m, [](auto op) { return swapOperands(op, 2, 3); });
     }},
    {"gelu",
     [](ModelOp m) {
       return first<GluOp>(m, [](auto op) {
         op.setActivation(Activation::Gelu);
         return true;
       });
     }},
    {"gate-as-up",
     [](ModelOp m) { return first<GluOp>(m, [](auto op) { return swapOperands(op, 0, 1); }); }},
    {"bias",
     [](ModelOp m) {
       return first<LinearOp>(m, [](auto op) {
         if (!op.getBias())
           return false;
         op.getBiasMutable().clear();
         return true;
       });
     }},
    {"norms-swapped", swapNorms},
    {"logits-of-the-embedding",
     [](ModelOp m) {
       return first<LogitRowsOp>(m, [&](auto op) {
         return first<ScaleOp>(m, [&](auto scale) {
           if (scale->getBlock() != op->getBlock())
             return false;
           op.getXMutable().assign(scale.getResult());
           return true;
         });
       });
     }},
    {"embedding-scale",
     [](ModelOp m) {
       return first<ScaleOp>(m, [](auto op) {
         return op.getX().template getDefiningOp<EmbedOp>() && replace(op, op.getX());
       });
     }},
    {"top-k",
     [](ModelOp m) {
       return first<MoeOp>(m, [](auto op) {
         op.setTopK(op.getTopK() - 1);
         return true;
       });
     }},
    {"renormalise",
     [](ModelOp m) {
       return first<MoeOp>(m, [](auto op) {
         op.setRenormalise(!op.getRenormalise());
         return true;
       });
     }},
    {"times-1.0001",
     [](ModelOp m) { return first<LinearOp>(m, [](auto op) { return scaleResult(op, 1.0001); }); }},
    // What cannot be compared.
    {"cache-type", widenCache},
    {"op",
     [](ModelOp m) {
       return first<arith::AddFOp>(m, [](auto op) {
         OpBuilder builder(op);
         return replace(op, arith::DivFOp::create(builder, op.getLoc(), op.getLhs(), op.getRhs()));
       });
     }},
};

class WrongRewrite : public PassWrapper<WrongRewrite, OperationPass<ModelOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(WrongRewrite)
  WrongRewrite(const char *name, Rewrite rewrite)
      : argument(std::string("wrong-") + name), rewrite(rewrite) {}
  StringRef getArgument() const override { return argument; }
  StringRef getDescription() const override { return "Change what a model computes"; }
  void runOnOperation() override {
    if (rewrite(getOperation()))
      return;
    getOperation().emitError() << argument << ": there is nothing to change";
    signalPassFailure();
  }

private:
  std::string argument;
  Rewrite rewrite;
};

} // namespace

extern "C" PassPluginLibraryInfo mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "wrong-rewrites", LLMIR_VERSION, [] {
            for (const auto &entry : rewrites)
              registerPass(
                  [&entry] { return std::make_unique<WrongRewrite>(entry.name, entry.rewrite); });
          }};
}
