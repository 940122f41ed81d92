"""Tokenizers read from tokenizer.json against Hugging Face's `tokenizers`: configurations as the model families have them."""
import copy
import json
import random
import re
import unicodedata

import gguf
import pytest
from test_cli import error_of
from test_sentencepiece_oracle import spaced
from test_tokenizer_oracle import CORPUS, DEEPSEEK3, GPT4O, LLAMA3, PRE, QWEN2, random_texts, tool  # noqa: F401
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

SPECIAL = ["<s>", "</s>", "<|im_start|>", "<|im_end|>"]
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


def added(identifier, content, **flags):
    return dict(id=identifier, content=content, single_word=False, lstrip=False, rstrip=False, normalized=False, special=True) | flags


def trained(alphabet, tokens, normalizer=None, pre_tokenizer=None):
    """A tokenizer.json whose model was trained here; its control tokens have the ids from 0 on."""
    tokenizer = Tokenizer(models.BPE())
    if normalizer:
        tokenizer.normalizer = normalizer
    if pre_tokenizer:
        tokenizer.pre_tokenizer = pre_tokenizer
    trainer = trainers.BpeTrainer(vocab_size=1500, show_progress=False, special_tokens=tokens, initial_alphabet=alphabet)
    tokenizer.train_from_iterator(CORPUS * 3 + random_texts(7, 60), trainer)
    return json.loads(tokenizer.to_str())


def memoized(make):
    made = []
    return lambda: copy.deepcopy(made[0] if made else made.append(make()) or made[0])


byte_level = memoized(lambda: trained(pre_tokenizers.ByteLevel.alphabet(), SPECIAL,
                                      pre_tokenizer=pre_tokenizers.Sequence([*PRE["llama-bpe"][0]])))
sentencepiece = memoized(lambda: trained(sorted({c for t in CORPUS for c in t if c.isascii()} | {"▁"}), ["<unk>", *SPECIAL[:2], *BYTES],
                                         normalizer=normalizers.Replace(" ", "▁")))


def step(kind, **fields):
    return dict(type=kind, **fields)


def sequence(field, *steps):
    return {"type": "Sequence", field: list(steps)}


def split(pattern, behavior="Isolated", kind="Regex", invert=False):
    return step("Split", pattern={kind: pattern}, behavior=behavior, invert=invert)


def byte_step(**fields):
    return step("ByteLevel", add_prefix_space=False, trim_offsets=True, use_regex=True) | fields


def metaspace(scheme, splits):
    return step("Metaspace", replacement="▁", prepend_scheme=scheme, split=splits)


def begins_with(token, identifier):
    pieces = [{"SpecialToken": {"id": token, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]
    return step("TemplateProcessing", single=pieces, pair=pieces,
                special_tokens={token: {"id": token, "ids": [identifier], "tokens": [token]}})


def bytes_config(pre_tokenizer, normalizer=None, processor=None, **model):
    document = byte_level()
    document |= dict(normalizer=normalizer, pre_tokenizer=pre_tokenizer, post_processor=processor, decoder=byte_step())
    document["model"] |= model
    return document


def pieces_config(normalizer, pre_tokenizer, strips, legacy=False, **model):
    document = sentencepiece()
    document["added_tokens"] = document["added_tokens"][:3]
    decoders = [step("Replace", pattern={"String": "▁"}, content=" "), step("ByteFallback"), step("Fuse")]
    decoders += [step("Strip", content=" ", start=1, stop=0)] if strips else []
    document |= dict(normalizer=normalizer, pre_tokenizer=pre_tokenizer, post_processor=begins_with("<s>", 1),
                     decoder=sequence("decoders", *decoders))
    document["model"] |= dict(unk_token="<unk>", byte_fallback=True, fuse_unk=True) | model
    if legacy:
        document["model"]["merges"] = [" ".join(pair) for pair in document["model"]["merges"]]
    return document


def with_added(document, *tokens):
    """Tokens (content, flags), behind the vocabulary where it has not got them."""
    vocabulary = document["model"]["vocab"]
    new = [content for content, _ in tokens if content not in vocabulary]
    document["added_tokens"] += [added(vocabulary[content] if content in vocabulary else len(vocabulary) + new.index(content), content, **flags)
                                 for content, flags in tokens]
    return document


MARK = step("Replace", pattern={"String": " "}, content="▁")
PREFIXED = sequence("normalizers", step("Prepend", prepend="▁"), MARK)
TEXT = dict(special=False)
ANY = dict(normalized=True)

FAMILIES = {
    "gpt2": lambda: bytes_config(byte_step()),
    "gpt2 with prefix": lambda: bytes_config(byte_step(add_prefix_space=True)),
    "gpt-neox": lambda: with_added(bytes_config(byte_step(), step("NFC"), byte_step()), ("  ", TEXT | ANY), ("    ", TEXT | ANY)),
    "llama3": lambda: bytes_config(sequence("pretokenizers", split(LLAMA3), byte_step(use_regex=False)),
                                   processor=sequence("processors", byte_step(), begins_with("<s>", 0)), ignore_merges=True),
    "qwen2": lambda: with_added(bytes_config(sequence("pretokenizers", split(QWEN2), byte_step(use_regex=False)), step("NFC"), byte_step(),
                                             continuing_subword_prefix="", end_of_word_suffix=""), ("<tool_call>", TEXT)),
    "smollm": lambda: bytes_config(sequence("pretokenizers", step("Digits", individual_digits=True), byte_step())),
    "gpt-4o": lambda: bytes_config(sequence("pretokenizers", split(GPT4O, "Removed", invert=True), byte_step(use_regex=False))),
    "deepseek3": lambda: bytes_config(sequence("pretokenizers", *map(split, DEEPSEEK3), byte_step(use_regex=False)), sequence("normalizers")),
    "llama2, legacy": lambda: pieces_config(PREFIXED, None, True, legacy=True),
    "llama2": lambda: pieces_config(None, metaspace("first", False), True),
    "tinyllama": lambda: with_added(pieces_config(PREFIXED, None, True), ("<|user|>", ANY)),
    "mistral": lambda: pieces_config(None, metaspace("always", False), True),
    "phi3": lambda: with_added(pieces_config(PREFIXED, None, True), ("<|end|>", dict(rstrip=True)), ("<|user|>", dict(rstrip=True))),
    "gemma": lambda: with_added(pieces_config(MARK, split(" ", "MergedWithPrevious", "String"), False),
                                ("\n\n", TEXT), ("▁▁", TEXT), ("▁▁▁▁", TEXT), ("<b>", TEXT)),
    "words": lambda: pieces_config(None, metaspace("never", True), False, ignore_merges=True),
    "no bytes": lambda: pieces_config(MARK, None, False, byte_fallback=False),
    "unknown one by one": lambda: pieces_config(MARK, None, False, byte_fallback=False, fuse_unk=False),
    "NFKC": lambda: bytes_config(byte_step(), step("NFKC")),
    "NFD": lambda: bytes_config(byte_step(), sequence("normalizers", step("NFD"))),
    "NFKD": lambda: bytes_config(byte_step(), step("NFKD")),
    "contiguous digits": lambda: bytes_config(sequence("pretokenizers", step("Digits", individual_digits=False), byte_step())),
    "punctuation": lambda: bytes_config(sequence("pretokenizers", step("Punctuation", behavior="MergedWithNext"), byte_step())),
    "words without spaces": lambda: bytes_config(sequence("pretokenizers", split(r"\s+", "Removed"), split("e", "MergedWithPrevious", "String"),
                                                          split(r"[aou]", "Contiguous"), split("t|h", "MergedWithNext"),
                                                          byte_step(add_prefix_space=True, use_regex=False))),
    "flags": lambda: with_added(bytes_config(byte_step()), ("fox", TEXT | dict(single_word=True)), ("<l>", dict(lstrip=True)),
                                ("<r>", dict(rstrip=True)), ("<both>", TEXT | dict(lstrip=True, rstrip=True)), ("é", TEXT | ANY)),
}


def texts_for(document, seed):
    """The usual texts, and some with added tokens among them."""
    rng = random.Random(seed)
    tokens = [token["content"] for token in document["added_tokens"]] + ["<|im_end|", "foxes", "e\u0301"]
    mixed = ["".join(rng.choice([rng.choice(tokens), spaced(rng), " ", "\n ", "x"]) for _ in range(rng.randint(1, 6))) for _ in range(200)]
    return CORPUS + random_texts(seed, 200) + [spaced(rng) for _ in range(100)] + mixed


def lossy(data):
    """Broken UTF-8 as one sign however long it is: who replaces it counts in different ways."""
    return re.sub("\ufffd+", "\ufffd", data.decode(errors="replace") if isinstance(data, bytes) else data)


def is_young(oracle, document, text):
    """Whether the oracle's Unicode tables are too old for the text."""
    form = (document["normalizer"] or {}).get("type")
    return form in ("NFC", "NFKC", "NFKD") and oracle.normalizer.normalize_str(text) != unicodedata.normalize(form, text)


def compare(tool, document, seed=11):  # noqa: F811
    text = json.dumps(document)
    oracle = Tokenizer.from_str(text)
    answer = tool(op="json", text=text)
    assert "error" not in answer, answer
    assert answer["vocab"] == oracle.get_vocab_size()
    for text in texts_for(document, seed):
        if is_young(oracle, document, text):
            continue
        expected = oracle.encode(text).ids
        ids = tool.encode(text, parse_special=True, add_bos=True)
        assert ids == expected, repr(text)
        ids = ids[1:] if document["post_processor"] else ids
        decoded, whole = lossy(oracle.decode(ids, skip_special_tokens=False)), lossy(tool.decode(ids))
        assert decoded in (whole, whole.removeprefix(" ")), repr(text)
    return oracle


@pytest.mark.parametrize("family", FAMILIES)
def test_family(tool, family):  # noqa: F811
    compare(tool, FAMILIES[family]())


def test_control_tokens_are_text_unless_asked(tool):  # noqa: F811
    for document in (FAMILIES["qwen2"](), with_added(FAMILIES["llama2"](), ("<|im_end|>", ANY))):
        assert "error" not in tool(op="json", text=json.dumps(document))
        special = {token["id"] for token in document["added_tokens"] if token["special"]}
        text = "a<s>b</s><|im_end|> <tool_call>"
        parsed, plain = tool.encode(text, parse_special=True), tool.encode(text)
        assert len(special & set(parsed)) == 3 and not special & set(plain)
        assert tool.decode(plain).decode().strip() == tool.decode(parsed).decode().strip() == text
        assert tool.decode(parsed, skip_special=True).decode().strip() == "ab <tool_call>"


def test_broken_utf8_round_trips(tool):  # noqa: F811
    rng = random.Random(3)
    for family in ("qwen2", "llama2, legacy"):
        assert "error" not in tool(op="json", text=json.dumps(FAMILIES[family]()))
        for _ in range(100):
            data = bytearray(unicodedata.normalize("NFC", "".join(random_texts(rng.random(), 2))).replace("▁", "").encode())
            for _ in range(rng.randint(1, 6)):
                data.insert(rng.randrange(len(data) + 1), rng.choice(b"\xff\xfe\xc0\xf8"))
            decoded = tool.decode(tool.encode(bytes(data)))
            assert decoded == data if family == "qwen2" else decoded == b" " + data


def test_long_texts(tool):  # noqa: F811
    """A megabyte of anything is no trap; \\s outside brackets is what ICU would spend stack on."""
    document = FAMILIES["llama3"]()
    for pattern, units in [(LLAMA3, " 1"), (r"\s+(?!\S)|\S+|\s+", " a")]:
        document["pre_tokenizer"]["pretokenizers"][0] = split(pattern)
        assert "error" not in tool(op="json", text=json.dumps(document))
        for unit in units:
            ids = tool(op="encode", hex=(unit * (1 << 20)).encode().hex())["ids"]
            assert sum(len(tool.decode([i])) * ids.count(i) for i in set(ids)) == 1 << 20


def test_patterns_without_end(tool):  # noqa: F811
    document = FAMILIES["llama3"]()
    document["pre_tokenizer"]["pretokenizers"][0] = split("(?:a|aa)+b")
    tool(op="json", text=json.dumps(document))
    message = tool(op="encode", hex=(b"a" * 60).hex())["error"]
    assert message == ("tokenizer.json: pre_tokenizer.pretokenizers[0]: ICU gives up on a text of 60 bytes "
                       "(the pattern backtracks too often)")


PATTERNS = [r"\h+|[\h ]+", r"\v", r"a{2}|b{1,}|c{,x}|{|}|e{3", r"\p{Lu}\p{Ll}{1,3}", r"^.|.$", r"[^\s\d\w]+", r"\S+\s", r"\d|\D\W", r"[\p{L}&&\p{Lu}]+",
            r"(?i:THE|a)(?=\s)", r"(?<=a)b|\bx|n\b|\Bo", r"\s++|\w?+\W*+", r"\x{61}|\u0062|[\x{4F60}-\x{597D}]", r"[]a]+"]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns(tool, pattern):  # noqa: F811
    """Oniguruma's spellings mean the same here."""
    document = FAMILIES["llama3"]()
    document["pre_tokenizer"]["pretokenizers"][0] = split(pattern)
    oracle, answer = Tokenizer.from_str(json.dumps(document)), tool(op="json", text=json.dumps(document))
    assert "error" not in answer, answer
    for text in CORPUS + ["aab{}bbccc{,x} e{3 deadBEEF 01\x0b\x0c x² ½b n\u200dx", "line\none\r\ntwo\u2028x\n"]:
        assert tool.encode(text, parse_special=True, add_bos=True) == oracle.encode(text).ids, repr(text)


def write_gguf(path, text, **keys):
    """A file with nothing but a tokenizer.json, and what is said beside it."""
    writer = gguf.GGUFWriter(path, "llama")
    if text is not None:
        writer.add_string("tokenizer.huggingface.json", text)
    for key, value in keys.items():
        {bool: writer.add_bool, int: writer.add_uint32, str: writer.add_string}[type(value)](f"tokenizer.{key.replace('__', '.')}", value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    return path


def test_in_gguf_file(llmir, tmp_path):
    """The official key is enough; ids and flags of tokenizer.ggml.* go before the document's."""
    document = json.dumps(FAMILIES["llama3"]())
    text = "Größe: it's 12345!<|im_end|>"
    ids = Tokenizer.from_str(document).encode(text, add_special_tokens=False).ids
    for keys, expected in [({}, [0, *ids]), (dict(ggml__add_bos_token=False), ids), (dict(ggml__bos_token_id=2), [2, *ids]),
                           (dict(ggml__eos_token_id=1, ggml__add_eos_token=True), [0, *ids, 1])]:
        path = write_gguf(tmp_path / "m.gguf", document, **keys)
        result = llmir("tokenize", path, "--text", text)
        assert [*map(int, result.stdout.split())] == expected, result.stderr
    assert llmir("tokenize", path, "--ids", ",".join(map(str, ids))).stdout.decode() == text
    assert b"tokenizer      tokenizer.json" in llmir("inspect", path).stdout


@pytest.mark.parametrize("document, keys, expected", [
    ("{", {}, "m.gguf: tokenizer.json: is no JSON at byte 2"),
    (None, dict(huggingface__json=1), "tokenizer.huggingface.json"),
    ("{}", dict(ggml__model="t5"), "tokenizer.ggml.model is 't5'"),
    (None, {}, "tokenizer.ggml.model"),
])
def test_bad_gguf_files(llmir, tmp_path, document, keys, expected):
    path = write_gguf(tmp_path / "m.gguf", document, **keys)
    assert expected in error_of(llmir("tokenize", path, "--text", "a"))


def test_ids_outside_the_vocabulary(llmir, tmp_path):
    path = write_gguf(tmp_path / "m.gguf", json.dumps(FAMILIES["llama3"]()), ggml__eos_token_id=1500)
    assert "tokenizer.ggml.eos_token_id is 1500, the vocabulary has the ids 0 to 1499" in error_of(llmir("tokenize", path, "--text", "a"))
