"""Compiled models against transformers, and the promise that a result does not depend on how it is served."""
import random
import zlib

import gguf
import numpy as np
import pytest
import tiny_models

PROMPTS = ["The capital of France is", "def fibonacci(n):"]  # test/heavy has twenty


def logits(llmir, model, tokens, folder, *flags):
    ids, out = folder / "ids.txt", folder / "logits.npy"
    ids.write_text(" ".join(map(str, tokens)))
    result = llmir("eval", model, "--tokens-file", ids, "--logits", out, *flags)
    assert result.returncode == 0, result.stderr.decode()
    return np.load(out)


def random_tokens(seed, size, count):
    rng = random.Random(seed)
    return [rng.randrange(size) for _ in range(count)]


@pytest.mark.parametrize("case", [dict(seed=11), dict(seed=12, rope="llama3"), dict(seed=13, rope="yarn", attention_bias=True),
                                  dict(seed=14, rope="linear", tie_word_embeddings=False)], ids=lambda case: str(case["seed"]))
def test_float_models_agree_with_transformers(llmir, case, tmp_path):
    path = tmp_path / "tiny.gguf"
    twin = tiny_models.write_tiny(path, **case)
    tokens = random_tokens(case["seed"], twin.config.vocab_size, 90)
    got = logits(llmir, path, tokens, tmp_path, "--kv", "f32")
    assert np.abs(got - tiny_models.logits_of(twin, tokens)).max() <= 2e-3


@pytest.mark.parametrize("case", tiny_models.FAMILY_CASES, ids=tiny_models.case_name)
def test_families_agree_with_transformers(llmir, case, tmp_path):
    path = tmp_path / "tiny.gguf"
    twin = tiny_models.write_tiny(path, **case)
    tokens = random_tokens(case["seed"], twin.config.vocab_size, 120)  # some windows long
    alone = logits(llmir, path, tokens, tmp_path, "--kv", "f32", "--threads", 1)
    assert np.abs(alone - tiny_models.logits_of(twin, tokens)).max() <= 2e-3
    for flags in (["--threads", 2, "--prefill-chunk", 7], ["--batch", 3, "--prefill-chunk", 50]):
        assert np.array_equal(alone, logits(llmir, path, tokens, tmp_path, "--kv", "f32", *flags)), flags


@pytest.mark.parametrize("types", [("Q4_0", "Q4_1", "Q5_0"), ("Q5_1", "Q8_0", "F16", "BF16")], ids="-".join)
def test_quantised_models_stay_close(llmir, types, tmp_path):
    path = tmp_path / "tiny.gguf"
    twin = tiny_models.write_tiny(path, 21, types=lambda name: types[zlib.crc32(name.encode()) % len(types)])
    assert {t.tensor_type.name for t in gguf.GGUFReader(path).tensors} == {*types, "F32"}
    tokens = random_tokens(21, twin.config.vocab_size, 60)
    expected = tiny_models.logits_of(twin, tokens)
    got = logits(llmir, path, tokens, tmp_path, "--activations", "int16", "--kv", "f32")
    assert np.abs(got - expected).max() <= 1e-2 * np.abs(expected).max()


def test_bits_do_not_depend_on_company(llmir, model, tmp_path):
    tokens = random_tokens(5, 49152, 200)
    alone = logits(llmir, model, tokens, tmp_path, "--threads", 1)
    for flags in (["--threads", 2], ["--prefill-chunk", 7], ["--batch", 3, "--prefill-chunk", 64], ["--batch", 32]):
        assert np.array_equal(alone, logits(llmir, model, tokens, tmp_path, *flags)), flags


@pytest.mark.parametrize("prompt", PROMPTS)
def test_greedy_text_does_not_depend_on_threads_and_chunks(llmir, model, prompt):
    def text(*flags):
        result = llmir("run", model, "--prompt", prompt, "--raw", "--max-tokens", 64, "--temperature", 0, "--ignore-eos", *flags)
        assert result.returncode == 0, result.stderr.decode()
        return result.stdout

    alone = text("--threads", 1)
    assert len(alone) > 64
    assert text("--threads", 2, "--prefill-chunk", 2) == alone
