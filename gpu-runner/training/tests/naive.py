"""The transformer written down once more, one image and one head at a time, without the package's modules."""

import math

import torch
from torch import Tensor

StateDict = dict[str, Tensor]


def logits(state: StateDict, label: int, inputs: Tensor, levels: Tensor, heads: int) -> Tensor:
    """inputs: (L - 1) Z of one image; levels: the scale of each token, L -> logits, L V."""
    condition = state["class_emb.weight"][label]  # C
    words = inputs @ state["word_embed.weight"].t() + state["word_embed.bias"]
    x = torch.cat((condition + state["pos_start"][0], words)) + state["pos_1LC"][0] + state["lvl_embed.weight"][levels]
    depth = sum(name.endswith("mat_qkv.weight") for name in state)
    for index in range(depth):
        x = block(state, f"blocks.{index}.", condition, x, levels, heads)
    scale, shift = linear(state, "head_nm.ada_lin.1", silu(condition)).chunk(2)
    return linear(state, "head", normed(x) * (1 + scale) + shift)


def block(state: StateDict, name: str, condition: Tensor, x: Tensor, levels: Tensor, heads: int) -> Tensor:
    if f"{name}ada_gss" in state:
        six = linear(state, "shared_ada_lin.1", silu(condition)) + state[f"{name}ada_gss"].flatten()
    else:
        six = linear(state, f"{name}ada_lin.1", silu(condition))
    gamma1, gamma2, scale1, scale2, shift1, shift2 = six.chunk(6)
    x = x + gamma1 * attention(state, f"{name}attn.", normed(x) * (1 + scale1) + shift1, levels, heads)
    hidden = linear(state, f"{name}ffn.fc1", normed(x) * (1 + scale2) + shift2)
    gelu = hidden / 2 * (1 + torch.tanh(math.sqrt(2 / math.pi) * (hidden + 0.044715 * hidden**3)))
    return x + gamma2 * linear(state, f"{name}ffn.fc2", gelu)


def attention(state: StateDict, name: str, x: Tensor, levels: Tensor, heads: int) -> Tensor:
    q, k, v = (x @ state[f"{name}mat_qkv.weight"].t()).chunk(3, dim=-1)
    q, v = q + state[f"{name}q_bias"], v + state[f"{name}v_bias"]
    outputs = []
    for head, (qh, kh, vh) in enumerate(zip(*(t.chunk(heads, dim=-1) for t in (q, k, v)), strict=True)):
        temperature = state[f"{name}scale_mul_1H11"][0, head, 0, 0].clamp(max=math.log(100)).exp()
        scores = temperature * (qh / qh.norm(dim=-1, keepdim=True)) @ (kh / kh.norm(dim=-1, keepdim=True)).t()
        scores[levels[None] > levels[:, None]] = -torch.inf
        outputs.append(scores.softmax(-1) @ vh)
    return linear(state, f"{name}proj", torch.cat(outputs, dim=-1))


def linear(state: StateDict, name: str, x: Tensor) -> Tensor:
    return x @ state[f"{name}.weight"].t() + state[f"{name}.bias"]


def silu(x: Tensor) -> Tensor:
    return x / (1 + (-x).exp())


def normed(x: Tensor) -> Tensor:
    return (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True, unbiased=False) + 1e-6).sqrt()
