"""Heavy: how far compiled logits are from exact ones over 2,000 positions of text, beside llama.cpp on the same file.

The reference is the interpreter with f32 activations and an f32 cache. llama.cpp is compared if LLMIR_LLAMA_PYTHON names
a Python that has llama-cpp-python (PyPI; built natively). Run by `make check-heavy`.
"""
import json
import os
import pathlib
import subprocess

import numpy as np
import pytest

BUILD = pathlib.Path(os.environ["LLMIR_BUILD"])
MODEL = os.environ["LLMIR_MODEL"]
TEXT = pathlib.Path("/usr/share/common-licenses/GPL-3")  # English text that every Debian has
POSITIONS = 2000

LLAMA_CPP = """
import json, sys
import numpy as np
from llama_cpp import Llama
ids = json.load(open(sys.argv[2]))
llama = Llama(sys.argv[1], n_ctx=2048, n_batch=512, n_threads=2, n_threads_batch=2, logits_all=True, verbose=False)
llama.eval(ids)
np.save(sys.argv[3], llama.scores[: len(ids)].astype(np.float32))
"""


def log_softmax(logits):
    logits = logits.astype(np.float64)
    logits -= logits.max(axis=1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def compare(reference_file, other_file):
    """Mean KL(reference || other) and the share of positions with the same most likely token."""
    reference, other = np.load(reference_file, mmap_mode="r"), np.load(other_file, mmap_mode="r")
    divergence, same = 0.0, 0
    for start in range(0, len(reference), 100):
        p, q = log_softmax(reference[start : start + 100]), log_softmax(other[start : start + 100])
        divergence += float((np.exp(p) * (p - q)).sum())
        same += int((p.argmax(axis=1) == q.argmax(axis=1)).sum())
    return divergence / len(reference), same / len(reference)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("quality")
    text = TEXT.read_text()[:40000]
    ids = subprocess.run(
        [BUILD / "bin/llmir", "tokenize", MODEL, "--text", text], check=True, capture_output=True, text=True
    ).stdout.split()[:POSITIONS]
    assert len(ids) == POSITIONS
    (folder / "ids.txt").write_text(" ".join(ids))
    (folder / "ids.json").write_text(json.dumps([int(i) for i in ids]))
    subprocess.run(
        [BUILD / "bin/llmir-reference", MODEL, "--tokens-file", folder / "ids.txt", "--logits", folder / "exact.npy",
         "--activations", "none", "--kv", "f32", "--threads", "2"],
        check=True,
    )
    return folder


def compiled(folder, activations):
    out = folder / f"{activations}.npy"
    subprocess.run(
        [BUILD / "bin/llmir", "eval", MODEL, "--tokens-file", folder / "ids.txt", "--logits", out, "--activations", activations],
        check=True,
    )
    return compare(folder / "exact.npy", out)


def test_int16_is_nearly_exact(files):
    divergence, top1 = compiled(files, "int16")
    print(f"int16: mean KL {divergence:.3g}, top-1 {top1:.2%}")
    assert divergence <= 1e-4
    assert top1 >= 0.998


def test_int8_is_as_good_as_llama_cpp(files):
    python = os.environ.get("LLMIR_LLAMA_PYTHON")
    divergence, top1 = compiled(files, "int8")
    print(f"int8: mean KL {divergence:.3g}, top-1 {top1:.2%}")
    if not python:
        pytest.skip("LLMIR_LLAMA_PYTHON names no Python with llama-cpp-python")
    subprocess.run([python, "-c", LLAMA_CPP, MODEL, files / "ids.json", files / "llama.npy"], check=True)
    peer, peer_top1 = compare(files / "exact.npy", files / "llama.npy")
    print(f"llama.cpp: mean KL {peer:.3g}, top-1 {peer_top1:.2%}; ratio {divergence / peer:.3f}")
    assert divergence <= 1.1 * peer
