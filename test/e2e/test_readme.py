"""The README and the pages in docs are true: every command in them that starts with build/bin is run here."""
import os
import re
import shlex
import subprocess

import pytest
import tiny_models
from conftest import BUILD, ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = [command for page in PAGES for command in re.findall(r"^(build/bin/.*)$", page.read_text(), re.MULTILINE)]
STILL_FAILS = '#!/bin/sh\nllmir-opt "$1" 2>/dev/null | grep -q llm.linear && exit 1\nexit 0\n'
OPT_INPUT = "llm.model @m attributes {vocabulary = 8 : i64, context_length = 8 : i64} {\n" \
    "  llm.weight @w : tensor<8x32xf32> from \"w\"\n" \
    "  func.func @step(%b: !llm.batch<mixed>, %kv: !llm.kv<layers = 1, heads = 1, k_dim = 8, v_dim = 8, block = 8, element = f16>)" \
    " -> (tensor<?x8xf32>, !llm.kv<layers = 1, heads = 1, k_dim = 8, v_dim = 8, block = 8, element = f16>) {\n" \
    "    %t = llm.batch.tokens %b : (!llm.batch<mixed>) -> tensor<?xi32>\n" \
    "    %w = llm.get_weight @w : tensor<8x32xf32>\n" \
    "    %x = llm.embed %t, %w : (tensor<?xi32>, tensor<8x32xf32>) -> tensor<?x32xf32>\n" \
    "    %l = llm.linear %x, %w : (tensor<?x32xf32>, tensor<8x32xf32>) -> tensor<?x8xf32>\n" \
    "    return %l, %kv : tensor<?x8xf32>, !llm.kv<layers = 1, heads = 1, k_dim = 8, v_dim = 8, block = 8, element = f16>\n" \
    "  }\n}\n"


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Of all commands: as with a user, the model is compiled once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """For bench and explain: whether they run is asked here, not how fast."""
    path = tmp_path_factory.mktemp("small") / "small.gguf"
    tiny_models.write_tiny(path, 5, max_position_embeddings=1024)
    return path


@pytest.mark.parametrize("command", COMMANDS)
def test_command(command, model, small, cache, tmp_path):
    (tmp_path / "ids.txt").write_text("1 2 3 4")
    (tmp_path / "model.mlir").write_text(OPT_INPUT)
    (tmp_path / "still-fails.sh").write_text(STILL_FAILS)
    (tmp_path / "still-fails.sh").chmod(0o755)
    file = small if " bench " in command or " explain " in command else model
    arguments = shlex.split(command.replace("build/bin", str(BUILD / "bin")).replace("MODEL.gguf", str(file)))
    result = subprocess.run(arguments, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, timeout=120,
                            env=os.environ | {"LLMIR_CACHE": str(cache),
                                              "PATH": f"{BUILD / 'bin'}:{os.environ['PATH']}"})
    assert result.returncode == 0, result.stderr.decode()


def test_there_are_commands():
    assert len(COMMANDS) >= 6
