"""The VAR transformer: given all coarser scales of an image, logits for every token of the next one."""

import math
from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn

from nextscale_train.blocks import Block, HeadNorm, LayerCache
from nextscale_train.checkpoint import StateDict, adopt
from nextscale_train.sizes import TransformerSizes, transformer_sizes

__all__ = ["Transformer", "TransformerSizes"]


class SharedAdaLin(nn.Linear):
    """Class embeddings, B C -> AdaLN parameters that all blocks share, B 1 6 C."""

    def forward(self, condition: Tensor) -> Tensor:
        return super().forward(condition).view(len(condition), 1, 6, -1)


class Transformer(nn.Module):
    """Parameter names are those of the published checkpoints: `load_state_dict` takes their files."""

    lvl_1L: Tensor
    attn_bias_for_masking: Tensor

    def __init__(self, sizes: TransformerSizes) -> None:
        super().__init__()
        self.sizes = sizes
        C, L = sizes.width, sizes.tokens
        self.word_embed = nn.Linear(sizes.code_channels, C)
        self.class_emb = nn.Embedding(sizes.classes + 1, C)
        self.pos_start = nn.Parameter(torch.zeros(1, sizes.scales[0] ** 2, C))
        self.pos_1LC = nn.Parameter(torch.zeros(1, L, C))
        self.lvl_embed = nn.Embedding(len(sizes.scales), C)
        shared = nn.Sequential(nn.SiLU(), SharedAdaLin(C, 6 * C))
        self.shared_ada_lin = shared if sizes.shared_adaln else nn.Identity()
        self.blocks = nn.ModuleList(
            Block(C, sizes.heads, sizes.ffn_width, shared_adaln=sizes.shared_adaln) for _ in range(sizes.depth)
        )
        self.head_nm = HeadNorm(C)
        self.head = nn.Linear(C, sizes.vocabulary)
        for name, value in _buffers(sizes).items():
            self.register_buffer(name, value)

    @classmethod
    def from_state_dict(cls, state: StateDict, scales: Sequence[int] | None = None) -> "Transformer":
        """A transformer in eval mode whose sizes are the tensors'; floats become fp32, fp32 tensors are shared.

        Args:
            state: a state dict with the published parameter names; buffers may be missing.
            scales: sides of the token maps; may be left out for published models and wherever `lvl_1L` is in the file.

        Raises:
            CheckpointError: the state dict is not one of a transformer, or a tensor is missing or misshapen.
        """
        sizes = transformer_sizes(state, scales)
        with torch.device("meta"):
            transformer = cls(sizes)
        zeros = {f"blocks.{i}.attn.zero_k_bias": torch.zeros(sizes.width) for i in range(sizes.depth)}
        adopt(transformer, {**_buffers(sizes), **zeros, **state})
        return transformer.eval()

    @torch.no_grad()
    def initialize(self, generator: Generator | None = None) -> None:
        """Weights to train from, as the reference draws them: truncated normals, residual branches nearly closed."""
        std = math.sqrt(1 / self.sizes.width / 3)

        def draw(weight: Tensor) -> None:
            nn.init.trunc_normal_(weight, std=std, generator=generator)

        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Embedding)):
                draw(module.weight)
            if isinstance(module, nn.Linear) and module.bias is not None:
                module.bias.zero_()
        draw(self.pos_start)
        draw(self.pos_1LC)
        self.head.weight.mul_(0.02)
        self.head_nm.ada_lin.get_parameter("1.weight").mul_(0.5)
        for block in self.blocks:
            assert isinstance(block, Block)
            block.damp(self.sizes.depth, generator)

    def positions(self) -> Tensor:
        """Position plus level embedding, 1 L C."""
        out: Tensor = self.lvl_embed(self.lvl_1L) + self.pos_1LC
        return out

    def run_blocks(
        self, x: Tensor, condition: Tensor, *, bias: Tensor | None = None, caches: Sequence[LayerCache] | None = None
    ) -> Tensor:
        """x: B l C; condition: class embeddings, B C; bias: 1 1 l l; caches: one a block -> logits, B l V fp32."""
        adaln = self.shared_ada_lin(condition)
        for index, block in enumerate(self.blocks):
            x = block(x, adaln, bias, None if caches is None else caches[index])
        logits: Tensor = self.head(self.head_nm(x.float(), condition).float())
        return logits.float()

    def forward(self, labels: Tensor, inputs: Tensor) -> Tensor:
        """Teacher forcing: all scales at once under the block-causal mask.

        Args:
            labels: class indices, B int64; `sizes.classes` is the unconditional class.
            inputs: what scales 1, 2, ... are fed, B (L - n_0^2) Z: `ResidualQuantizer.teacher_input`.

        Returns:
            Logits, B L V fp32.
        """
        condition = self.class_emb(labels)
        x = torch.cat((condition.unsqueeze(1) + self.pos_start, self.word_embed(inputs)), dim=1) + self.positions()
        return self.run_blocks(x, condition, bias=self.attn_bias_for_masking)


def _buffers(sizes: TransformerSizes) -> dict[str, Tensor]:
    return {
        "lvl_1L": sizes.levels()[None],
        "attn_bias_for_masking": sizes.block_causal_bias()[None, None],
    }
