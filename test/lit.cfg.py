"""How lit runs the .mlir and .test files: `lit build/test`, optionally with `--param verify-roundtrip`."""
import os

import lit.formats

config.name = "LLMIR"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs", "e2e", "fuzz"]
config.test_source_root = os.path.join(config.llmir_source_dir, "test")
config.test_exec_root = os.path.join(config.llmir_binary_dir, "test")

tools = {name: os.path.join(config.llmir_binary_dir, "bin", name) for name in ("llmir", "llmirc", "llmir-opt", "llmir-reduce")}
tools |= {name: os.path.join(config.llvm_tools_dir, name) for name in ("FileCheck", "not", "split-file")}
if "verify-roundtrip" in lit_config.params:
    tools["llmir-opt"] += " --verify-roundtrip"  # each input is also printed, parsed again and compared

# A tool's name stands for its path only as a word of its own: not in another name, in a path or before an extension.
config.substitutions += [(rf"(?<![\w./-]){name}(?![\w./-])", path) for name, path in tools.items()]

# Testers of llmir-reduce are scripts that find llmir-opt by name.
config.environment["PATH"] = os.path.join(config.llmir_binary_dir, "bin") + os.pathsep + os.environ["PATH"]

# FileCheck explains a failure in full when someone looks at it.
config.environment["FILECHECK_OPTS"] = "--dump-input=fail"
if "LLMIR_MODEL" in os.environ:
    config.environment["LLMIR_MODEL"] = os.environ["LLMIR_MODEL"]
    config.available_features.add("model")
