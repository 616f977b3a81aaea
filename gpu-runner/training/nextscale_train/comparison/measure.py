"""How long each method takes, all on one device in turn."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from nextscale_train.comparison.diffusion import denoise, guided, respace
from nextscale_train.comparison.dit import DiT
from nextscale_train.comparison.raster import RasterTransformer
from nextscale_train.sampling import Knobs, sample
from nextscale_train.sizes import SCALES_256, TransformerSizes
from nextscale_train.tokenizer import Tokenizer, TokenizerSizes
from nextscale_train.transformer import Transformer

CLASSES = 1000
KNOBS = Knobs(cfg=1.5, top_k=900, top_p=0.96)


@dataclass(frozen=True)
class Method:
    """A way from labels to the latent that the decoder takes, B Z H W."""

    name: str
    passes: int
    """Of the transformer, one after the other, for one picture."""
    make: Callable[[int], Tensor]
    """From a seed."""
    share: float = 1.0
    """Part of the passes that `make` does; the rest is reckoned."""


@dataclass(frozen=True)
class Timing:
    name: str
    passes: int
    generate_ms: float
    """Median of the rounds, for one picture of the batch."""
    decode_ms: float
    reckoned: bool

    @property
    def total_ms(self) -> float:
        return self.generate_ms + self.decode_ms


@dataclass(frozen=True)
class Setting:
    depth: int
    batch: int
    device: torch.device
    bf16: bool
    dit_steps: int
    dit_steps_measured: int


def build_methods(setting: Setting, tokenizer: Tokenizer) -> list[Method]:
    """All three with random weights, on which no time depends; VAR with AdaLN shared by its blocks, as the raster one."""
    sizes = TransformerSizes(
        depth=setting.depth,
        width=64 * setting.depth,
        heads=setting.depth,
        ffn_width=256 * setting.depth,
        classes=CLASSES,
        vocabulary=tokenizer.sizes.vocabulary,
        code_channels=tokenizer.sizes.code_channels,
        scales=SCALES_256,
        shared_adaln=True,
    )
    device, side, channels = setting.device, SCALES_256[-1], sizes.code_channels
    var = Transformer(sizes)
    var.initialize()
    var = var.to(device).eval()
    raster = RasterTransformer(sizes).to(device).eval()
    dit = (
        DiT(depth=sizes.depth, width=sizes.width, heads=sizes.heads, classes=CLASSES, channels=channels, side=side)
        .to(device)
        .eval()
    )
    labels = torch.arange(setting.batch, device=device) % CLASSES
    codebook, schedule = tokenizer.quantize.embedding.weight.detach(), respace(setting.dit_steps)

    def chance(seed: int) -> torch.Generator:
        return torch.Generator(device).manual_seed(seed)

    def by_scale(seed: int) -> Tensor:
        return sample(tokenizer, var, labels, KNOBS, generator=chance(seed)).f_hat

    def by_token(seed: int) -> Tensor:
        codes = raster.sample(codebook, labels, KNOBS, chance(seed))
        return codes.transpose(1, 2).reshape(len(labels), channels, side, side)

    def by_denoising(seed: int) -> Tensor:
        generator = chance(seed)
        noise = torch.empty(len(labels), channels, side, side, device=device).normal_(generator=generator)
        return denoise(guided(dit, labels, KNOBS.cfg), noise, schedule, generator, at_most=setting.dit_steps_measured)

    share = setting.dit_steps_measured / setting.dit_steps
    return [
        Method("next scale (VAR)", len(sizes.scales), by_scale),
        Method("next token (raster order)", raster.length, by_token),
        Method(f"denoising (DiT, {setting.dit_steps} steps)", setting.dit_steps, by_denoising, share),
    ]


@torch.no_grad()
def compare(setting: Setting, rounds: int, on_round: Callable[[], object]) -> list[Timing]:
    """One round of every method after the other, so that whatever else the machine does hits all; the first round warms up."""
    tokenizer = Tokenizer(TokenizerSizes()).to(setting.device).eval()
    methods = build_methods(setting, tokenizer)
    taken: dict[str, list[float]] = {method.name: [] for method in methods}
    decoding: list[float] = []
    for seed in range(rounds + 1):
        for method in methods:
            # One context a method: autocast keeps the weights' bf16 copies until it ends.
            with torch.autocast(setting.device.type, torch.bfloat16, enabled=setting.bf16):
                latent, milliseconds = timed(partial(method.make, seed), setting.device)
                _, decode_ms = timed(partial(tokenizer.decode, latent), setting.device)
            if seed > 0:
                taken[method.name].append(milliseconds / method.share / setting.batch)
                decoding.append(decode_ms / setting.batch)
            on_round()
    decode = statistics.median(decoding)
    return [Timing(each.name, each.passes, statistics.median(taken[each.name]), decode, each.share < 1) for each in methods]


def timed(work: Callable[[], Tensor], device: torch.device) -> tuple[Tensor, float]:
    """What it makes, and the milliseconds until the device has made it."""
    synchronise(device)
    started = time.perf_counter()
    made = work()
    synchronise(device)
    return made, (time.perf_counter() - started) * 1000


def synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def tell(timings: Sequence[Timing]) -> str:
    """A table of all methods, the first of which is what the others are measured by."""
    first = timings[0]
    lines = ["| method | passes | ms a picture | times as long | with decoder | times as long |", "|---|---|---|---|---|---|"]
    for each in timings:
        lines.append(
            f"| {each.name}{' *' if each.reckoned else ''} | {each.passes} | {each.generate_ms:.0f} "
            f"| {each.generate_ms / first.generate_ms:.1f} | {each.total_ms:.0f} | {each.total_ms / first.total_ms:.1f} |"
        )
    if any(each.reckoned for each in timings):
        lines.append("\n* reckoned from a part of its steps, which all cost the same")
    return "\n".join(lines)
