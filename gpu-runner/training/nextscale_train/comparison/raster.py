"""The transformer of VAR used token by token: raster order, causal attention, keys and values kept.

An image is the final map alone, n_K x n_K tokens (256 for a 256 px image, as many as raster tokenizers of that grid have): the
coarser scales cost it nothing. AdaLN parameters are computed once an image, and the cache is allocated once: no work that a good
implementation would save is counted against it.
"""

import torch
from torch import Generator, Tensor, nn

from nextscale_train.blocks import Block, HeadNorm, LayerCache
from nextscale_train.sampling import Knobs, draw
from nextscale_train.sizes import TransformerSizes
from nextscale_train.transformer import SharedAdaLin


class AllocatedCache(LayerCache):
    """Keys and values of up to `length` tokens, in memory that is taken once."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self._length = length
        self._filled = 0

    def append(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        if self.keys is None or self.values is None:
            B, heads, _, width = keys.shape
            # Under autocast keys come in fp32, and would be converted again at every token.
            self.keys, self.values = (values.new_empty(B, heads, self._length, width) for _ in range(2))
        end = self._filled + keys.shape[2]
        self.keys[:, :, self._filled : end] = keys
        self.values[:, :, self._filled : end] = values
        self._filled = end
        return self.keys[:, :, :end], self.values[:, :, :end]


class RasterTransformer(nn.Module):
    """Width, depth, heads, feed-forward network, AdaLN and head of a VAR transformer with shared AdaLN."""

    def __init__(self, sizes: TransformerSizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.length = sizes.scales[-1] ** 2
        C = sizes.width
        self.word_embed = nn.Linear(sizes.code_channels, C)
        self.class_emb = nn.Embedding(sizes.classes + 1, C)
        self.positions = nn.Parameter(torch.randn(1, self.length, C) * 0.02)
        self.shared_ada_lin = nn.Sequential(nn.SiLU(), SharedAdaLin(C, 6 * C))
        self.blocks = nn.ModuleList(Block(C, sizes.heads, sizes.ffn_width, shared_adaln=True) for _ in range(sizes.depth))
        self.head_nm = HeadNorm(C)
        self.head = nn.Linear(C, sizes.vocabulary)

    def forward(self, labels: Tensor, codes: Tensor) -> Tensor:
        """All tokens at once under a causal mask.

        Args:
            labels: B int64.
            codes: those of all tokens but the last, B n_K^2 - 1 Z.

        Returns:
            Logits, B n_K^2 V.
        """
        condition = self.class_emb(labels)
        x = torch.cat((condition.unsqueeze(1), self.word_embed(codes)), dim=1) + self.positions
        mask = torch.full((self.length, self.length), -torch.inf, device=x.device).triu(1)[None, None]
        return self._run(x, condition, self.shared_ada_lin(condition), mask, None)

    @torch.no_grad()
    def sample(self, codebook: Tensor, labels: Tensor, knobs: Knobs, generator: Generator | None = None) -> Tensor:
        """One pass a token, with guidance as in VAR's last scale.

        Args:
            codebook: V Z.
            labels: B int64.
            knobs: guidance and truncation.
            generator: where chance comes from.

        Returns:
            Codes of the final map, B n_K^2 Z.
        """
        B = len(labels)
        condition = self.class_emb(torch.cat((labels, torch.full_like(labels, self.sizes.classes))))  # 2B C
        adaln = self.shared_ada_lin(condition)
        caches = [AllocatedCache(self.length) for _ in self.blocks]
        codes = codebook.new_empty(B, self.length, codebook.shape[1])
        x = condition.unsqueeze(1)
        for place in range(self.length):
            both = self._run(x + self.positions[:, place : place + 1], condition, adaln, None, caches)
            logits = (1 + knobs.cfg) * both[:B] - knobs.cfg * both[B:]
            codes[:, place] = codebook[draw(logits, knobs, generator)[:, 0]]
            x = self.word_embed(codes[:, place : place + 1]).repeat(2, 1, 1)
        return codes

    def _run(
        self, x: Tensor, condition: Tensor, adaln: Tensor, bias: Tensor | None, caches: list[AllocatedCache] | None
    ) -> Tensor:
        for index, block in enumerate(self.blocks):
            x = block(x, adaln, bias, None if caches is None else caches[index])
        logits: Tensor = self.head(self.head_nm(x.float(), condition)).float()
        return logits
