"""Heavy: every spelling of attention and every Hugging Face family, as torch exports it and in core ATen ops, is imported."""
import os
import pathlib
import subprocess
import sys

import pytest

BUILD = pathlib.Path(os.environ["LLMIR_BUILD"])
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "e2e"))
import torch_graphs  # noqa: E402

SPELLINGS = torch_graphs.spellings()
MODELS = [(name, attention) for name in torch_graphs.HUGGINGFACE for attention in torch_graphs.attentions(name)]


def check(graph, path):
    for decompose in (False, True):
        torch_graphs.save(graph, path, decompose)
        result = subprocess.run([BUILD / "bin/llmir", "import", path], capture_output=True, text=True)
        assert result.returncode == 0 and "llm.graph @forward_graph" in result.stdout, result.stderr


@pytest.mark.parametrize("name", SPELLINGS)
def test_spellings(tmp_path, name):
    check(SPELLINGS[name], tmp_path / "m.pt2")


@pytest.mark.parametrize("name, attention", MODELS)
def test_hugging_face(tmp_path, name, attention):
    check(torch_graphs.huggingface(name, attention), tmp_path / "m.pt2")
