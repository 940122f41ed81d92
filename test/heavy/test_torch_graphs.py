"""Heavy: every spelling of attention and every Hugging Face family, as torch exports it and in core ATen ops, is imported;
what can be raised is compared with torch."""
import os
import pathlib
import subprocess
import sys

import numpy
import pytest
import torch

BUILD = pathlib.Path(os.environ["LLMIR_BUILD"])
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "e2e"))
import torch_graphs  # noqa: E402

SPELLINGS = torch_graphs.spellings()
MODELS = [(name, attention) for name in torch_graphs.HUGGINGFACE for attention in torch_graphs.attentions(name)]


# What llm-raise has no form for: weights that are read in part, transposed or with one added.
NOT_RAISED = {"fused_qkv", "block_relu", "phi3", "gpt2", "gemma2", "gemma3"}
NOT_RAISED_DECOMPOSED = {"einsum_grouped"}  # products of joined heads and tokens


def run(*arguments):
    return subprocess.run(list(map(str, arguments)), capture_output=True, text=True)


def check(graph, path, name):
    for decompose in (True, False):
        torch_graphs.save(graph, path, decompose)
        result = run(BUILD / "bin/llmir", "import", path)
        assert result.returncode == 0 and "llm.graph @forward_graph" in result.stdout, result.stderr
        result = run(BUILD / "bin/llmirc", "compile", path, "--stop-after=fuse", "--verify")
        if name in NOT_RAISED or (decompose and name in NOT_RAISED_DECOMPOSED):
            assert result.returncode == 1 and "cannot be raised to llm ops" in result.stderr
        else:
            assert result.returncode == 0 and result.stdout.count("llm.attention") == 1, result.stderr
            assert "verified that raising keeps what the graph computes" in result.stderr


@pytest.mark.parametrize("name", SPELLINGS)
def test_spellings(tmp_path, name):
    check(SPELLINGS[name], tmp_path / "m.pt2", name)


@pytest.mark.parametrize("name, attention", MODELS)
def test_hugging_face(tmp_path, name, attention):
    graph = torch_graphs.huggingface(name, attention)
    check(graph, tmp_path / "m.pt2", name)
    if name in NOT_RAISED:
        return
    ids = numpy.random.default_rng(0).integers(3, 96, size=60)
    (tmp_path / "ids").write_text(" ".join(map(str, ids)))
    with torch.no_grad():
        expected = graph[0](torch.tensor(ids)[None])[0].numpy()
    for chunk in (512, 7, 1):
        result = run(BUILD / "bin/llmir", "eval", tmp_path / "m.pt2", "--tokens-file", tmp_path / "ids", "--logits",
                     tmp_path / "o.npy", "--kv", "f32", "--prefill-chunk", chunk)
        assert result.returncode == 0, result.stderr
        assert numpy.abs(numpy.load(tmp_path / "o.npy") - expected).max() < 2e-3
