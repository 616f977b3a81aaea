"""Small models for tests: the golden fixture, and random ones."""

from pathlib import Path

import torch

from nextscale_train import Tokenizer, TokenizerSizes, Transformer, TransformerSizes, read_checkpoint

FIXTURE = Path(__file__).parents[2] / "fixtures" / "var-d2-256"
SCALES = (1, 2, 3, 4)


def golden_models() -> tuple[Tokenizer, Transformer]:
    transformer = Transformer.from_state_dict(read_checkpoint(FIXTURE / "var.pth", "transformer"))
    tokenizer = Tokenizer.from_state_dict(read_checkpoint(FIXTURE / "vae.pth", "tokenizer"), transformer.sizes.scales)
    return tokenizer, transformer


def small_tokenizer() -> Tokenizer:
    """8 px: 4 x 4 codes of 8 channels, one halving."""
    torch.manual_seed(0)
    sizes = TokenizerSizes(vocabulary=24, code_channels=8, width=32, multipliers=(1, 2), blocks=1, scales=SCALES)
    return Tokenizer(sizes).eval()


def small_transformer(*, shared_adaln: bool) -> Transformer:
    """Depth 2; every parameter is drawn so large that a forgotten one shows."""
    generator = torch.Generator().manual_seed(1)
    sizes = TransformerSizes(
        depth=2,
        width=16,
        heads=2,
        ffn_width=48,
        classes=3,
        vocabulary=24,
        code_channels=8,
        scales=SCALES,
        shared_adaln=shared_adaln,
    )
    transformer = Transformer(sizes).eval()
    with torch.no_grad():
        for parameter in transformer.parameters():
            parameter.normal_(std=0.5, generator=generator)
        transformer.get_parameter("blocks.0.attn.scale_mul_1H11")[0, 0] = 6  # above ln 100: the cap acts
    return transformer
