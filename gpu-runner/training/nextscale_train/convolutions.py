"""Encoder and decoder of the tokenizer: the VQGAN network, with attention at its lowest resolution."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def group_norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(32, channels, eps=1e-6)


class ResidualBlock(nn.Module):
    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.norm1 = group_norm(channels_in)
        self.conv1 = nn.Conv2d(channels_in, channels_out, 3, padding=1)
        self.norm2 = group_norm(channels_out)
        self.conv2 = nn.Conv2d(channels_out, channels_out, 3, padding=1)
        same = channels_in == channels_out
        self.nin_shortcut = nn.Identity() if same else nn.Conv2d(channels_in, channels_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x), inplace=True))
        h = self.conv2(F.silu(self.norm2(h), inplace=True))
        out: Tensor = self.nin_shortcut(x) + h
        return out


class SpatialAttention(nn.Module):
    """One head over all positions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = group_norm(channels)
        self.qkv = nn.Conv2d(channels, 3 * channels, 1)
        self.proj_out = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        B, C, H, W = x.shape
        q, k, v = self.qkv(self.norm(x)).reshape(B, 3, C, H * W).unbind(1)  # each B C HW
        weights = torch.bmm(q.transpose(1, 2), k).mul_(C**-0.5).softmax(2)  # B HW(q) HW(k)
        h = torch.bmm(v, weights.transpose(1, 2)).view(B, C, H, W)
        out: Tensor = x + self.proj_out(h)
        return out


class Downsample(nn.Module):
    """Halves the side; padded right and below only."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv(F.pad(x, (0, 1, 0, 1)))
        return out


class Upsample(nn.Module):
    """Doubles the side."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))
        return out


class Middle(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.block_1 = ResidualBlock(channels, channels)
        self.attn_1 = SpatialAttention(channels)
        self.block_2 = ResidualBlock(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.block_2(self.attn_1(self.block_1(x)))
        return out


class Level(nn.Module):
    """The blocks of one resolution, each followed by attention at the lowest one."""

    def __init__(self, channels_in: int, channels_out: int, blocks: int, *, attention: bool) -> None:
        super().__init__()
        inputs = [channels_in] + [channels_out] * (blocks - 1)
        self.block = nn.ModuleList(ResidualBlock(channels, channels_out) for channels in inputs)
        self.attn = nn.ModuleList(SpatialAttention(channels_out) for _ in range(blocks if attention else 0))

    def forward(self, x: Tensor) -> Tensor:
        for index, block in enumerate(self.block):
            x = block(x)
            if len(self.attn) > 0:
                x = self.attn[index](x)
        return x


class DownLevel(Level):
    def __init__(self, channels_in: int, channels_out: int, blocks: int, *, lowest: bool) -> None:
        super().__init__(channels_in, channels_out, blocks, attention=lowest)
        self.downsample = None if lowest else Downsample(channels_out)

    def forward(self, x: Tensor) -> Tensor:
        x = super().forward(x)
        return x if self.downsample is None else self.downsample(x)


class UpLevel(Level):
    def __init__(self, channels_in: int, channels_out: int, blocks: int, *, lowest: bool, highest: bool) -> None:
        super().__init__(channels_in, channels_out, blocks, attention=lowest)
        self.upsample = None if highest else Upsample(channels_out)

    def forward(self, x: Tensor) -> Tensor:
        x = super().forward(x)
        return x if self.upsample is None else self.upsample(x)


class Encoder(nn.Module):
    """Images, B 3 H' W' in [-1, 1] -> features, B Z H W; H' is H times 2 to the number of levels less one."""

    def __init__(self, width: int, multipliers: Sequence[int], blocks: int, code_channels: int) -> None:
        super().__init__()
        channels = [width, *(width * m for m in multipliers)]
        last = len(multipliers) - 1
        self.conv_in = nn.Conv2d(3, width, 3, padding=1)
        self.down = nn.ModuleList(DownLevel(channels[i], channels[i + 1], blocks, lowest=i == last) for i in range(last + 1))
        self.mid = Middle(channels[-1])
        self.norm_out = group_norm(channels[-1])
        self.conv_out = nn.Conv2d(channels[-1], code_channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv_in(x)
        for level in self.down:
            h = level(h)
        out: Tensor = self.conv_out(F.silu(self.norm_out(self.mid(h)), inplace=True))
        return out


class Decoder(nn.Module):
    """Codes, B Z H W -> images, B 3 H' W', about [-1, 1]."""

    def __init__(self, width: int, multipliers: Sequence[int], blocks: int, code_channels: int) -> None:
        super().__init__()
        channels = [*(width * m for m in multipliers), width * multipliers[-1]]
        last = len(multipliers) - 1
        self.conv_in = nn.Conv2d(code_channels, channels[-1], 3, padding=1)
        self.mid = Middle(channels[-1])
        # Numbered from the highest resolution, run from the lowest; one block more a level than the encoder.
        self.up = nn.ModuleList(
            UpLevel(channels[i + 1], channels[i], blocks + 1, lowest=i == last, highest=i == 0) for i in range(last + 1)
        )
        self.norm_out = group_norm(channels[0])
        self.conv_out = nn.Conv2d(channels[0], 3, 3, padding=1)

    def forward(self, codes: Tensor) -> Tensor:
        h = self.mid(self.conv_in(codes))
        for level in reversed(self.up):
            h = level(h)
        out: Tensor = self.conv_out(F.silu(self.norm_out(h), inplace=True))
        return out
