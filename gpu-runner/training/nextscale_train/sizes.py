"""Sizes of a transformer, stated or read from a state dict's shapes."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from nextscale_train.checkpoint import CheckpointError, StateDict, count, size

SCALES_256 = (1, 2, 3, 4, 5, 6, 8, 10, 13, 16)
SCALES_512 = (1, 2, 3, 4, 6, 9, 13, 18, 24, 32)


@dataclass(frozen=True)
class TransformerSizes:
    """Sizes of a VAR transformer; the published ones have width 64 x depth and as many heads as blocks."""

    depth: int
    width: int
    heads: int
    ffn_width: int
    classes: int
    """Classes without the unconditional one, whose index is this number."""
    vocabulary: int
    code_channels: int
    scales: tuple[int, ...] = SCALES_256
    """Sides n_k of the token maps, coarse to fine."""
    shared_adaln: bool = False
    """One AdaLN projection for all blocks and an offset per block (the published 512 px model)."""

    @property
    def tokens(self) -> int:
        """L, tokens of one image."""
        return sum(side * side for side in self.scales)

    def levels(self) -> torch.Tensor:
        """Scale of each token, L int64."""
        return torch.cat([torch.full((n * n,), k, dtype=torch.int64, device="cpu") for k, n in enumerate(self.scales)])

    def block_causal_bias(self) -> torch.Tensor:
        """Attention bias of teacher forcing, L L: 0 where the key's scale is the query's or an earlier one, else -inf."""
        levels = self.levels()
        return torch.zeros(self.tokens, self.tokens, device="cpu").masked_fill_(levels[:, None] < levels, -torch.inf)


def transformer_sizes(state: StateDict, scales: Sequence[int] | None = None) -> TransformerSizes:
    """Sizes from the shapes of a state dict.

    Args:
        state: a state dict with the published parameter names.
        scales: sides of the token maps; by default those of its buffer `lvl_1L`, or, where the file leaves the buffers
            out, the published ones with as many tokens.

    Raises:
        CheckpointError: a tensor is missing, or scales and tensors do not belong together.
    """
    depth = count(state, lambda i: f"blocks.{i}.attn.mat_qkv.weight")
    if depth == 0:
        raise CheckpointError("The state dict has no blocks.0.attn.mat_qkv.weight: it is not one of a VAR transformer.")
    sizes = TransformerSizes(
        depth=depth,
        width=size(state, "word_embed.weight", 0),
        heads=size(state, "blocks.0.attn.scale_mul_1H11", 1),
        ffn_width=size(state, "blocks.0.ffn.fc1.weight", 0),
        classes=size(state, "class_emb.weight", 0) - 1,
        vocabulary=size(state, "head.weight", 0),
        code_channels=size(state, "word_embed.weight", 1),
        scales=tuple(scales) if scales is not None else _scales(state),
        shared_adaln="shared_ada_lin.1.weight" in state,
    )
    found = size(state, "lvl_embed.weight", 0), size(state, "pos_1LC", 1)
    if (len(sizes.scales), sizes.tokens) != found:
        raise CheckpointError(f"The transformer has {found[0]} scales of {found[1]} tokens in all, not {sizes.scales}.")
    if sizes.width % sizes.heads != 0:
        raise CheckpointError(f"The transformer's width {sizes.width} is not divisible by its {sizes.heads} heads.")
    return sizes


def _scales(state: StateDict) -> tuple[int, ...]:
    if "lvl_1L" in state:
        return tuple(round(n**0.5) for n in state["lvl_1L"].flatten().bincount().tolist())
    found = size(state, "lvl_embed.weight", 0), size(state, "pos_1LC", 1)
    for scales in (SCALES_256, SCALES_512):
        if found == (len(scales), sum(n * n for n in scales)):
            return scales
    raise CheckpointError(f"The state dict does not say the sides of its {found[0]} scales: pass `scales`.")
