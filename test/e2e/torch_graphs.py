"""Graphs for the torch door: attention blocks in many spellings and tiny Hugging Face models, exported with torch.export.

`spellings()` gives name -> (module, example inputs, dynamic shapes), `huggingface(name)` the same for a model; `save` writes
either as a .pt2 file. Weights are random from a fixed seed; `block(spelling)` makes one module of its own.
"""
import math

import torch
import torch.nn.functional as F
from torch import nn

HIDDEN, HEADS, KV_HEADS, HEAD = 32, 4, 2, 8
WINDOW, SOFTCAP = 5, 30.0
SCALE = HEAD ** -0.5


# How the KV heads are repeated: [b, g, t, d] -> [b, h, t, d].

def repeat_interleave(x):
    return x.repeat_interleave(HEADS // KV_HEADS, dim=1)


def expand_reshape(x):
    b, g, t, d = x.shape
    return x[:, :, None].expand(b, g, HEADS // KV_HEADS, t, d).reshape(b, HEADS, t, d)


def stack_flatten(x):
    return torch.stack([x] * (HEADS // KV_HEADS), dim=2).flatten(1, 2)


# Which keys a query sees, as an additive or boolean mask of [t, t].

def triu_mask(t):
    return torch.triu(torch.full((t, t), float("-inf")), diagonal=1)


def tril_mask(t):
    return torch.tril(torch.ones(t, t, dtype=torch.bool))


def arange_mask(t):
    position = torch.arange(t)
    return position[None, :] <= position[:, None]


def window_mask(t):
    position = torch.arange(t)
    distance = position[:, None] - position[None, :]
    return (distance >= 0) & (distance < WINDOW)


def large_negative_mask(t):
    return (1.0 - tril_mask(t).float()) * -1e9


# Attention: q [b, h, t, d], k and v [b, g, t, d] -> [b, h, t, d].

def softmax_written_out(x):
    shifted = (x - x.amax(dim=-1, keepdim=True)).exp()
    return shifted / shifted.sum(dim=-1, keepdim=True)


def additive_triu(q, k, v):
    k, v = repeat_interleave(k), repeat_interleave(v)
    return torch.softmax(q @ k.transpose(-2, -1) * SCALE + triu_mask(q.shape[2]), dim=-1) @ v


def additive_large_negative(q, k, v):
    k, v = expand_reshape(k), expand_reshape(v)
    return F.softmax(q @ k.mT / math.sqrt(HEAD) + large_negative_mask(q.shape[2]), dim=-1) @ v


def masked_fill_tril(q, k, v):
    k, v = expand_reshape(k), expand_reshape(v)
    scores = (q @ k.transpose(2, 3)) / math.sqrt(HEAD)
    return scores.masked_fill(~tril_mask(q.shape[2]), float("-inf")).softmax(-1) @ v


def where_arange(q, k, v):
    k, v = stack_flatten(k), stack_flatten(v)
    scores = torch.matmul(q * SCALE, k.transpose(2, 3))
    scores = torch.where(arange_mask(q.shape[2]), scores, torch.tensor(-1e4))
    return torch.matmul(torch.softmax(scores, -1), v)


def masked_by_number(q, k, v):
    k, v = repeat_interleave(k), repeat_interleave(v)
    scores = (q @ k.transpose(2, 3)) * SCALE
    return scores.masked_fill(tril_mask(q.shape[2]) == 0, torch.finfo(torch.float32).min).softmax(-1) @ v


def einsum(q, k, v):
    k, v = repeat_interleave(k), repeat_interleave(v)
    scores = torch.einsum("bhqd,bhkd->bhqk", q, k) * SCALE + triu_mask(q.shape[2])
    return torch.einsum("bhqk,bhkd->bhqd", scores.softmax(-1), v)


def einsum_grouped(q, k, v):
    b, h, t, d = q.shape
    grouped = q.reshape(b, KV_HEADS, h // KV_HEADS, t, d)
    scores = torch.einsum("bgrqd,bgkd->bgrqk", grouped, k) * SCALE
    scores = scores.masked_fill(~arange_mask(t), float("-inf"))
    return torch.einsum("bgrqk,bgkd->bgrqd", scores.softmax(-1), v).reshape(b, h, t, d)


def written_out(q, k, v):
    k, v = repeat_interleave(k), repeat_interleave(v)
    return softmax_written_out(q @ k.transpose(2, 3) * SCALE + triu_mask(q.shape[2])) @ v


def bmm(q, k, v):
    b, h, t, d = q.shape
    k, v = expand_reshape(k).reshape(b * h, t, d), expand_reshape(v).reshape(b * h, t, d)
    scores = torch.bmm(q.reshape(b * h, t, d), k.transpose(1, 2)) * SCALE
    scores = scores + triu_mask(t)[None]
    return torch.bmm(scores.softmax(-1), v).view(b, h, t, d)


def window(q, k, v):
    k, v = repeat_interleave(k), repeat_interleave(v)
    scores = (q @ k.transpose(2, 3)) * SCALE
    return scores.masked_fill(~window_mask(q.shape[2]), float("-inf")).softmax(-1) @ v


def window_by_triu(q, k, v):
    k, v = repeat_interleave(k), repeat_interleave(v)
    t = q.shape[2]
    seen = tril_mask(t) & torch.triu(torch.ones(t, t, dtype=torch.bool), diagonal=1 - WINDOW)
    return ((q @ k.transpose(2, 3)) * SCALE).masked_fill(seen.logical_not(), -1e10).softmax(-1) @ v


def softcap(q, k, v):
    k, v = repeat_interleave(k), repeat_interleave(v)
    scores = torch.tanh((q @ k.transpose(2, 3)) * SCALE / SOFTCAP) * SOFTCAP
    return (scores + triu_mask(q.shape[2])).softmax(-1) @ v


def softcap_window(q, k, v):
    k, v = expand_reshape(k), expand_reshape(v)
    scores = SOFTCAP * torch.tanh((q @ k.transpose(2, 3)) / (math.sqrt(HEAD) * SOFTCAP))
    return torch.where(window_mask(q.shape[2]), scores, float("-inf")).softmax(-1) @ v


def sdpa_causal(q, k, v):
    return F.scaled_dot_product_attention(q, repeat_interleave(k), repeat_interleave(v), is_causal=True)


def sdpa_grouped(q, k, v):
    return F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)


def sdpa_scale(q, k, v):
    return F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=0.25, enable_gqa=True)


def sdpa_boolean(q, k, v):
    return F.scaled_dot_product_attention(q, k, v, attn_mask=tril_mask(q.shape[2])[None, None], enable_gqa=True)


def sdpa_additive(q, k, v):
    return F.scaled_dot_product_attention(q, expand_reshape(k), expand_reshape(v), attn_mask=triu_mask(q.shape[2]))


def sdpa_window(q, k, v):
    return F.scaled_dot_product_attention(q, repeat_interleave(k), repeat_interleave(v), attn_mask=window_mask(q.shape[2]))


def softmax_in_float(q, k, v):
    k, v = repeat_interleave(k), repeat_interleave(v)
    scores = q @ k.transpose(2, 3) * SCALE + triu_mask(q.shape[2])
    return F.softmax(scores, dim=-1, dtype=torch.float32).to(q.dtype) @ v


ATTENTION = [additive_triu, additive_large_negative, masked_fill_tril, where_arange, masked_by_number, einsum, einsum_grouped,
             written_out, bmm, window, window_by_triu, softcap, softcap_window, sdpa_causal, sdpa_grouped, sdpa_scale,
             sdpa_boolean, sdpa_additive, sdpa_window, softmax_in_float]


class Attention(nn.Module):
    """q, k, v and output projections around one spelling of attention: [b, t, hidden] -> [b, t, hidden]."""

    def __init__(self, attend, bias=False):
        super().__init__()
        self.attend = attend
        self.q = nn.Linear(HIDDEN, HEADS * HEAD, bias=bias)
        self.k = nn.Linear(HIDDEN, KV_HEADS * HEAD, bias=bias)
        self.v = nn.Linear(HIDDEN, KV_HEADS * HEAD, bias=bias)
        self.o = nn.Linear(HEADS * HEAD, HIDDEN, bias=bias)

    def heads(self, x):
        b, t, _ = x.shape
        return (self.q(x).view(b, t, HEADS, HEAD).transpose(1, 2), self.k(x).view(b, t, KV_HEADS, HEAD).transpose(1, 2),
                self.v(x).view(b, t, KV_HEADS, HEAD).transpose(1, 2))

    def forward(self, x):
        return self.o(self.attend(*self.heads(x)).transpose(1, 2).reshape(x.shape))


class TableMask(Attention):
    """GPT-2's way: the mask is a buffer as long as the context, cut to the sequence."""

    def __init__(self, context=80):
        super().__init__(None, bias=True)
        self.register_buffer("mask", torch.tril(torch.ones(context, context, dtype=torch.bool))[None, None])

    def forward(self, x):
        q, k, v = self.heads(x)
        k, v = repeat_interleave(k), repeat_interleave(v)
        t = x.shape[1]
        scores = q @ k.transpose(2, 3) * SCALE
        scores = scores.masked_fill(self.mask[:, :, :t, :t] == 0, float("-inf"))
        return self.o((scores.softmax(-1) @ v).transpose(1, 2).contiguous().view(1, t, HIDDEN))


class FusedQkv(Attention):
    """One product gives q, k and v, which are split apart."""

    def __init__(self):
        super().__init__(None)
        self.qkv = nn.Linear(HIDDEN, (HEADS + 2 * KV_HEADS) * HEAD)
        del self.q, self.k, self.v

    def forward(self, x):
        b, t, _ = x.shape
        q, k, v = self.qkv(x).split([HEADS * HEAD, KV_HEADS * HEAD, KV_HEADS * HEAD], dim=-1)
        q = q.view(b, t, HEADS, HEAD).permute(0, 2, 1, 3)
        k, v = (part.view(b, t, KV_HEADS, HEAD).permute(0, 2, 1, 3) for part in (k, v))
        return self.o(sdpa_grouped(q, k, v).permute(0, 2, 1, 3).flatten(2))


class HeadsLast(Attention):
    """Attention without moving the heads in front: einsum over [b, t, h, d]."""

    def __init__(self):
        super().__init__(None)

    def forward(self, x):
        b, t, _ = x.shape
        q = self.q(x).view(b, t, HEADS, HEAD)
        k, v = (p(x).view(b, t, KV_HEADS, HEAD).repeat_interleave(HEADS // KV_HEADS, dim=2) for p in (self.k, self.v))
        scores = torch.einsum("bqhd,bkhd->bhqk", q, k) / HEAD ** 0.5
        scores = scores.masked_fill(torch.ones(t, t, dtype=torch.bool).triu(1), -torch.inf)
        return self.o(torch.einsum("bhqk,bkhd->bqhd", scores.softmax(dim=-1), v).reshape(b, t, -1))


def rotate_half(x, cos, sin):
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat([-second, first], dim=-1) * sin


def rotate_pairs(x, cos, sin):
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1).flatten(-2)


class RmsNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(HIDDEN) + 0.5)

    def forward(self, x):
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5))


class Block(Attention):
    """A whole block: norms, RoPE in one of its two conventions, attention, and an MLP."""

    def __init__(self, norm, rotate, mlp, attend=sdpa_grouped):
        super().__init__(attend)
        self.norm1, self.norm2 = norm(), norm()
        self.rotate, self.mlp = rotate, mlp
        self.gate, self.up = nn.Linear(HIDDEN, 2 * HIDDEN, bias=False), nn.Linear(HIDDEN, 2 * HIDDEN, bias=False)
        self.down = nn.Linear(2 * HIDDEN, HIDDEN, bias=False)
        self.register_buffer("inv_freq", 10000.0 ** (-torch.arange(0, HEAD, 2) / HEAD), persistent=False)

    def forward(self, x):
        b, t, _ = x.shape
        angles = torch.arange(t)[:, None].float() * self.inv_freq[None, :]
        if self.rotate is rotate_half:
            angles = torch.cat([angles, angles], dim=-1)
        cos, sin = angles.cos(), angles.sin()
        q, k, v = self.heads(self.norm1(x))
        q, k = self.rotate(q, cos, sin), self.rotate(k, cos, sin)
        x = x + self.o(self.attend(q, k, v).transpose(1, 2).reshape(b, t, HIDDEN))
        h = self.norm2(x)
        return x + self.down(self.mlp(self.gate(h), self.up(h)))


class TinyModel(nn.Module):
    """Tokens in, logits out: an embedding, two blocks, a last norm and a tied head."""

    def __init__(self, vocabulary=40):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, HIDDEN)
        self.blocks = nn.ModuleList([Block(RmsNorm, rotate_half, swiglu) for _ in range(2)])
        self.norm = RmsNorm()

    def forward(self, ids):
        x = self.embed(ids)
        for block in self.blocks:
            x = block(x)
        return F.linear(self.norm(x), self.embed.weight)


def swiglu(gate, up):
    return F.silu(gate) * up


def swiglu_written_out(gate, up):
    return gate * torch.sigmoid(gate) * up


def geglu(gate, up):
    return F.gelu(gate, approximate="tanh") * up


def geglu_written_out(gate, up):
    return 0.5 * gate * (1 + torch.tanh(math.sqrt(2 / math.pi) * (gate + 0.044715 * gate ** 3))) * up


def gelu_erf(gate, up):
    return F.gelu(gate) + up


def gelu_of_up(gate, up):
    return F.relu(up) + F.gelu(gate) * (gate > 0)


def _modules():
    for attend in ATTENTION:
        yield attend.__name__, lambda attend=attend: Attention(attend)
    yield "bias", lambda: Attention(sdpa_grouped, bias=True)
    yield "table_mask", TableMask
    yield "fused_qkv", FusedQkv
    yield "heads_last", HeadsLast
    yield "block_half", lambda: Block(RmsNorm, rotate_half, swiglu)
    yield "block_pairs", lambda: Block(RmsNorm, rotate_pairs, swiglu_written_out, additive_triu)
    yield "block_rms_norm", lambda: Block(lambda: nn.RMSNorm(HIDDEN, eps=1e-5), rotate_half, geglu, masked_fill_tril)
    yield "block_layer_norm", lambda: Block(lambda: nn.LayerNorm(HIDDEN), rotate_pairs, geglu_written_out)
    yield "block_gelu", lambda: Block(lambda: nn.LayerNorm(HIDDEN, bias=False), rotate_half, gelu_erf)
    yield "block_relu", lambda: Block(lambda: nn.LayerNorm(HIDDEN), rotate_half, gelu_of_up, softcap_window)
    yield "tiny_model", TinyModel


def spellings(tokens=7):
    """Name -> (module, example inputs, dynamic shapes): [1, t, hidden] -> [1, t, hidden]; tiny_model takes token ids."""
    result = {}
    for name, make in _modules():
        torch.manual_seed(len(result))
        module = make().eval()
        x = torch.arange(tokens)[None] if name == "tiny_model" else torch.randn(1, tokens, HIDDEN)
        result[name] = (module, (x,), ({1: torch.export.Dim("t", min=2, max=64)},))
    return result


class Logits(nn.Module):
    """What is exported of a Hugging Face model: token ids to logits, without a cache."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids):
        return self.model(input_ids=input_ids, use_cache=False).logits


HUGGINGFACE = ["llama", "qwen2", "qwen3", "mistral", "gemma2", "gemma3", "phi3", "gpt2"]


def attentions(name):
    """The implementations of attention that transformers has for a family: its soft cap keeps Gemma 2 from SDPA."""
    return ["eager"] if name == "gemma2" else ["eager", "sdpa"]


def huggingface_config(name, **changes):
    import transformers
    common = dict(vocab_size=96, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
                  num_key_value_heads=2, head_dim=8, max_position_embeddings=128, tie_word_embeddings=False,
                  pad_token_id=0, bos_token_id=1, eos_token_id=2)
    own = {
        "llama": dict(),
        "qwen2": dict(),
        "qwen3": dict(),
        "mistral": dict(sliding_window=5),
        "gemma2": dict(sliding_window=5, query_pre_attn_scalar=8, tie_word_embeddings=True),
        "gemma3": dict(sliding_window=5, query_pre_attn_scalar=8, tie_word_embeddings=True,
                       layer_types=["sliding_attention", "full_attention"]),
        "phi3": dict(sliding_window=None),
        "gpt2": dict(n_embd=32, n_layer=2, n_head=4, n_positions=64),
    }[name]
    kind = {"qwen2": "Qwen2", "qwen3": "Qwen3", "gemma2": "Gemma2", "gemma3": "Gemma3Text", "gpt2": "GPT2"}.get(name, name.title())
    if name == "gpt2":
        common = dict(vocab_size=96, bos_token_id=1, eos_token_id=2)
    return getattr(transformers, kind + "Config")(**common | own | changes)


def huggingface(name, attention="eager", seed=0, tokens=7, **changes):
    """A tiny random model as (module, example inputs, dynamic shapes): [1, t] ids -> [1, t, vocabulary] logits."""
    import transformers
    torch.manual_seed(seed)
    config = huggingface_config(name, **changes)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation=attention).eval()
    with torch.no_grad():
        for parameter in model.parameters():  # norms of ones and biases of zeros would hide mistakes
            parameter.add_(torch.randn_like(parameter) * 0.1)
    ids = torch.randint(3, config.vocab_size, (1, tokens))
    return Logits(model), (ids,), {"input_ids": {1: torch.export.Dim("t", min=2, max=64)}}


def export(module, inputs, shapes, decompose=False):
    """The exported program; after run_decompositions() it holds core ATen ops alone."""
    with torch.no_grad():
        program = torch.export.export(module, inputs, dynamic_shapes=shapes, strict=False)
    return program.run_decompositions() if decompose else program


def save(graph, path, decompose=False):
    """Writes a graph of spellings() or huggingface() as a .pt2 file."""
    torch.export.save(export(*graph, decompose=decompose), path)
    return path
