#!/usr/bin/env python3
"""Holds the architecture: who may include whom, where MLIR ends, how long files are, who knows architectures by name.

Prints one `file:line: what is wrong` for each breach and exits with 1 if there is any. With --long it also names the files
past the length they aim at, which is no breach. Without a folder it checks the repository it lies in (the tests give one).
"""
import re
import sys
from pathlib import Path

# Folder under llmir/ -> folders it may include besides itself (docs/architecture.md).
LAYERS = {
    "support": "",
    "abi": "support",
    "quant": "support",
    "formats": "quant support",
    "dialect": "abi quant support",
    "frontend": "dialect formats quant support",
    "transforms": "dialect quant support",
    "reference": "dialect quant support",
    "codegen": "dialect transforms quant abi support",
    "compiler": "codegen reference transforms frontend dialect formats quant abi support",
    "runtime": "abi formats quant support",
    "serving": "runtime formats support",
    "driver": "serving runtime formats abi quant support",
    "cli": "driver serving runtime formats abi quant support",
}
WITHOUT_MLIR = {"support", "abi", "quant", "formats", "runtime", "serving", "driver", "cli"}
TARGETS = {"cpu", "gpu", "tpu", "asic"}  # of codegen: they never include each other
KNOW_ARCHITECTURES = {"frontend", "formats"}
AIM_LINES, MAX_LINES = 300, 800
FOLDERS = ("llmir", "tools", "test", "scripts", "python", "bench")
SOURCES = {".cpp", ".h", ".c", ".td", ".py", ".sh"}

INCLUDE = re.compile(r'^\s*#?\s*include\s+["<]([^">]+)[">]')
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
ARCHITECTURE = re.compile(
    r"^(general\.architecture|(llama|qwen|gemma|mistral|mixtral|phi|falcon|olmo|granite|deepseek|smollm|gptneox|starcoder|"
    r"mamba|command-r|stablelm)[0-9a-z]*([._-][a-z0-9_.]+)?)$"
)


def sources(root):
    for path in sorted(p for top in FOLDERS for p in (root / top).rglob("*")):
        if path.suffix in SOURCES and path.is_file():
            yield path, path.read_text(errors="replace").splitlines()


def breaches(root):
    for path, lines in sources(root):
        if len(lines) > MAX_LINES:
            yield path, MAX_LINES + 1, f"the file has {len(lines)} lines, {MAX_LINES} is the limit: split it by meaning"
        parts = path.relative_to(root).parts
        if parts[0] == "llmir" and len(parts) > 2:
            yield from folder_breaches(path, parts, lines)


def folder_breaches(path, parts, lines):
    folder = parts[1]
    if folder not in LAYERS:
        yield path, 1, f"the folder llmir/{folder} is not in the table of layers"
        return
    allowed = {folder, *LAYERS[folder].split()}
    for number, line in enumerate(lines, 1):
        if match := INCLUDE.match(line):
            included = match[1].split("/")
            if included[0] == "llmir" and len(included) > 2 and included[1] not in allowed:
                yield path, number, f"{folder} may not include {included[1]} ({match[1]})"
            if included[:2] == ["llmir", "codegen"] and folder == "codegen":
                if len({parts[2], included[2]} & TARGETS) == 2:
                    yield path, number, f"the target {parts[2]} may not include the target {included[2]}"
            if included[0] in ("mlir", "mlir-c", "llvm", "llvm-c") and folder in WITHOUT_MLIR:
                yield path, number, f"{folder} is free of MLIR and LLVM ({match[1]})"
        elif folder not in KNOW_ARCHITECTURES and path.suffix in (".cpp", ".h"):
            for text in STRING.findall(line.split("// ")[0]):
                if ARCHITECTURE.match(text) and text != "llama.cpp":
                    yield path, number, f'only frontend and formats know architectures by name ("{text}")'


def main():
    folders = [argument for argument in sys.argv[1:] if argument != "--long"]
    root = Path(folders[0]) if folders else Path(__file__).resolve().parent.parent
    if "--long" in sys.argv:
        for path, lines in sources(root):
            if AIM_LINES < len(lines) <= MAX_LINES:
                print(f"note: {path.relative_to(root)}: {len(lines)} lines, {AIM_LINES} is the aim")
    found = list(breaches(root))
    for path, line, what in found:
        print(f"{path.relative_to(root)}:{line}: {what}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
