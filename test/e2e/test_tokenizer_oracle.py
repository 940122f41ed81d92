"""Token ids against Hugging Face's `tokenizers`: vocabularies trained here, and the real model's where it is at hand."""
import json
import os
import random
import subprocess
import unicodedata
from pathlib import Path

import pytest
from conftest import gguf_reader
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

BUILD = Path(os.environ.get("LLMIR_BUILD", Path(__file__).resolve().parents[2] / "build"))
TOOL = BUILD / "bin/test/tokenizer_tool"

CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
LINES = r"|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3 = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*" + LINES
QWEN2 = LLAMA3.replace("{1,3}", "")
GPT4O = (rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+{CONTRACTIONS}?|[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*{CONTRACTIONS}?"
         r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*" + LINES)
TEKKEN = GPT4O.replace(CONTRACTIONS + "?", "").replace("{1,3}", "")
DEEPSEEK3 = [r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+",
             r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*"""
             + LINES]
BLOOM = [" ?[^(\\s|.,!?…。，、।۔،)]+"]


def split(*patterns):
    return [pre_tokenizers.Split(Regex(p), "isolated") for p in patterns]


def plain_bytes():
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)


def gpt2_bytes():
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)


# name as in tokenizer.ggml.pre -> (the same thing in `tokenizers`, ignore_merges)
PRE = {
    "gpt-2": ([gpt2_bytes()], False),
    "smollm": ([pre_tokenizers.Digits(individual_digits=True), gpt2_bytes()], False),
    "falcon": ([pre_tokenizers.Punctuation("contiguous"), gpt2_bytes(),
                pre_tokenizers.Split(Regex("[0-9][0-9][0-9]"), "isolated")], False),
    "llama-bpe": (split(LLAMA3) + [plain_bytes()], True),
    "qwen2": (split(QWEN2) + [plain_bytes()], False),
    "gpt-4o": (split(GPT4O) + [plain_bytes()], False),
    "tekken": (split(TEKKEN) + [plain_bytes()], True),
    "deepseek-coder": (split(r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[一-龥ࠀ-一가-퟿]+")
                       + [pre_tokenizers.Digits(individual_digits=True), plain_bytes()], False),
    "deepseek-v3": (split(*DEEPSEEK3) + [plain_bytes()], False),
    "bloom": (split(*BLOOM) + [plain_bytes()], False),
}

CORPUS = [
    "The quick brown fox jumps over the lazy dog. It's what they'll do; we've seen THAT, he'd say: I'M DON'T.",
    "def f(x):\n    return {'a': [1, 22, 333, 4444], \"b\": x**2}  # comment\n\n\tif x <= 0x1F and not y:\n\t\tpass\n",
    "Größe, façade, naïve, ĲSSEL, Łódź, ΑΒΓ αβγ Ωmega, Привет, мир! Як справи?",
    "你好，世界！今天天气很好。日本語のテキスト、ひらがなとカタカナ。안녕하세요 세계 여러분",
    "مرحبا بالعالم، كيف الحال؟ שלום עולם नमस्ते दुनिया। สวัสดีชาวโลก ქართული Հայերեն አማርኛ",
    "😀👩‍👩‍👧‍👦🇩🇪👍🏽 ✨→∑∫√ ½ ² Ⅷ ٣٤٥ १२३ 123456789 1,000,000.00 3.14e-10",
    "spaces   and\ttabs\u00a0nbsp\u2003em\u3000wide\r\nCRLF\n\n\n   trailing   \n \n  \x0b\x0c\x85 \u2028\u2029 end ",
    "a" * 70 + " " * 70 + "\n" * 40 + "!?" * 30 + "<|im_start|>user\nhi<|im_end|>",
    "e\u0301 u\u0308 Z\u0351\u036b\u0343 ﬁ Ǆ ǅ ǆ ſ 'ſ 'S 'RE k K",
    "#include <vector>\nint main() { std::vector<int> v{1, 2, 3}; return v[0] /* ok */; }\n//////\r\n",
    "", " ", "\n", "\t ", "  x", "x  ", "'s", "0", "\u0000\u0001\u0004\u007f\ufffd\ufeff",
]


EVERYTHING = [chr(c) for c in range(0x20, 0x1FB00) if unicodedata.category(chr(c)) not in ("Cn", "Cs", "Co")]


def random_texts(seed, count):
    """Mixes of assigned characters of all kinds; what is younger than ICU's Unicode tables is left out."""
    rng = random.Random(seed)
    pools = [[chr(c) for c in range(0x20, 0x7F)], list(" \t\n\r\x0b\x0c\x85\xa0\u2003\u3000"), list("0123456789٣१²½Ⅷ")]
    pools.append(EVERYTHING)
    texts = []
    for _ in range(count):
        pieces = []
        for _ in range(rng.randint(1, 12)):
            pool = rng.choice(pools)
            pieces += [rng.choice(pool) for _ in range(rng.randint(1, 8))]
        texts.append("".join(pieces))
    return texts


class Tool:
    def __init__(self):
        self.process = subprocess.Popen([TOOL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def encode(self, text, **options):
        data = text if isinstance(text, bytes) else text.encode()
        answer = self(op="encode", hex=data.hex(), **options)
        return answer["ids"]

    def decode(self, ids, **options):
        answer = self(op="decode", ids=ids, **options)
        whole = bytes.fromhex(answer["hex"])
        assert b"".join(map(bytes.fromhex, answer["parts"])) == whole
        return whole


@pytest.fixture
def tool():
    if not TOOL.exists():
        pytest.skip(f"{TOOL} is not built: build the target llmir_tests")
    tool = Tool()
    yield tool
    tool.process.stdin.close()
    tool.process.wait()


def trained(pre, ignore_merges=False, vocab_size=1200):
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(pre)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, show_progress=False, special_tokens=["<|end|>", "<|im_start|>"],
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(CORPUS * 3 + random_texts(7, 100), trainer)
    return tokenizer


def data_of(tokenizer, pre):
    model = json.loads(tokenizer.to_str())["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].get)
    merges = [m if isinstance(m, str) else " ".join(m) for m in model["merges"]]
    types = [3 if t in ("<|end|>", "<|im_start|>") else 1 for t in tokens]
    return dict(pre=pre, tokens=tokens, merges=merges, types=types, eos=0, add_bos=False)


@pytest.mark.parametrize("pre", PRE)
def test_trained_vocabulary(tool, pre):
    steps, ignore_merges = PRE[pre]
    oracle = trained(steps, ignore_merges)
    assert "error" not in tool(op="create", data=data_of(oracle, pre))
    for text in CORPUS + random_texts(11, 300):
        ids = tool.encode(text, parse_special=True)
        assert ids == oracle.encode(text, add_special_tokens=False).ids, repr(text)
        assert tool.decode(ids) == text.encode()


def test_control_tokens_are_text_unless_asked(tool):
    oracle = trained(*PRE["gpt-2"])
    tool(op="create", data=data_of(oracle, "gpt-2"))
    text = "a<|im_start|>b<|end|><|end|>"
    parsed, plain = tool.encode(text, parse_special=True), tool.encode(text)
    assert parsed.count(0) == 2 and parsed.count(1) == 1
    assert 0 not in plain and 1 not in plain
    assert tool.decode(plain) == tool.decode(parsed) == text.encode()
    assert tool.decode(parsed, skip_special=True) == b"ab"


def test_broken_utf8_round_trips(tool):
    rng = random.Random(3)
    tool(op="create", data=data_of(trained(*PRE["llama-bpe"]), "llama-bpe"))
    for _ in range(300):
        data = bytearray("".join(random_texts(rng.random(), 2)).encode())
        for _ in range(rng.randint(1, 6)):
            at = rng.randrange(len(data) + 1)
            data[at:at + rng.randint(0, 2)] = rng.randbytes(rng.randint(0, 3))
        assert tool.decode(tool.encode(bytes(data))) == bytes(data)
    everything = bytes(range(256)) * 2 + bytes(reversed(range(256)))
    assert tool.decode(tool.encode(everything)) == everything


def test_a_megabyte_without_a_break(tool):
    vocabulary = trained(*PRE["gpt-2"])
    for pre, units in {"gpt-2": ["a", " ", "\xff"], "gpt-4o": ["A"]}.items():
        tool(op="create", data=data_of(vocabulary, pre))
        for unit in units:
            data = unit.encode("latin-1" if unit == "\xff" else "utf-8")
            data *= (1 << 20) // len(data)
            answer = tool(op="encode", hex=data.hex())
            assert bytes.fromhex(tool(op="decode", ids=answer["ids"])["hex"]) == data
            assert answer["seconds"] < 3, (pre, unit)  # well under one on a quiet machine


def real_model():
    path = Path(os.environ.get("LLMIR_MODEL", BUILD / "models/SmolLM2-135M-Instruct.Q4_1.gguf"))
    if not path.exists():
        pytest.skip(f"{path} is missing: set LLMIR_MODEL or fetch the model")
    fields = gguf_reader(str(path)).fields
    return path, {key.removeprefix("tokenizer.ggml."): fields[key].contents() for key in fields
                  if key.startswith("tokenizer.ggml.")}


def test_real_model(tool):
    path, real = real_model()
    tokens, types = real["tokens"], real["token_type"]
    oracle = Tokenizer(models.BPE({t: i for i, t in enumerate(tokens)}, [tuple(m.split(" ")) for m in real["merges"]]))
    oracle.pre_tokenizer = pre_tokenizers.Sequence(PRE["smollm"][0])
    oracle.add_special_tokens([t for t, kind in zip(tokens, types) if kind == 3])
    answer = tool(op="open", path=str(path))
    assert answer["seconds"] < 1 and answer["ends"] == [0, 2]
    source = Path(__file__).read_text()
    texts = CORPUS + random_texts(5, 300) + [source, source * 8]
    expected = [oracle.encode(text, add_special_tokens=False).ids for text in texts]
    assert [tool.encode(text, parse_special=True) for text in texts] == expected
    oracle.decoder = decoders.ByteLevel()
    answer = tool(op="json", text=oracle.to_str())
    assert answer["seconds"] < 1 and answer["vocab"] == len(tokens)
    assert [tool.encode(text, parse_special=True) for text in texts] == expected
