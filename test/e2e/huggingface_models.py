"""Hugging Face directories for tests: tiny random models as save_pretrained writes them, and the GGUF file that has
exactly their numbers, in their types."""
import gguf
import numpy as np
import tiny_models
import torch
import transformers

TYPES = {torch.float32: gguf.GGMLQuantizationType.F32, torch.float16: gguf.GGMLQuantizationType.F16,
         torch.bfloat16: gguf.GGMLQuantizationType.BF16}


def random_model(seed, family="llama", dtype="float32", **overrides):
    """A model whose logits say something; `family` is a name of transformers' classes' modules."""
    if family == "qwen3_moe":
        from test_experts import config_of
        config = config_of(seed, "qwen3moe", **overrides)
    elif family == "mistral":
        config = tiny_models.random_config(seed, "llama", rope="default", attention_bias=False, **overrides)
        names = "hidden_size intermediate_size head_dim num_key_value_heads num_attention_heads num_hidden_layers vocab_size " \
                "max_position_embeddings rms_norm_eps tie_word_embeddings rope_parameters"
        config = transformers.MistralConfig(**{name: getattr(config, name) for name in names.split()},
                                            sliding_window=overrides.get("sliding_window"), attn_implementation="eager")
    else:
        config = tiny_models.random_config(seed, family, **overrides)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        scale = 1 if "embed_tokens" in name else 1.5 / parameter.shape[-1]**0.5 if parameter.ndim > 1 else 0.1
        if "embed_tokens" in name and family.startswith("gemma"):  # which multiplies it by the root
            scale = 3 / parameter.shape[-1]**0.5
        is_factor = "norm" in name and not family.startswith("gemma")
        parameter.data = torch.randn(parameter.shape, generator=generator) * scale + is_factor
    return model.to(getattr(torch, dtype))


def write_folder(folder, seed, shard="1GB", **case):
    """Writes a random model to `folder` and gives it."""
    model = random_model(seed, **case)
    model.save_pretrained(folder, max_shard_size=shard)
    return model


def write_gguf(path, model):
    """The GGUF file that a converter would make of a model, without rounding anything."""
    from test_experts import split
    config = model.config
    family = {"mistral": "llama", "qwen3_moe": "qwen3moe", "gemma3_text": "gemma3"}.get(config.model_type, config.model_type)
    writer = gguf.GGUFWriter(path, family)
    tiny_models.write_metadata(writer, config)
    if family == "qwen3moe":
        writer.add_expert_count(config.num_local_experts)
        writer.add_expert_used_count(config.num_experts_per_tok)
        writer.add_expert_feed_forward_length(config.moe_intermediate_size)
        writer.add_expert_weights_norm(config.norm_topk_prob)
    elif getattr(config, "sliding_window", None) and not getattr(config, "layer_types", None):
        writer.add_sliding_window(config.sliding_window)
    heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads} if family == "llama" else {}
    for name, parameter in model.named_parameters():
        for target, part in split(name, parameter.data, family):
            if family.startswith("gemma") and "norm" in target:
                part = part.float() + 1
            part = tiny_models.interleave(part.contiguous(), heads.get(target.split(".")[-2], 0))
            bits = part.contiguous().view(torch.uint8).numpy()
            writer.add_tensor(target, bits, raw_shape=tuple(bits.shape), raw_dtype=TYPES[part.dtype])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
