// The shared fixture of kernel tests: kernels of one suite are built into one module, compiled to
// one temporary shared object the way the product does it, and called through plain function
// pointers.
#pragma once

#include "llmir/codegen/cpu/Emit.h"
#include "llmir/codegen/cpu/KernelBuilder.h"
#include "llmir/dialect/Llm.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/IR/Verifier.h"

#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <random>
#include <sstream>

namespace llmir::test {

/// One module of kernels and, after compile(), its code. Use: add() everything, compile() once,
/// then kernel<…>(name)(arguments…).
class KernelModule {
public:
  explicit KernelModule(Target target) : target(std::move(target)) {
    mlir::DialectRegistry registry;
    cpu::registerKernelDialects(registry);
    cpu::registerEmitDialects(registry);
    registry.insert<llm::LlmDialect>();
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    module = mlir::ModuleOp::create(mlir::UnknownLoc::get(&context));
    builder.emplace(*module, this->target);
  }
  /// By name of the target (Target::named).
  explicit KernelModule(const std::string &name) : KernelModule(Target::named(name).value()) {}
  KernelModule(const KernelModule &) = delete;
  ~KernelModule() {
    if (library)
      dlclose(library);
    if (!folder.empty())
      std::filesystem::remove_all(folder);
  }

  cpu::KernelBuilder &k() { return *builder; }

  /// Makes a kernel visible; returns its name for kernel<…>().
  std::string add(mlir::func::FuncOp function) {
    function.setPublic();
    return function.getName().str();
  }

  /// Verifies and compiles the module; `load` is false for targets that this machine cannot run.
  void compile(bool load = true) {
    emit(/*object=*/true);
    if (!load || testing::Test::HasFatalFailure())
      return;
    library = dlopen((folder + "/kernels.so").c_str(), RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(library, nullptr) << dlerror();
  }

  /// Verifies the module and gives its assembly.
  std::string assembly() {
    emit(/*object=*/false);
    std::ifstream file(folder + "/kernels.s");
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  /// The compiled kernel: kernel<void(const float *, float *, int64_t)>(name).
  template <typename Signature> Signature *kernel(const std::string &name) const {
    void *symbol = library ? dlsym(library, name.c_str()) : nullptr;
    if (!symbol)
      ADD_FAILURE() << "no kernel " << name;
    return reinterpret_cast<Signature *>(symbol);
  }

private:
  /// Writes kernels.so or kernels.s into a folder of the module's own.
  void emit(bool object) {
    ASSERT_TRUE(mlir::succeeded(mlir::verify(*module)));
    std::string pattern =
        (std::filesystem::temp_directory_path() / "llmir-kernels-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder = pattern;
    mlir::PassManager passes(module->getContext());
    cpu::addLlvmLowering(passes);
    EXPECT_TRUE(mlir::succeeded(passes.run(*module)));
    cpu::EmitFiles files;
    if (!object)
      files.assembly = folder + "/kernels.s";
    Status status =
        cpu::emitSharedObject(*module, target, object ? folder + "/kernels.so" : "", files);
    ASSERT_TRUE(status) << status.error().message;
  }

  Target target;
  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::optional<cpu::KernelBuilder> builder;
  std::string folder;
  void *library = nullptr;
};

/// The targets whose code this machine runs: its own and the portable one.
inline std::vector<std::string> runnableTargets() {
#if defined(__aarch64__)
  return {"host", "aarch64"};
#else
  return {"host", "x86-64"};
#endif
}

/// Reproducible numbers: normal distribution times `scale`.
inline std::vector<float> randomFloats(size_t count, uint32_t seed, float scale = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, scale);
  std::vector<float> values(count);
  for (float &value : values)
    value = normal(random);
  return values;
}

/// NaNs and signed zeros count too: batch invariance is a promise about bits.
inline bool sameBits(const float *x, const float *y, size_t count) {
  return std::memcmp(x, y, count * sizeof(float)) == 0;
}

} // namespace llmir::test
