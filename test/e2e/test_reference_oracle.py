"""The interpreter's logits of imported models against Hugging Face transformers with the same numbers."""
import os
import random
import subprocess
from pathlib import Path

import numpy as np
import pytest
import tiny_models

BUILD = Path(os.environ.get("LLMIR_BUILD", Path(__file__).resolve().parents[2] / "build"))
TOOL = BUILD / "bin/llmir-reference"
# Largest logit error allowed; what is measured is about 1e-5.
TOLERANCE = 1e-3


def reference(model, tokens, folder, *flags):
    if not TOOL.exists():
        pytest.skip(f"{TOOL} is not built: build the target llmir-reference")
    ids, out = folder / "ids.txt", folder / "logits.npy"
    ids.write_text(" ".join(map(str, tokens)))
    subprocess.run([TOOL, model, "--tokens-file", ids, "--logits", out, *flags], check=True)
    return np.load(out)


def random_tokens(seed, size, count):
    rng = random.Random(seed)
    return [rng.randrange(size) for _ in range(count)]


CASES = [dict(seed=1, rope="default"), dict(seed=2, rope="linear"), dict(seed=3, rope="llama3"),
         dict(seed=4, rope="yarn"), dict(seed=5, attention_bias=True, tie_word_embeddings=False),
         dict(seed=6, types="Q4_0"), dict(seed=7, types="Q8_0", tie_word_embeddings=True),
         dict(seed=8, types=lambda name: "Q5_1" if "blk.0" in name else "F16", num_hidden_layers=3),
         *tiny_models.FAMILY_CASES]


@pytest.mark.parametrize("case", CASES, ids=tiny_models.case_name)
def test_tiny_models(case, tmp_path):
    path = tmp_path / "tiny.gguf"
    twin = tiny_models.write_tiny(path, **case)
    tokens = random_tokens(case["seed"], twin.config.vocab_size, 90)
    expected = tiny_models.logits_of(twin, tokens)
    whole = reference(path, tokens, tmp_path)
    assert np.abs(whole - expected).max() <= TOLERANCE
    assert np.abs(expected).max() > 0.5  # else the comparison says little
    assert np.array_equal(whole, reference(path, tokens, tmp_path, "--chunk", "7", "--threads", "2"))


def test_real_model(tmp_path):
    path = os.environ.get("LLMIR_MODEL")
    if not path:
        pytest.skip("LLMIR_MODEL does not name a model file")
    twin = tiny_models.twin_of(path)
    tokens = random_tokens(9, twin.config.vocab_size, 64)
    got = reference(path, tokens, tmp_path, "--threads", "2")
    assert np.abs(got - tiny_models.logits_of(twin, tokens)).max() <= TOLERANCE
