// Native code out of kernel modules; see Emit.h. The pass list is short on purpose: LLVM's full
// pipeline reassociates, hoists broadcasts and spills what the kernel builders have arranged
// (measured in docs/architecture.md).
#include "llmir/codegen/cpu/Emit.h"

#include "mlir/Conversion/ConvertToLLVM/ToLLVMPass.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Triple.h"
#include "llvm/Transforms/Utils/Cloning.h"
#include <cassert>
#include <unistd.h>

using namespace mlir;
namespace llmir::cpu {

void registerEmitDialects(DialectRegistry &registry) {
  registerAllExtensions(registry);
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
}

void addLlvmLowering(OpPassManager &passes) {
  passes.addPass(createSCFToControlFlowPass());
  passes.addPass(createConvertToLLVMPass());
  passes.addPass(createReconcileUnrealizedCastsPass());
}

static Expected<std::unique_ptr<llvm::TargetMachine>> makeTargetMachine(const Target &target) {
  static const bool initialized = [] {
    llvm::InitializeAllTargetInfos();
    llvm::InitializeAllTargets();
    llvm::InitializeAllTargetMCs();
    llvm::InitializeAllAsmPrinters();
    llvm::InitializeAllAsmParsers();
    return true;
  }();
  (void)initialized;
  std::string error;
  llvm::Triple triple(target.triple);
  const llvm::Target *backend = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!backend)
    return fail("LLVM has no back end for {}: {}", target.triple, error);
  llvm::TargetOptions options;
  // Contraction is decided by the builders (explicit fma): results must not depend on what LLVM
  // finds to fuse.
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  std::unique_ptr<llvm::TargetMachine> machine(
      backend->createTargetMachine(triple, target.cpu, target.features, options, llvm::Reloc::PIC_,
                                   llvm::CodeModel::Small, llvm::CodeGenOptLevel::Aggressive));
  assert(machine && "every back end that LLVM is built with generates code");
  return machine;
}

static void optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PipelineTuningOptions tuning;
  tuning.LoopUnrolling = tuning.LoopVectorization = tuning.SLPVectorization = false;
  llvm::PassBuilder builder(&machine, tuning);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  llvm::ModulePassManager passes;
  llvm::cantFail(builder.parsePassPipeline(passes,
                                           "function(sroa,early-cse<memssa>,instcombine<no-verify-"
                                           "fixpoint>,simplifycfg,loop-mssa(loop-rotate,licm),gvn,"
                                           "instcombine<no-verify-fixpoint>,dse,simplifycfg)"));
  passes.run(module, modules);
}

/// Writes a file by `print`. A stream that is destroyed with an error would end the process.
static Status writeFile(const std::string &path,
                        llvm::function_ref<void(llvm::raw_pwrite_stream &)> print) {
  std::error_code error;
  llvm::raw_fd_ostream stream(path, error);
  if (error)
    return fail("{}: cannot be written: {}", path, error.message());
  print(stream);
  stream.close();
  error = stream.error();
  stream.clear_error();
  return error ? fail("{}: cannot be written: {}", path, error.message()) : Status();
}

static Status writeMachineCode(llvm::Module &module, llvm::TargetMachine &machine,
                               const std::string &path, llvm::CodeGenFileType type) {
  return writeFile(path, [&](llvm::raw_pwrite_stream &stream) {
    llvm::legacy::PassManager passes;
    [[maybe_unused]] bool fails = machine.addPassesToEmitFile(passes, stream, nullptr, type);
    assert(!fails && "CPUs have assemblers");
    passes.run(module);
  });
}

Expected<std::string> findLinker(llvm::StringRef folder) {
  if (auto beside = llvm::sys::findProgramByName("ld.lld", {folder}))
    return *beside;
  if (auto onPath = llvm::sys::findProgramByName("ld.lld"))
    return *onPath;
  return fail("ld.lld is neither in {} nor on PATH: install lld-22", folder.str());
}

static Status link(const std::string &object, const std::string &path) {
  auto linker = findLinker();
  if (!linker)
    return forward(linker);
  std::string message;
  llvm::StringRef arguments[] = {*linker, "-shared", "--no-undefined-version",
                                 "-z",    "now",     "--build-id=sha1",
                                 "-o",    path,      object};
  if (llvm::sys::ExecuteAndWait(*linker, arguments, std::nullopt, {}, 0, 0, &message) != 0)
    return fail("{} could not link {}{}{}", *linker, path, message.empty() ? "" : ": ", message);
  return {};
}

Status emitSharedObject(ModuleOp module, const Target &target, const std::string &path,
                        const EmitFiles &files, TimingScope *timing) {
  TimingScope none, &steps = timing ? *timing : none;
  TimingScope step = steps.nest("translate to LLVM IR");
  auto machine = makeTargetMachine(target);
  if (!machine)
    return forward(machine);
  llvm::LLVMContext context;
  auto llvmModule = translateModuleToLLVMIR(module, context);
  if (!llvmModule)
    return fail("internal: the kernels could not be translated to LLVM IR");
  llvmModule->setDataLayout((*machine)->createDataLayout());
  llvmModule->setTargetTriple((*machine)->getTargetTriple());
  for (llvm::Function &function : *llvmModule) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", target.cpu);
    function.addFnAttr("tune-cpu", target.tuneCpu);
    if (!target.features.empty())
      function.addFnAttr("target-features", target.features);
    // LLVM prefers 256-bit vectors on AVX-512 machines unless told otherwise.
    if (target.isa == CpuIsa::Avx512Vnni)
      function.addFnAttr("prefer-vector-width", "512");
  }
  step = steps.nest("optimise LLVM IR");
  optimize(*llvmModule, **machine);
  step = steps.nest("generate machine code");
  if (!files.llvmIr.empty()) {
    auto print = [&](llvm::raw_pwrite_stream &stream) { llvmModule->print(stream, nullptr); };
    if (auto status = writeFile(files.llvmIr, print); !status)
      return status;
  }
  if (!files.assembly.empty()) {
    auto clone = llvm::CloneModule(*llvmModule);
    if (auto status = writeMachineCode(*clone, **machine, files.assembly,
                                       llvm::CodeGenFileType::AssemblyFile);
        !status)
      return status;
  }
  if (path.empty())
    return {};
  std::string object = path + ".o";
  llvm::sys::RemoveFileOnSignal(object);
  auto removed = llvm::make_scope_exit([&] { unlink(object.c_str()); });
  if (auto status =
          writeMachineCode(*llvmModule, **machine, object, llvm::CodeGenFileType::ObjectFile);
      !status)
    return status;
  step = steps.nest("link");
  return link(object, path);
}

} // namespace llmir::cpu
