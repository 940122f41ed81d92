// The way from a kernel to callable code, on every target this machine runs.
#include "KernelTest.h"
#include "mlir/Parser/Parser.h"
#include <filesystem>

using namespace llmir;
using namespace llmir::test;

/// What emitSharedObject says of a module; empty: nothing.
static std::string errorOf(const char *text, const Target &target, const std::string &path,
                           const cpu::EmitFiles &files = {}) {
  mlir::DialectRegistry registry;
  cpu::registerKernelDialects(registry);
  cpu::registerEmitDialects(registry);
  mlir::MLIRContext context(registry);
  context.loadAllAvailableDialects();
  mlir::ScopedDiagnosticHandler quiet(&context, [](mlir::Diagnostic &) {});
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  Status status = cpu::emitSharedObject(*module, target, path, files);
  return status ? std::string() : status.error().message;
}

TEST(Emit, RunsAKernelOnEveryRunnableTarget) {
  for (const std::string &target : runnableTargets()) {
    KernelModule kernels(target);
    cpu::KernelBuilder &k = kernels.k();
    auto name = kernels.add(k.function("square", {k.ptr, k.ptr, k.i64}, [&](mlir::ValueRange a) {
      k.forLoop(k.index(0), a[2], 1, [&](mlir::Value i) {
        mlir::Value x = k.load(k.at(a[0], i, 4), k.f32);
        k.store(k.mul(x, x), k.at(a[1], i, 4));
      });
    }));
    kernels.compile();
    float x[3] = {1, -2, 3}, y[3] = {};
    kernels.kernel<void(const float *, float *, int64_t)>(name)(x, y, 3);
    EXPECT_EQ(y[0], 1);
    EXPECT_EQ(y[1], 4);
    EXPECT_EQ(y[2], 9);
  }
}

TEST(Emit, CompilesForEveryKnownTarget) {
  for (const char *target :
       {"x86-64-v4-vnni", "x86-64-v3", "x86-64", "aarch64", "aarch64-dotprod"}) {
    KernelModule kernels(target);
    cpu::KernelBuilder &k = kernels.k();
    kernels.add(k.function("twice", {k.ptr}, [&](mlir::ValueRange a) {
      mlir::Value x = k.load(a[0], k.vecF32());
      k.store(k.add(x, x), a[0]);
    }));
    kernels.compile(/*load=*/false);
  }
}

TEST(Emit, SaysWhatCannotBeWritten) {
  const Target target = Target::named("x86-64").value();
  for (auto [files, expected] :
       {std::pair{cpu::EmitFiles{.assembly = "/dev/full", .llvmIr = ""}, "/dev/full: cannot be"},
        {{.assembly = "", .llvmIr = "/dev/full"}, "/dev/full: cannot be written: No space left"},
        {{.assembly = "", .llvmIr = "/nowhere/x"},
         "/nowhere/x: cannot be written: No such file"}}) {
    std::string message = errorOf("llvm.func @f() { llvm.return }", target, "", files);
    EXPECT_EQ(message.find(expected), 0u) << message;
  }
}

TEST(Emit, SaysWhatLlvmCannotDo) {
  Target target = Target::named("x86-64").value();
  EXPECT_EQ(errorOf("func.func @f() { return }", target, ""),
            "internal: the kernels could not be translated to LLVM IR");
  target.triple = "pdp11-unknown-linux";
  EXPECT_EQ(errorOf("", target, "").find("LLVM has no back end for pdp11-unknown-linux: "), 0u);
}

TEST(Emit, SaysThatTheLinkerFailed) {
  const std::string folder =
      std::filesystem::temp_directory_path() / fmt::format("llmir-emit-{}", getpid());
  std::filesystem::create_directory(folder);
  testing::internal::CaptureStderr();
  std::string message =
      errorOf("llvm.func @f() { llvm.return }", Target::named("x86-64").value(), folder);
  EXPECT_NE(testing::internal::GetCapturedStderr().find(folder), std::string::npos); // lld's reason
  EXPECT_NE(message.find("could not link " + folder), std::string::npos) << message;
  EXPECT_FALSE(std::filesystem::exists(folder + ".o"));
  std::filesystem::remove(folder);
}

TEST(Emit, SaysThatTheLinkerIsMissing) {
  const std::string path = getenv("PATH") ? getenv("PATH") : "";
  setenv("PATH", "/nowhere", 1);
  auto linker = cpu::findLinker("/nowhere/either");
  setenv("PATH", path.c_str(), 1);
  ASSERT_FALSE(linker);
  EXPECT_EQ(linker.error().message,
            "ld.lld is neither in /nowhere/either nor on PATH: install lld-22");
}
