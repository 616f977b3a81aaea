"""The multi-scale VQ-VAE: images to tokens of every scale, and back."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nextscale_train.checkpoint import CheckpointError, StateDict, adopt, count, size
from nextscale_train.convolutions import Decoder, Encoder
from nextscale_train.quantizer import ResidualQuantizer


@dataclass(frozen=True)
class TokenizerSizes:
    """Sizes of a tokenizer; the defaults are those of the published `vae_ch160v4096z32.pth`."""

    vocabulary: int = 4096
    code_channels: int = 32
    width: int = 160
    multipliers: tuple[int, ...] = (1, 1, 2, 2, 4)
    """Channels per resolution level as multiples of `width`, highest resolution first."""
    blocks: int = 2
    """Residual blocks per level of the encoder; the decoder has one more."""
    phis: int = 4
    scales: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 8, 10, 13, 16)
    """Sides n_k of the token maps, coarse to fine."""
    quant_kernel: int = 3

    @property
    def resolution(self) -> int:
        """Side of the images, in pixels."""
        return self.scales[-1] << (len(self.multipliers) - 1)


def tokenizer_sizes(state: StateDict, scales: Sequence[int]) -> TokenizerSizes:
    """Sizes from the shapes of a state dict. The scales are not in a tokenizer's file: they are the transformer's.

    Raises:
        CheckpointError: a tensor is missing, or it is no tokenizer.
    """
    width = size(state, "encoder.conv_in.weight", 0)
    levels = count(state, lambda i: f"encoder.down.{i}.block.0.conv1.weight")
    channels = [size(state, f"encoder.down.{i}.block.0.conv1.weight", 0) for i in range(levels)]
    phis = count(state, lambda i: f"quantize.quant_resi.qresi_ls.{i}.weight")
    if levels == 0 or phis == 0 or any(c % width != 0 for c in channels):
        raise CheckpointError("The state dict is not one of a VAR tokenizer with an encoder and a bank of phi.")
    return TokenizerSizes(
        vocabulary=size(state, "quantize.embedding.weight", 0),
        code_channels=size(state, "quantize.embedding.weight", 1),
        width=width,
        multipliers=tuple(c // width for c in channels),
        blocks=count(state, lambda i: f"encoder.down.0.block.{i}.conv1.weight"),
        phis=phis,
        scales=tuple(scales),
        quant_kernel=size(state, "quant_conv.weight", 2),
    )


class Tokenizer(nn.Module):
    """Parameter names are those of the published checkpoints: `load_state_dict` takes their files."""

    def __init__(self, sizes: TokenizerSizes) -> None:
        super().__init__()
        self.sizes = sizes
        network = (sizes.width, sizes.multipliers, sizes.blocks, sizes.code_channels)
        self.encoder = Encoder(*network)
        self.decoder = Decoder(*network)
        self.quantize = ResidualQuantizer(sizes.vocabulary, sizes.code_channels, sizes.scales, sizes.phis)
        Z, kernel = sizes.code_channels, sizes.quant_kernel
        self.quant_conv = nn.Conv2d(Z, Z, kernel, padding=kernel // 2)
        self.post_quant_conv = nn.Conv2d(Z, Z, kernel, padding=kernel // 2)

    @classmethod
    def from_state_dict(cls, state: StateDict, scales: Sequence[int]) -> "Tokenizer":
        """A tokenizer in eval mode whose sizes are the tensors'; floats become fp32, fp32 tensors are shared.

        Raises:
            CheckpointError: the state dict is not one of a tokenizer, or a tensor is missing or misshapen.
        """
        sizes = tokenizer_sizes(state, scales)
        with torch.device("meta"):
            tokenizer = cls(sizes)
        hits = "quantize.ema_vocab_hit_SV"
        fits = hits in state and state[hits].shape == tokenizer.quantize.ema_vocab_hit_SV.shape
        unused = {} if fits else {hits: torch.zeros(len(sizes.scales), sizes.vocabulary)}
        adopt(tokenizer, {**state, **unused})
        return tokenizer.eval()

    def features(self, images: Tensor) -> Tensor:
        """Images, B 3 H' W' in [-1, 1] -> features, B Z H W."""
        out: Tensor = self.quant_conv(self.encoder(images))
        return out

    @torch.no_grad()
    def encode(self, images: Tensor) -> list[Tensor]:
        """Images, B 3 H' W' in [-1, 1] -> token maps, B n_k^2 int64 each, coarse to fine.

        Raises:
            ValueError: the images do not have the resolution of the last scale.
        """
        return self.quantize.encode(self.features(images))

    def decode(self, f_hat: Tensor) -> Tensor:
        """f_hat, B Z H W -> images, B 3 H' W', not clamped: training needs the gradient outside [-1, 1] too."""
        out: Tensor = self.decoder(self.post_quant_conv(f_hat))
        return out

    @torch.no_grad()
    def decode_tokens(self, tokens: Sequence[Tensor]) -> Tensor:
        """Token maps of the first scales or of all -> images, B 3 H' W' in [-1, 1]."""
        return self.decode(self.quantize.f_hat(tokens)).clamp_(-1, 1)
