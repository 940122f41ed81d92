"""llmir eval: perplexity and comparisons, against transformers and NumPy."""
import json

import numpy as np
import pytest
import tiny_models
from conftest import BUILD

pytestmark = pytest.mark.skipif(not (BUILD / "bin" / "llmirc").exists(), reason="llmirc is not built")
CHUNK = 48


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    path = tmp_path_factory.mktemp("perplexity") / "tiny.gguf"
    return path, tiny_models.write_tiny(path, 31, types="Q8_0", rope="default")


@pytest.fixture(scope="module")
def ids(tiny, tmp_path_factory):
    tokens = np.random.default_rng(31).integers(3, tiny[1].config.vocab_size, 4 * CHUNK + 7).tolist()
    path = tmp_path_factory.mktemp("perplexity") / "ids.txt"
    path.write_text(" ".join(map(str, tokens)))
    return path, tokens


def evaluate(llmir, *arguments):
    result = llmir("eval", *arguments, "--json", "-")
    assert result.returncode == 0, result.stderr.decode()
    return json.loads(result.stdout)


def log_softmax(logits):
    shifted = logits.astype(np.float64) - logits.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


def error_of(llmir, *arguments):
    result = llmir("eval", *arguments)
    assert result.returncode == 1
    return result.stderr.decode().splitlines()[-1]


def test_perplexity_is_that_of_transformers(llmir, tiny, ids):
    path, twin = tiny
    file, tokens = ids
    losses = []
    for start in range(0, len(tokens) - CHUNK + 1, CHUNK):
        chunk = tokens[start:start + CHUNK]
        rows = log_softmax(tiny_models.logits_of(twin, chunk))
        losses += [-rows[i, chunk[i + 1]] for i in range(CHUNK // 2, CHUNK - 1)]
    got = evaluate(llmir, path, "--tokens-file", file, "--context", CHUNK, "--activations", "int16", "--kv", "f32")
    assert (got["chunks"], got["predictions"]) == (4, len(losses))
    expected = np.exp(np.mean(losses))
    assert got["perplexity"] == pytest.approx(expected, rel=2e-3)
    assert got["perplexity_error"] == pytest.approx(expected * np.std(losses, ddof=1) / np.sqrt(len(losses)), rel=0.02)


def test_a_text_is_tokenized_and_nothing_depends_on_steps(llmir, tiny, tmp_path):
    path, _ = tiny
    text = tmp_path / "text.txt"
    text.write_text("The quick brown fox jumps over the lazy dog. <|im_end|>" * 3)
    tokens = llmir("tokenize", path, "--text", "The quick brown fox").stdout.split()
    assert len(tokens) > 2
    whole = evaluate(llmir, path, "--text", text, "--context", CHUNK)
    assert whole["tokens"] > CHUNK and whole["perplexity"] > 1
    steps = evaluate(llmir, path, "--text", text, "--context", CHUNK, "--prefill-chunk", 5, "--threads", 1)
    assert steps == whole


def test_against_another_model(llmir, tiny, ids, tmp_path):
    path, _ = tiny
    other = tmp_path / "other.gguf"
    tiny_models.write_tiny(other, 31, types="Q4_0", rope="default")
    file, tokens = ids

    def logits(model):
        out = tmp_path / "logits.npy"
        rows = []
        for start in range(0, len(tokens) - CHUNK + 1, CHUNK):
            chunk = tmp_path / "chunk.txt"
            chunk.write_text(" ".join(map(str, tokens[start:start + CHUNK])))
            assert llmir("eval", model, "--tokens-file", chunk, "--logits", out).returncode == 0
            rows.append(np.load(out)[CHUNK // 2:CHUNK - 1])
        return log_softmax(np.concatenate(rows))

    p, q = logits(other), logits(path)
    kl = (np.exp(p) * (p - q)).sum(-1)
    got = evaluate(llmir, path, "--tokens-file", file, "--context", CHUNK, "--against", other)["against"]
    assert got["positions"] == len(kl)
    assert got["kl_mean"] == pytest.approx(kl.mean(), rel=1e-5)
    assert got["kl_error"] == pytest.approx(kl.std(ddof=1) / np.sqrt(len(kl)), rel=1e-4)
    for name, share in (("kl_median", 0.5), ("kl_p90", 0.9), ("kl_p99", 0.99), ("kl_max", 1)):
        assert got[name] == pytest.approx(np.quantile(kl, share), rel=1e-4)
    assert got["top1"] == pytest.approx(np.mean(p.argmax(-1) == q.argmax(-1)))


def test_against_itself_with_other_activations(llmir, tiny, ids):
    path, _ = tiny
    plain = ["--tokens-file", ids[0], "--context", CHUNK]
    same = evaluate(llmir, path, *plain, "--against", path)["against"]
    assert same["kl_max"] == 0 and same["top1"] == 1
    other = evaluate(llmir, path, *plain, "--against-activations", "int16")["against"]
    assert 0 < other["kl_mean"] < 0.1


def test_against_logits_of_a_file(llmir, tiny, tmp_path):
    path, twin = tiny
    tokens = list(range(5, 60))
    file, saved = tmp_path / "ids.txt", tmp_path / "logits.npy"
    file.write_text(" ".join(map(str, tokens)))
    np.save(saved, np.ascontiguousarray(tiny_models.logits_of(twin, tokens), "<f4"))
    got = evaluate(llmir, path, "--tokens-file", file, "--against", saved, "--activations", "int16", "--kv", "f32")
    assert got["against"]["positions"] == len(tokens) and got["predictions"] == len(tokens) - 1
    assert got["against"]["kl_mean"] < 1e-4
    rows = log_softmax(np.load(saved))
    expected = np.exp(-np.mean([rows[i, tokens[i + 1]] for i in range(len(tokens) - 1)]))
    assert got["against"]["perplexity"] == pytest.approx(expected, rel=1e-6)

    assert "leave --against-activations, --against-kv and --against-quantize away" in error_of(
        llmir, path, "--tokens-file", file, "--against", saved, "--against-quantize", "none")
    whole, complete = np.load(saved), saved.read_bytes()
    saved.write_bytes(complete[:-2])
    assert f"ends before its {len(tokens)} rows" in error_of(llmir, path, "--tokens-file", file, "--against", saved)
    for wrong in (np.nan, np.inf):
        broken = whole.copy()
        broken[3, 7] = wrong
        np.save(saved, broken)
        assert "logits at position 3 of chunk 1 are not finite" in error_of(
            llmir, path, "--tokens-file", file, "--against", saved)
    np.save(saved, whole[:-1])
    assert "has the shape [54, " in error_of(llmir, path, "--tokens-file", file, "--against", saved)
    np.save(saved, np.zeros((2, 3), np.float64))
    assert "numpy.save" in error_of(llmir, path, "--tokens-file", file, "--against", saved)
    saved.write_bytes(b"\x93NUMPY\x01\x00\xff\xff{")
    assert "ends in its header" in error_of(llmir, path, "--tokens-file", file, "--against", saved)


def test_errors_say_what_is_needed(llmir, tiny, ids, tmp_path):
    path, _ = tiny
    assert "--text FILE or --tokens-file FILE" in error_of(llmir, path)
    assert "--text" in error_of(llmir, path, "--text", ids[0], "--tokens-file", ids[0])
    assert "leave --against" in error_of(llmir, path, "--tokens-file", ids[0], "--logits", tmp_path / "l", "--against", path)
    assert "context of 256" in error_of(llmir, path, "--tokens-file", ids[0], "--context", 1000)
    one = tmp_path / "one.txt"
    one.write_text("7")
    assert "at least 2 tokens" in error_of(llmir, path, "--tokens-file", one)
    other = tmp_path / "other.gguf"
    twin = tiny_models.write_tiny(other, 33, rope="default")
    assert f"a vocabulary of {twin.config.vocab_size} tokens" in error_of(
        llmir, path, "--tokens-file", ids[0], "--context", CHUNK, "--against", other)
