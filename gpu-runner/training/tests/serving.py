"""For the tests that serve what is made here: `python -m tests.serving random FOLDER` and `… greedy VAE VAR --scales N …`."""

import argparse
import json
from pathlib import Path

import torch

from nextscale_train import Knobs, Tokenizer, TokenizerSizes, Transformer, TransformerSizes, generate, read_checkpoint, sample
from nextscale_train.sizes import SCALES_256

CLASSES = 7
CFG = 3.0


def write_random(folder: Path) -> None:
    """A pair of checkpoints as they are published, of random weights: the published scales, phi and resolution, but narrow."""
    torch.manual_seed(0)
    tokenizer = Tokenizer(TokenizerSizes(vocabulary=128, width=32, blocks=1))
    sizes = TransformerSizes(
        depth=3, width=96, heads=3, ffn_width=384, classes=CLASSES, vocabulary=128, code_channels=32, scales=SCALES_256
    )
    transformer = Transformer(sizes)
    transformer.initialize(torch.Generator().manual_seed(0))
    with torch.no_grad():
        transformer.head.weight.mul_(1_000)  # as sure of its tokens as a trained one: a draw must not hang on the last bits
    torch.save(tokenizer.state_dict(), folder / "vae.pth")
    torch.save(transformer.state_dict(), folder / "var.pth")


def print_greedy(vae: Path, var: Path, scales: list[int] | None, label: int) -> None:
    """The likeliest tokens of one class, all scales in a row, and the picture, 3 H W from 0 to 255, as JSON."""
    transformer = Transformer.from_state_dict(read_checkpoint(var, "transformer"), scales)
    tokenizer = Tokenizer.from_state_dict(read_checkpoint(vae, "tokenizer"), transformer.sizes.scales)
    knobs, labels = Knobs(cfg=CFG, greedy=True), torch.tensor([label])
    tokens = torch.cat(sample(tokenizer, transformer, labels, knobs).tokens, dim=1)
    pixels = generate(tokenizer, transformer, labels, knobs).mul(255).to(torch.uint8)
    print(json.dumps({"tokens": tokens.flatten().tolist(), "pixels": pixels.flatten().tolist()}))


def main() -> None:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    random = commands.add_parser("random")
    random.add_argument("folder", type=Path)
    greedy = commands.add_parser("greedy")
    greedy.add_argument("vae", type=Path)
    greedy.add_argument("var", type=Path)
    greedy.add_argument("--scales", type=int, nargs="+")
    greedy.add_argument("--label", type=int, required=True)
    options = parser.parse_args()
    if options.command == "random":
        write_random(options.folder)
    else:
        print_greedy(options.vae, options.var, options.scales, options.label)


if __name__ == "__main__":
    main()
