"""Hugging Face directories: the same as GGUF files of the same numbers, transformers' logits, and what is refused."""
import json
import os
import shutil
import struct

import huggingface_models
import numpy as np
import pytest
import safetensors.torch
import tiny_models
import tokenizers
import transformers
from test_artifact import artifacts, cached, ok  # noqa: F401
from test_cli import error_of, needs_compiler
from test_eval import logits, random_tokens
from test_reference_oracle import reference

pytestmark = needs_compiler

# Between them all that a configuration can say; in each type, in one file and in many.
CASES = [
    dict(seed=1, rope="default"),
    dict(seed=2, rope="linear", dtype="bfloat16", shard="100KB"),
    dict(seed=3, rope="llama3"),
    dict(seed=4, rope="yarn", dtype="float16"),
    dict(seed=5, rope="default", attention_bias=True, mlp_bias=True, tie_word_embeddings=False, shard="200KB"),
    dict(seed=6, family="mistral", sliding_window=9),
    *[case for case in tiny_models.FAMILY_CASES if case["seed"] not in (31, 34, 37)],  # others have what these have
    dict(seed=41, family="gemma3", dtype="bfloat16"),
    dict(seed=37, family="qwen3_moe", num_experts=5, shard="100KB"),
    dict(seed=38, family="qwen3_moe", norm_topk_prob=False, attention_bias=True, dtype="bfloat16"),
    dict(seed=39, family="qwen3_moe", num_experts=1, num_experts_per_tok=1),
]


@pytest.mark.parametrize("case", CASES, ids=tiny_models.case_name)
def test_a_folder_is_its_gguf_file(llmir, case, tmp_path):
    folder, file = tmp_path / "model", tmp_path / "model.gguf"
    model = huggingface_models.write_folder(folder, **case)
    huggingface_models.write_gguf(file, model)
    assert len(list(folder.glob("*.safetensors"))) > 1 if "shard" in case else (folder / "model.safetensors").exists()
    from_folder, from_file = (ok(llmir("import", path)) for path in (folder, file))
    assert from_folder.stderr == b""
    assert from_folder.stdout.decode().replace(str(folder), str(file)) == from_file.stdout.decode()
    tokens = random_tokens(case["seed"], model.config.vocab_size, 40)
    got = reference(folder, tokens, tmp_path)
    if "dtype" in case:  # then transformers rounds what it computes too
        assert np.array_equal(got, reference(file, tokens, tmp_path))
    else:
        assert np.abs(got - tiny_models.logits_of(model, tokens)).max() <= 1e-3


@pytest.mark.parametrize("case", [CASES[4] | dict(dtype="bfloat16"), CASES[-3]], ids=tiny_models.case_name)
def test_compiled_folders(llmir, case, tmp_path):
    folder, file = tmp_path / "model", tmp_path / "model.gguf"
    model = huggingface_models.write_folder(folder, **case)
    huggingface_models.write_gguf(file, model)
    tokens = random_tokens(case["seed"], model.config.vocab_size, 40)
    got = logits(llmir, folder, tokens, tmp_path, "--kv", "f32", "--no-cache")
    assert np.array_equal(got, logits(llmir, file, tokens, tmp_path, "--kv", "f32", "--no-cache"))
    if "dtype" not in case:
        assert np.abs(got - tiny_models.logits_of(model, tokens)).max() <= 2e-3
    rounded = [logits(llmir, path, tokens, tmp_path, "--quantize", "int8", "--no-cache") for path in (folder, file)]
    assert np.array_equal(*rounded) and not np.array_equal(rounded[0], got)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("huggingface") / "tiny-0.1"
    huggingface_models.write_folder(folder, 7, rope="default", tie_word_embeddings=True, num_hidden_layers=2, shard="100KB")
    return folder


@pytest.fixture
def folder(written, tmp_path):
    """A copy that a test may spoil."""
    return shutil.copytree(written, tmp_path / written.name)


def change(path, **fields):
    """Fields of a JSON file set, or removed where they are None."""
    json_of = json.loads(path.read_text()) if path.exists() else {}
    for name, value in fields.items():
        json_of[name] = value
        if value is None:
            del json_of[name]
    path.write_text(json.dumps(json_of))


def test_any_change_is_compiled_again(cached, folder, tmp_path):  # noqa: F811
    ids = tmp_path / "ids"
    ids.write_text("1 2 3 4")
    ask = ["eval", folder, "--tokens-file", ids, "--logits", tmp_path / "out.npy"]
    (tmp_path / "linked").symlink_to(folder)  # as in caches, where every file is a link
    ok(cached(*ask))
    (path,) = artifacts(cached.cache)
    assert path.name.startswith("tiny-0.1-")
    ok(cached("eval", f"{folder}/", *ask[2:]))
    assert artifacts(cached.cache) == [path]
    first = np.load(tmp_path / "out.npy")
    ok(cached("eval", tmp_path / "linked", *ask[2:], "--no-cache"))
    assert np.array_equal(first, np.load(tmp_path / "out.npy"))

    (shard, *_) = sorted(folder.glob("*.safetensors"))
    data = shard.read_bytes()
    shard.write_bytes(data[:-4] + struct.pack("<f", 3))
    assert b"has changed" in ok(cached("cache")).stdout
    ok(cached(*ask))
    (again,) = artifacts(cached.cache)  # the old one is gone
    assert again != path and not np.array_equal(first, np.load(tmp_path / "out.npy"))

    change(folder / "generation_config.json", eos_token_id=[1, 2])
    ok(cached(*ask))
    (third,) = artifacts(cached.cache)
    assert third != again
    (folder / "README.md").write_text("what is not read does not count")
    ok(cached(*ask))
    assert artifacts(cached.cache) == [third]
    shutil.rmtree(folder)
    assert b"the model is gone" in ok(cached("cache")).stdout


def test_compiled_into_a_file(llmir, folder, tmp_path):
    output = tmp_path / "model.llmir"
    ok(llmir("compile", folder, "-o", output))
    for bad, expected in [(folder, "is the model itself"), (folder / "x.llmir", "is in the model's folder"),
                          (tmp_path / "tiny-0.1/../tiny-0.1/config.json", "is in the model's folder"),
                          (tmp_path, "is there already and no compiled model")]:
        assert expected in error_of(llmir("compile", folder, "-o", bad))
    ids = tmp_path / "ids"
    ids.write_text("1 2 3 4")
    shutil.rmtree(folder)
    ok(llmir("eval", output, "--tokens-file", ids, "--logits", tmp_path / "out.npy"))


def test_inspect(llmir, folder):
    # Nothing makes text of its tokens, which is said last.
    result = llmir("inspect", folder, "--json", "--verify", "--tensors", "--metadata")
    assert f"{folder}/tokenizer.json: is not there" in error_of(result)
    got = json.loads(result.stdout)
    read = [path for path in folder.iterdir()]
    assert got["file_bytes"] == sum(path.stat().st_size for path in read) and got["gguf_version"] is None
    config = json.loads((folder / "config.json").read_text())
    assert got["architecture"] == "llama" and got["vocabulary"] == config["vocab_size"] and got["layers"] == 2
    assert got["verified"]["tensors"] == len(got["tensors"]) == 2 + 2 * len([t for t in got["tensors"] if "blk.0" in t["name"]])
    assert got["memory"]["weights_bytes"] > 0 and got["metadata"]["llama.embedding_length"] == config["hidden_size"]
    assert b"Hugging Face directory" in llmir("inspect", folder).stdout


def test_a_number_that_is_not_finite(llmir, folder):
    for shard in folder.glob("*.safetensors"):
        data = shard.read_bytes()
        (length,) = struct.unpack("<Q", data[:8])
        if b"layers.0.mlp.up_proj" in data[:8 + length]:
            header = json.loads(data[8:8 + length])
            begin, _ = header["model.layers.0.mlp.up_proj.weight"]["data_offsets"]
            columns = header["model.layers.0.mlp.up_proj.weight"]["shape"][1]
            at = 8 + length + begin + 4 * (3 * columns + 5)
            shard.write_bytes(data[:at] + struct.pack("<f", float("nan")) + data[at + 4:])
    message = error_of(llmir("inspect", folder, "--verify"))
    assert "tensor model.layers.0.mlp.up_proj.weight holds a number that is not finite, in row 3, column 5" in message


def test_the_text_side(llmir, folder):
    """What the small files say, under GGUF's keys."""
    (folder / "tokenizer.json").write_text('{"made": "up"}')
    change(folder / "generation_config.json", eos_token_id=[5, 7, 9])
    change(folder / "tokenizer_config.json", bos_token="<s>", eos_token=dict(content="</s>"), add_bos_token=True,
           added_tokens_decoder={"11": dict(content="<s>"), "7": dict(content="</s>")}, chat_template="from tokenizer_config")

    def metadata():
        return json.loads(llmir("inspect", folder, "--json", "--metadata").stdout)["metadata"]

    got = metadata()
    assert got["tokenizer.huggingface.json"] == '{"made": "up"}' and got["tokenizer.chat_template"] == "from tokenizer_config"
    assert [got[f"tokenizer.ggml.{role}_token_id"] for role in ("bos", "eos", "eot", "eom")] == [11, 7, 5, 9]
    assert got["tokenizer.ggml.add_bos_token"] is True
    (folder / "chat_template.json").write_text('{"chat_template": "from json"}')
    assert metadata()["tokenizer.chat_template"] == "from json"
    (folder / "chat_template.jinja").write_text("from jinja")
    assert metadata()["tokenizer.chat_template"] == "from jinja"
    (folder / "chat_template.jinja").unlink()
    (folder / "chat_template.json").unlink()
    named = [dict(name="tool_use", template="a"), dict(name="default", template="b")]
    change(folder / "tokenizer_config.json", chat_template=named)
    assert metadata()["tokenizer.chat_template"] == "b"
    (folder / "generation_config.json").unlink()
    change(folder / "config.json", eos_token_id=4)
    change(folder / "tokenizer_config.json", eos_token=None)
    got = metadata()
    assert got["tokenizer.ggml.eos_token_id"] == 4 and "tokenizer.ggml.eot_token_id" not in got


@pytest.fixture(scope="module")
def speaking(tmp_path_factory):
    """A folder with all that transformers writes, and its tokenizer."""
    folder = tmp_path_factory.mktemp("speaking") / "tiny"
    huggingface_models.write_folder(folder, 7, rope="default", vocab_size=600, bos_token_id=0, eos_token_id=2)
    tokens, _, merges = tiny_models.vocabulary(600)
    pieces = tokenizers.models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=[tuple(m.split()) for m in merges])
    tokenizer = tokenizers.Tokenizer(pieces)
    tokenizer.pre_tokenizer, tokenizer.decoder = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False), tokenizers.decoders.ByteLevel()
    tokenizer.add_special_tokens(tokens[:3])
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=tokens[0], eos_token=tokens[2],
                                                chat_template=tiny_models.CHAT_TEMPLATE)
    fast.save_pretrained(folder)
    return folder, fast


def test_text(llmir, speaking, tmp_path):
    folder, tokenizer = speaking
    for text in ("Hello, world <|im_end|> äö 12", ""):
        ids = tokenizer.encode(text)
        assert ok(llmir("tokenize", folder, "--text", text)).stdout.split() == [str(i).encode() for i in ids]
    assert ok(llmir("tokenize", folder, "--ids", ",".join(map(str, tokenizer.encode("äö <|im_end|>"))))).stdout.decode() == "äö <|im_end|>"
    run = ["run", folder, "--temperature", "0", "--max-tokens", "9"]
    chat = tokenizer.apply_chat_template([dict(role="user", content="Hi")], tokenize=False, add_generation_prompt=True)
    ids = ",".join(map(str, tokenizer.encode(chat, add_special_tokens=False)))
    assert ok(llmir(*run, "--chat", "--prompt", "Hi")).stdout == ok(llmir(*run, "--tokens", ids)).stdout
    assert inspected(llmir, folder)["tokenizer"] == "tokenizer.json"
    silent = shutil.copytree(folder, tmp_path / "silent")
    (silent / "chat_template.jinja").unlink()
    assert f"{silent}: has no chat template (chat_template.jinja)" in error_of(llmir("run", silent, "--chat", "--prompt", "Hi"))


def inspected(llmir, folder):
    return json.loads(ok(llmir("inspect", folder, "--json")).stdout)


def test_text_needs_a_tokenizer(llmir, folder):
    for command in (["tokenize", folder, "--text", "a"], ["run", folder, "--prompt", "a"]):
        assert f"{folder}/tokenizer.json: is not there" in error_of(llmir(*command))


def test_tensors_that_nothing_uses_are_named(llmir, tmp_path):
    model = huggingface_models.random_model(8, attention_bias=True)
    model.save_pretrained(tmp_path / "model")
    change(tmp_path / "model" / "config.json", attention_bias=False)
    said = ok(llmir("import", tmp_path / "model")).stderr.decode()
    assert "tensor model.layers.0.self_attn.q_proj.bias is not used by the architecture llama" in said


def remove(name):
    return lambda folder: (folder / name).unlink()


def first_shard(folder):
    return min(folder.glob("*.safetensors"))


def index_of(folder):
    return folder / "model.safetensors.index.json"


def point(file):
    """Lets the index say that the embedding is in `file`."""
    def spoil(folder):
        index = json.loads(index_of(folder).read_text())
        index["weight_map"]["model.embed_tokens.weight"] = file
        index_of(folder).write_text(json.dumps(index))
    return spoil


def only_pytorch(folder):
    index_of(folder).unlink()
    (folder / "pytorch_model.bin").touch()


@pytest.mark.parametrize("spoil, expected", [
    (remove("config.json"), "is a folder without config.json; a GGUF file is expected, or a Hugging Face model"),
    (remove("model.safetensors.index.json"), "has a config.json, but neither model.safetensors nor model.safetensors.index.json"),
    (only_pytorch, "has its weights in pytorch_model.bin, which is not supported: fetch its safetensors"),
    (lambda folder: first_shard(folder).unlink(), "index.json: tensor model.embed_tokens.weight is in model-00001"),
    (point("../outside.safetensors"), 'is "../outside.safetensors", expected the name of a file beside it'),
    (point("/etc/passwd"), 'is "/etc/passwd", expected the name of a file beside it'),
    (point(".."), 'is "..", expected the name of a file beside it'),
    (point(7), "the file of tensor model.embed_tokens.weight is 7, expected a string"),
    (point("config.json"), "config.json: is no safetensors file"),
    (lambda folder: point(max(folder.glob("*.safetensors")).name)(folder), "has no tensor model.embed_tokens.weight, though model.safet"),
    (lambda folder: change(index_of(folder), weight_map=None), 'has no "weight_map"'),
    (lambda folder: index_of(folder).write_text("{"), "index.json: is not JSON at byte 2"),
    (lambda folder: first_shard(folder).write_bytes(first_shard(folder).read_bytes()[:-1]), "the file is truncated or damaged"),
    (lambda folder: shutil.copy(first_shard(folder), max(folder.glob("*.safetensors"))), "holds tensor model.embed_tokens.weight, as does"),
    (lambda folder: change(folder / "config.json", tie_word_embeddings=False), "tensor lm_head.weight, which config.json asks for, is in none"),
    (lambda folder: change(folder / "config.json", num_hidden_layers=4096), "tensor model.layers.2.input_layernorm.weight, which config"),
    (lambda folder: change(folder / "config.json", attention_bias=True), "tensor model.layers.0.self_attn.q_proj.bias, which config"),
    (lambda folder: change(folder / "config.json", vocab_size=9), "config.json asks for [9, "),
    (lambda folder: (folder / "chat_template.jinja").mkdir(), "chat_template.jinja: is not a regular file"),
    (lambda folder: os.mkfifo(folder / "tokenizer.json"), "tokenizer.json: is not a regular file"),
    (lambda folder: (folder / "tokenizer_config.json").write_text("[1]"), "tokenizer_config.json: is a list, expected an object"),
    (lambda folder: change(folder / "tokenizer_config.json", chat_template=5), '"chat_template" is 5, expected a string or a list'),
    (lambda folder: change(folder / "tokenizer_config.json", chat_template=[]), '"chat_template" is a list, expected a string, or a list'),
    (lambda folder: change(folder / "tokenizer_config.json", add_bos_token="yes"), '"add_bos_token" is "yes", expected true or false'),
    (lambda folder: change(folder / "generation_config.json", eos_token_id=10**6), '"eos_token_id" is 1000000, expected token ids from 0 to'),
    (lambda folder: change(folder / "generation_config.json", eos_token_id=[1, 2, 3, 4]), '"eos_token_id" names 4 tokens, at most 3'),
    (lambda folder: change(folder / "config.json", bos_token_id="x"), '"bos_token_id" is "x", expected token ids'),
])
def test_what_is_refused(llmir, folder, spoil, expected):
    spoil(folder)
    message = error_of(llmir("tokenize", folder, "--text", "a"))
    assert expected in message and str(folder) in message


def test_types_that_are_not_supported(llmir, tmp_path):
    import torch
    from safetensors.torch import save_file
    model = huggingface_models.random_model(9, rope="default")
    model.save_pretrained(tmp_path)
    state = {name: value.to(torch.float8_e4m3fn) if "up_proj" in name else value for name, value in model.state_dict().items()}
    state.pop("lm_head.weight", None) if model.config.tie_word_embeddings else None
    save_file(state, tmp_path / "model.safetensors")
    message = error_of(llmir("import", tmp_path))
    assert "model.safetensors: tensor model.layers.0.mlp.up_proj.weight has the dtype F8_E4M3, which is not supported yet" in message


@pytest.mark.parametrize("name, size, limit", [("tokenizer.json", (256 << 20) + 1, 256 << 20), ("chat_template.jinja", (16 << 20) + 1, 16 << 20)])
def test_files_beyond_their_limits(llmir, folder, name, size, limit):
    (folder / name).touch()
    os.truncate(folder / name, size)  # of holes: it takes no room
    assert f"{folder}/{name}: has {size} bytes, at most {limit} are allowed" in error_of(llmir("import", folder))


def test_experts_of_two_types(llmir, tmp_path):
    folder = tmp_path / "model"
    huggingface_models.write_folder(folder, 37, family="qwen3_moe", num_experts=5)
    tensors = {name: tensor.contiguous() for name, tensor in safetensors.torch.load_file(folder / "model.safetensors").items()}
    odd = next(name for name in tensors if "experts.1.up_proj" in name)
    tensors[odd] = tensors[odd].bfloat16()
    safetensors.torch.save_file(tensors, folder / "model.safetensors")
    assert f"tensor {odd} has the dtype BF16, the experts before it f32: they must be alike" in error_of(llmir("import", folder))
