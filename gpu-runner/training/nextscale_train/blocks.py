"""One block of the transformer: AdaLN, attention with normalised queries and keys, feed-forward network."""

import math

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

MAX_SCALE_MUL = math.log(100)


def layer_norm(x: Tensor) -> Tensor:
    """Layer norm over the width, without weights of its own."""
    return F.layer_norm(x, x.shape[-1:], eps=1e-6)


class LayerCache:
    """Keys and values of one block's earlier scales, 2B heads l C/heads each."""

    def __init__(self) -> None:
        self.keys: Tensor | None = None
        self.values: Tensor | None = None

    def append(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Takes up a scale and returns everything so far."""
        self.keys = keys if self.keys is None else torch.cat((self.keys, keys), dim=2)
        self.values = values if self.values is None else torch.cat((self.values, values), dim=2)
        return self.keys, self.values


class SelfAttention(nn.Module):
    """Attention whose queries and keys are L2-normalised: a learned factor per head, at most 100, is its temperature."""

    zero_k_bias: Tensor

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.scale_mul_1H11 = nn.Parameter(torch.full((1, heads, 1, 1), math.log(4.0)))
        self.mat_qkv = nn.Linear(width, 3 * width, bias=False)
        self.q_bias = nn.Parameter(torch.zeros(width))
        self.v_bias = nn.Parameter(torch.zeros(width))
        self.register_buffer("zero_k_bias", torch.zeros(width))
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor, bias: Tensor | None, cache: LayerCache | None) -> Tensor:
        """x: B l C; bias: 1 1 l l, added to the attention logits; cache: what earlier scales left, and takes this one."""
        B, length, C = x.shape
        qkv_bias = torch.cat((self.q_bias, self.zero_k_bias, self.v_bias))
        qkv = F.linear(x, self.mat_qkv.weight, qkv_bias).view(B, length, 3, self.heads, C // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)  # each B heads l C/heads
        q = F.normalize(q, dim=-1).mul(self.scale_mul_1H11.clamp_max(MAX_SCALE_MUL).exp())
        k = F.normalize(k, dim=-1)
        if cache is not None:
            k, v = cache.append(k, v)
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=bias, scale=1.0)
        out: Tensor = self.proj(y.transpose(1, 2).reshape(B, length, C))
        return out


class FeedForward(nn.Module):
    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.fc2(F.gelu(self.fc1(x), approximate="tanh"))
        return out


class Block(nn.Module):
    """x += gamma1 attention(ln(x) (1 + scale1) + shift1); x += gamma2 ffn(ln(x) (1 + scale2) + shift2).

    The six AdaLN parameters come from the block's own projection of the class embedding, or, where AdaLN is shared, are
    the shared projection plus the block's offset.
    """

    def __init__(self, width: int, heads: int, ffn_width: int, *, shared_adaln: bool) -> None:
        super().__init__()
        self.attn = SelfAttention(width, heads)
        self.ffn = FeedForward(width, ffn_width)
        self.shared_adaln = shared_adaln
        if shared_adaln:
            self.ada_gss = nn.Parameter(torch.randn(1, 1, 6, width) / width**0.5)
        else:
            self.ada_lin = nn.Sequential(nn.SiLU(), nn.Linear(width, 6 * width))

    def adaln(self, condition: Tensor) -> tuple[Tensor, ...]:
        """Class embeddings, B C, or the shared projection, B 1 6 C -> gamma1 gamma2 scale1 scale2 shift1 shift2, B 1 C."""
        if self.shared_adaln:
            return (self.ada_gss + condition).unbind(2)
        parameters: Tensor = self.ada_lin(condition)
        return parameters.view(len(condition), 1, 6, -1).unbind(2)

    @torch.no_grad()
    def damp(self, depth: int, generator: Generator | None) -> None:
        """Makes drawn weights those of a block among `depth` that hardly changes x yet."""
        self.attn.proj.weight.div_(math.sqrt(2 * depth))
        self.ffn.fc2.weight.div_(math.sqrt(2 * depth))
        if self.shared_adaln:
            offsets = self.ada_gss
            nn.init.normal_(offsets, std=offsets.shape[-1] ** -0.5, generator=generator)
            gammas, others = offsets[:, :, :2], offsets[:, :, 2:]
        else:
            weight = self.ada_lin.get_parameter("1.weight")  # 6C C
            gammas, others = weight[: len(weight) // 3], weight[len(weight) // 3 :]
        gammas.mul_(1e-5)
        others.mul_(0.5)

    def forward(self, x: Tensor, condition: Tensor, bias: Tensor | None, cache: LayerCache | None) -> Tensor:
        """x: B l C; condition: as for `adaln`; bias and cache: as for the attention."""
        gamma1, gamma2, scale1, scale2, shift1, shift2 = self.adaln(condition)
        attended = self.attn(layer_norm(x).mul(scale1.add(1)).add_(shift1), bias, cache)
        x = x + attended.mul_(gamma1)
        out: Tensor = x + self.ffn(layer_norm(x).mul(scale2.add(1)).add_(shift2)).mul(gamma2)
        return out


class HeadNorm(nn.Module):
    """AdaLN before the classifier, with scale and shift only."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.ada_lin = nn.Sequential(nn.SiLU(), nn.Linear(width, 2 * width))

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """x: B l C; condition: class embeddings, B C."""
        scale, shift = self.ada_lin(condition).view(len(condition), 1, 2, -1).unbind(2)
        return layer_norm(x).mul(scale.add(1)).add_(shift)
