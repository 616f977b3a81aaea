"""Multi-scale residual quantisation: features to one token map per scale, and back to f_hat."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Phi(nn.Conv2d):
    """phi(h) = h / 2 + conv(h) / 2, what repairs an upsampled token map."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, channels, 3, padding=1)

    def forward(self, h: Tensor) -> Tensor:
        return h.mul(0.5) + super().forward(h).mul_(0.5)


class PhiBank(nn.Module):
    """A few phi that the scales share: each scale takes the one whose tick is nearest to its place in [0, 1]."""

    def __init__(self, channels: int, phis: int) -> None:
        super().__init__()
        self.qresi_ls = nn.ModuleList(Phi(channels) for _ in range(phis))
        margin = 1 / 3 / phis if phis == 4 else 1 / 2 / phis
        # float64 and in this order: with ten scales and four phi, rounding decides two ties.
        self.ticks = np.linspace(margin, 1 - margin, phis)

    def index(self, scale: int, scales: int) -> int:
        place = scale / (scales - 1) if scales > 1 else 0.0
        return int(np.argmin(np.abs(self.ticks - place)))


@dataclass(frozen=True)
class Descent:
    """One scale of residual quantisation."""

    z: Tensor
    """What was left, B Z n_k n_k."""
    tokens: Tensor
    """B n_k^2 int64."""
    contribution: Tensor
    """What the tokens add to f_hat, B Z H W."""


@dataclass(frozen=True)
class Quantized:
    """What training goes on with."""

    f_hat: Tensor
    """Running sum over all scales, B Z H W; its gradient goes to the features."""
    tokens: list[Tensor]
    """B n_k^2 int64 each."""
    loss: Tensor
    """Codebook and commitment loss, mean over the scales."""


class ResidualQuantizer(nn.Module):
    """Codebook and phi bank. A token map of scale k has n_k x n_k tokens, row-major, n_k = `scales[k]`."""

    ema_vocab_hit_SV: Tensor

    def __init__(self, vocabulary: int, code_channels: int, scales: Sequence[int], phis: int) -> None:
        super().__init__()
        self.scales = tuple(scales)
        self.embedding = nn.Embedding(vocabulary, code_channels)
        self.quant_resi = PhiBank(code_channels, phis)
        # How often each code is used, a running mean; training keeps it, generation does not need it.
        self.register_buffer("ema_vocab_hit_SV", torch.zeros(len(self.scales), vocabulary))

    def lookup(self, tokens: Tensor) -> Tensor:
        """Tokens, B n_k^2 -> codes, B n_k^2 Z."""
        codes: Tensor = self.embedding(tokens)
        return codes

    def contribution(self, codes: Tensor, scale: int) -> Tensor:
        """What the codes of one scale, B n_k^2 Z, add to f_hat, B Z H W."""
        B, _, Z = codes.shape
        side, full = self.scales[scale], self.scales[-1]
        h = codes.transpose(1, 2).reshape(B, Z, side, side)
        if scale != len(self.scales) - 1:
            h = F.interpolate(h, size=(full, full), mode="bicubic")
        out: Tensor = self.quant_resi.qresi_ls[self.quant_resi.index(scale, len(self.scales))](h)
        return out

    def next_input(self, f_hat: Tensor, scale: int) -> Tensor:
        """f_hat after `scale`, B Z H W -> what the transformer is fed at the next scale, B n_{k+1}^2 Z."""
        side = self.scales[scale + 1]
        return F.interpolate(f_hat, size=(side, side), mode="area").flatten(2).transpose(1, 2)

    @torch.no_grad()
    def encode(self, features: Tensor) -> list[Tensor]:
        """Features, B Z H W -> token maps, B n_k^2 each: at every scale the nearest codes of what is left.

        Raises:
            ValueError: H or W is not the side of the last scale.
        """
        full = self.scales[-1]
        if features.shape[-2:] != (full, full):
            raise ValueError(f"Features are {tuple(features.shape[-2:])}, but the last scale has {full} x {full} tokens.")
        return [step.tokens for step in self.descend(features)]

    def forward(self, features: Tensor, commitment: float) -> "Quantized":
        """Quantises for training, in fp32.

        Args:
            features: B Z H W; gradients go straight through to them.
            commitment: weight of what draws the features to the codes; what draws codes and phi to the features weighs 1.
        """
        f_hat, loss, tokens = torch.zeros_like(features), features.new_zeros(()), []
        for step in self.descend(features):
            f_hat = f_hat + step.contribution
            loss = loss + commitment * F.mse_loss(f_hat.detach(), features) + F.mse_loss(f_hat, features.detach())
            tokens.append(step.tokens)
        return Quantized(features + (f_hat - features).detach(), tokens, loss / len(self.scales))

    def descend(self, features: Tensor) -> Iterator["Descent"]:
        """Scale by scale: what is left of the features, its nearest codes, and what these take away."""
        rest = features.detach()
        for scale, side in enumerate(self.scales):
            last = scale == len(self.scales) - 1
            z = rest if last else F.interpolate(rest, size=(side, side), mode="area")
            tokens = self._nearest(z)
            contribution = self.contribution(self.lookup(tokens), scale)
            rest = rest - contribution.detach()
            yield Descent(z, tokens, contribution)

    @torch.no_grad()
    def _nearest(self, z: Tensor) -> Tensor:
        """B Z n n -> indices of the nearest codes, B n^2."""
        rows, codebook = z.permute(0, 2, 3, 1).reshape(-1, z.shape[1]), self.embedding.weight
        squares = rows.square().sum(1, keepdim=True) + codebook.square().sum(1)  # B n^2, V
        return torch.addmm(squares, rows, codebook.t(), alpha=-2).argmin(1).view(len(z), -1)

    def f_hat(self, tokens: Sequence[Tensor]) -> Tensor:
        """Token maps of the first scales or of all -> running sum, B Z H W."""
        full = self.scales[-1]
        total = self.embedding.weight.new_zeros(len(tokens[0]), self.embedding.embedding_dim, full, full)
        for scale, map_of_scale in enumerate(tokens):
            total = total + self.contribution(self.lookup(map_of_scale), scale)
        return total

    def teacher_input(self, tokens: Sequence[Tensor]) -> Tensor:
        """Token maps of an image -> what the transformer is fed at scales 1, 2, ..., B (L - n_0^2) Z."""
        full = self.scales[-1]
        total = self.embedding.weight.new_zeros(len(tokens[0]), self.embedding.embedding_dim, full, full)
        inputs = []
        for scale in range(len(self.scales) - 1):
            total = total + self.contribution(self.lookup(tokens[scale]), scale)
            inputs.append(self.next_input(total, scale))
        return torch.cat(inputs, dim=1)
