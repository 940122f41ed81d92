"""Heavy: Gemma 3 270M (scripts/fetch_model.sh gemma3, or LLMIR_GEMMA): its vocabulary against sentencepiece, its logits
against the interpreter and, where LLMIR_LLAMA_PYTHON names a Python with llama-cpp-python, llama.cpp.
"""
import json
import os
import pathlib
import random
import subprocess
import sys

import numpy as np
import pytest
import sentencepiece
from sentencepiece import sentencepiece_model_pb2

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from test_quality import LLAMA_CPP, TEXT, compare  # noqa: E402
from test_tokenizer_oracle import CORPUS, Tool, random_texts  # noqa: E402

BUILD = pathlib.Path(os.environ["LLMIR_BUILD"])
MODEL = pathlib.Path(os.environ.get("LLMIR_GEMMA", BUILD / "models/gemma-3-270m-q4_k_m.gguf"))
POSITIONS = 200  # each has 262,144 logits

pytestmark = pytest.mark.skipif(not MODEL.exists(), reason=f"{MODEL} is not there: scripts/fetch_model.sh gemma3")


def oracle():
    """sentencepiece with the vocabulary of the file, which writes user-defined tokens with spaces."""
    import gguf
    fields = gguf.GGUFReader(MODEL).fields
    tokens, scores, kinds = (fields["tokenizer.ggml." + name].contents() for name in ("tokens", "scores", "token_type"))
    proto = sentencepiece_model_pb2.ModelProto()
    for token, score, kind in zip(tokens, scores, kinds):
        text = token.replace(" ", "▁") if kind == 4 else token
        proto.pieces.add(piece=text, score=score, type=2 if token == "<unk>" else kind)
    proto.trainer_spec.model_type = proto.trainer_spec.BPE
    proto.trainer_spec.byte_fallback = True
    proto.normalizer_spec.add_dummy_prefix = proto.normalizer_spec.remove_extra_whitespaces = False
    return sentencepiece.SentencePieceProcessor(model_proto=proto.SerializeToString())


def test_token_ids():
    expected, tool = oracle(), Tool()
    answer = tool(op="open", path=str(MODEL))
    assert answer["vocab"] == 262144 and answer["ends"] == [1, 106]
    rng = random.Random(6)
    spaced = ["".join(rng.choice(["a", "日本", "\n", " " * rng.randint(1, 40)]) for _ in range(9)) for _ in range(100)]
    for text in CORPUS + random_texts(5, 500) + spaced + [TEXT.read_text()]:
        assert tool.encode(text) == expected.encode(text), repr(text[:80])
    data = bytes(range(256)) * 4
    assert tool.decode(tool.encode(data)) == data


def test_text():
    def text(*flags):
        command = [BUILD / "bin/llmir", "run", MODEL, "--prompt", "Question: What is the capital of France?\nAnswer:", "--raw",
                   "--max-tokens", "48", "--temperature", "0", "--ignore-eos", *flags]
        return subprocess.run(command, check=True, capture_output=True).stdout

    alone = text("--threads", "1")
    assert alone.startswith(b" Paris\n")
    assert text("--threads", "2", "--prefill-chunk", "2") == alone


def test_logits(tmp_path):
    ids = subprocess.run([BUILD / "bin/llmir", "tokenize", MODEL, "--text", TEXT.read_text()[:4000]], check=True,
                         capture_output=True, text=True).stdout.split()[:POSITIONS]
    assert len(ids) == POSITIONS
    (tmp_path / "ids.txt").write_text(" ".join(ids))
    (tmp_path / "ids.json").write_text(json.dumps([int(i) for i in ids]))
    inputs = [MODEL, "--tokens-file", tmp_path / "ids.txt", "--logits"]
    subprocess.run([BUILD / "bin/llmir-reference", *inputs, tmp_path / "exact.npy", "--activations", "none", "--kv", "f32",
                    "--threads", "2"], check=True)
    found = {}
    for activations in ("int16", "int8"):
        out = tmp_path / f"{activations}.npy"
        subprocess.run([BUILD / "bin/llmir", "eval", *inputs, out, "--activations", activations, "--prefill-chunk", "64"], check=True)
        found[activations] = compare(tmp_path / "exact.npy", out)
        print(f"{activations}: mean KL {found[activations][0]:.3g}, top-1 {found[activations][1]:.2%}")
    assert found["int16"][0] <= 1e-4
    assert found["int8"][0] <= 3e-2
    python = os.environ.get("LLMIR_LLAMA_PYTHON")
    if not python:
        pytest.skip("LLMIR_LLAMA_PYTHON names no Python with llama-cpp-python")
    subprocess.run([python, "-c", LLAMA_CPP, MODEL, tmp_path / "ids.json", tmp_path / "llama.npy"], check=True)
    peer = compare(tmp_path / "exact.npy", tmp_path / "llama.npy")
    print(f"llama.cpp: mean KL {peer[0]:.3g}, top-1 {peer[1]:.2%}; ratio {found['int8'][0] / peer[0]:.3f}")
    assert found["int8"][0] <= 1.1 * peer[0]
