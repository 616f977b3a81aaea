"""A diffusion transformer of VAR's width, depth and heads: Peebles & Xie, "Scalable Diffusion Models with Transformers", 2023.

It denoises the latent that the tokenizer decodes, Z x 16 x 16 for 256 px, one token a place: 256 tokens, as DiT-XL/2 has for its
4 x 32 x 32 latent with patches of 2. So the decoder costs every method the same.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nextscale_train.blocks import FeedForward, layer_norm

FREQUENCIES = 256
MAX_PERIOD = 10_000


class DiTBlock(nn.Module):
    """Attention and feed-forward network, shifted, scaled and gated by the condition; at first without effect (adaLN-Zero)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.ffn = FeedForward(width, 4 * width)
        self.adaln = nn.Sequential(nn.SiLU(), nn.Linear(width, 6 * width))
        zero(self.adaln)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """x: B N C; condition: B C."""
        shift1, scale1, gate1, shift2, scale2, gate2 = self.adaln(condition).unsqueeze(1).chunk(6, dim=2)
        x = x + gate1 * self._attend(layer_norm(x) * (1 + scale1) + shift1)
        out: Tensor = x + gate2 * self.ffn(layer_norm(x) * (1 + scale2) + shift2)
        return out

    def _attend(self, x: Tensor) -> Tensor:
        B, N, C = x.shape
        q, k, v = self.qkv(x).view(B, N, 3, self.heads, C // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        out: Tensor = self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(B, N, C))
        return out


class DiT(nn.Module):
    """Noisy latents, timesteps and classes -> noise and the place of the variance between its bounds."""

    positions: Tensor

    def __init__(self, *, depth: int, width: int, heads: int, classes: int, channels: int, side: int) -> None:
        super().__init__()
        self.classes = classes
        self.channels = channels
        self.side = side
        self.embed = nn.Linear(channels, width)
        self.register_buffer("positions", grid_positions(width, side))
        self.time = nn.Sequential(nn.Linear(FREQUENCIES, width), nn.SiLU(), nn.Linear(width, width))
        self.class_emb = nn.Embedding(classes + 1, width)
        self.blocks = nn.ModuleList(DiTBlock(width, heads) for _ in range(depth))
        self.final_adaln = nn.Sequential(nn.SiLU(), nn.Linear(width, 2 * width))
        self.final = nn.Linear(width, 2 * channels)
        zero(self.final_adaln)
        zero(nn.Sequential(self.final))

    def forward(self, x: Tensor, timesteps: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """x: B Z H W; timesteps: B, of 1000; labels: B int64, `classes` = unconditional -> noise and variance, B Z H W each."""
        B = len(x)
        condition = self.time(sinusoids(timesteps, FREQUENCIES).to(x.dtype)) + self.class_emb(labels)
        h = self.embed(x.flatten(2).transpose(1, 2)) + self.positions
        for block in self.blocks:
            h = block(h, condition)
        shift, scale = self.final_adaln(condition).unsqueeze(1).chunk(2, dim=2)
        out = self.final(layer_norm(h) * (1 + scale) + shift)
        noise, variance = out.transpose(1, 2).float().reshape(B, 2, self.channels, self.side, self.side).unbind(1)
        return noise, variance


def zero(layers: nn.Sequential) -> None:
    """Sets weight and bias of the last layer to 0."""
    for name in ("weight", "bias"):
        nn.init.zeros_(layers[-1].get_parameter(name))


def sinusoids(places: Tensor, width: int) -> Tensor:
    """N -> N width: cosines and sines of falling frequencies."""
    half = width // 2
    frequencies = torch.exp(-math.log(MAX_PERIOD) * torch.arange(half, device=places.device) / half)
    angles = places.float().unsqueeze(1) * frequencies
    return torch.cat((angles.cos(), angles.sin()), dim=1)


def grid_positions(width: int, side: int) -> Tensor:
    """Fixed positions, 1 side^2 width: half the channels tell the row, half the column."""
    rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    return torch.cat([sinusoids(each.flatten(), width // 2) for each in (rows, columns)], dim=1)[None]
