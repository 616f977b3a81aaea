"""Stage 1: the multi-scale tokenizer learns to give pictures back."""

import dataclasses
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nextscale_train.checkpoint import read_checkpoint
from nextscale_train.config import Config
from nextscale_train.data import Pictures
from nextscale_train.data.readers import reading
from nextscale_train.errors import CommandError
from nextscale_train.tokenizer import Tokenizer
from nextscale_train.training.adversary import Adversary
from nextscale_train.training.codebook import begin_from_data, count_hits, dead_codes, note_hits, perplexity, revive
from nextscale_train.training.loading import Chosen, to_model
from nextscale_train.training.log import Measures
from nextscale_train.training.losses import perceptual_loss, pixel_loss
from nextscale_train.training.optimise import Optimisation
from nextscale_train.training.order import Order, seeded
from nextscale_train.training.processes import Processes
from nextscale_train.training.state import State
from nextscale_train.training.task import Task

SHOWN = 32
MEASURED = 256
MEASURING_BATCH = 32
REVIVING_SHARE = 0.8
"""Share of the steps after which codes are left to settle."""


class TokenizerTask(Task[list[Tensor]]):
    """Reconstruction, codebook and commitment, perceptual and, where wanted, adversarial loss."""

    stage = "tokenizer"

    def __init__(self, config: Config, pictures: Pictures, held_out: Pictures | None, processes: Processes) -> None:
        self.section = config.tokenizer_training
        self.module = start_tokenizer(config).to(processes.device)
        self._training = config.tokenizer_training
        self._config = config
        self._pictures = pictures
        self._shown = held_out if held_out is not None else pictures
        self._held_out = held_out
        self._processes = processes
        self._optimisation = Optimisation(self.module, self.section, processes)
        has_adversary = self._training.adversarial > 0
        self._adversary = Adversary(self._training, pictures.resolution, processes) if has_adversary else None

    def batches(self, step: int) -> AbstractContextManager[Iterator[list[Tensor]]]:
        order = Order(len(self._pictures), self.section.batch, self._config.run.seed)
        shares = (self._processes.share(batch) for batch in order.after(step))
        is_gpu = self._processes.device.type == "cuda"
        return reading(Chosen(self._pictures), shares, self._config.run.workers, pin_memory=is_gpu)

    def update(self, batch: list[Tensor], step: int) -> Measures:
        tokenizer = cast(Tokenizer, self.module).train()
        images = to_model(batch[0], self._processes.device)
        with self._processes.autocast(self._config.run):
            features = tokenizer.features(images)
        features = features.float()
        if step == 0 and self._training.init is None:
            begin_from_data(tokenizer.quantize, features, self._chance("codebook", step))
            self._processes.from_first_(tokenizer.quantize.embedding.weight.data)
        quantized = tokenizer.quantize(features, self._training.commitment)
        with self._processes.autocast(self._config.run):
            made = tokenizer.decode(quantized.f_hat)
        made = made.float()
        pixels, perceived = pixel_loss(made, images), perceptual_loss(made, images)
        loss = pixels + self._training.perceptual * perceived
        measures: dict[str, Tensor | float] = {"pixels": pixels.detach(), "perceptual": perceived.detach()}
        adversary = self._adversary if self._adversary is not None and self._adversary.acts_at(step) else None
        if adversary is not None:
            loss = loss + adversary.loss(made, loss, tokenizer.decoder.conv_out.weight)
        # What needs the other processes comes before what changes this one: if one is lost, the last step can be kept.
        hits = count_hits(tokenizer.quantize, quantized.tokens, self._processes)
        norm = self._optimisation.apply(loss + quantized.loss, step)
        if adversary is not None:
            measures["discriminator"] = adversary.learn(made, images, step)
        measures |= {"codes": quantized.loss.detach(), "gradient norm": norm, "rate": self._optimisation.rate}
        measures["psnr"] = psnr(made.detach(), images)
        return {**measures, **self._tend_codes(hits, features.detach(), step)}

    def _tend_codes(self, hits: Tensor, features: Tensor, step: int) -> Measures:
        """Notes how the codes are used, S V, and revives dead ones where it is time to."""
        quantizer, every = cast(Tokenizer, self.module).quantize, self._training.revive
        note_hits(quantizer, hits)
        is_time = every > 0 and (step + 1) % every == 0 and step < REVIVING_SHARE * self.section.steps
        revived = revive(quantizer, features, self._chance("revival", step), self._processes) if is_time else 0
        used = quantizer.ema_vocab_hit_SV.sum(0)
        alive = 1 - len(dead_codes(quantizer)) / len(used)
        return {"codes in use": alive, "perplexity": perplexity(used), **({"revived": float(revived)} if is_time else {})}

    def has_changed_in(self, step: int) -> bool:
        return self._optimisation.has_changed_in(step)

    @torch.no_grad()
    def measure(self, average: nn.Module) -> Measures:
        if self._held_out is None:
            return {}
        count, total = min(MEASURED, len(self._held_out)), 0.0
        for start in range(0, count, MEASURING_BATCH):
            images = self._pick(self._held_out, start, min(start + MEASURING_BATCH, count))
            total += float(psnr(self._rebuild(average, images), images)) * len(images)
        return {"held-out psnr": total / count}

    @torch.no_grad()
    def show(self, average: nn.Module) -> Tensor:
        images = self._pick(self._shown, 0, min(SHOWN, len(self._shown)))
        rebuilt = self._rebuild(average, images)
        pairs = torch.stack((images, rebuilt), dim=1).flatten(0, 1)
        return pairs.add(1).mul(0.5)

    def _pick(self, pictures: Pictures, start: int, end: int) -> Tensor:
        images = torch.stack([pictures.view(index, 0)[0] for index in range(start, end)])
        return to_model(images, self._processes.device)

    def _rebuild(self, average: nn.Module, images: Tensor) -> Tensor:
        tokenizer = cast(Tokenizer, average)
        return tokenizer.decode_tokens(tokenizer.encode(images))

    def _chance(self, what: str, step: int) -> torch.Generator:
        return seeded(self._config.run.seed, what, step)

    def state(self) -> State:
        adversary = {} if self._adversary is None else {"adversary": self._adversary.state()}
        return {"optimiser": self._optimisation.state(), **adversary}

    def load(self, state: State) -> None:
        self._optimisation.load(state["optimiser"])
        if self._adversary is not None and "adversary" in state:
            self._adversary.load(state["adversary"])


def psnr(made: Tensor, original: Tensor) -> Tensor:
    """Mean over the pictures, B 3 H W in [-1, 1], in dB."""
    errors = F.mse_loss(made.clamp(-1, 1), original, reduction="none").mean(dim=(1, 2, 3))
    return (-10 * torch.log10(errors.clamp_min(1e-10) / 4)).mean()


def start_tokenizer(config: Config) -> Tokenizer:
    """A tokenizer to train: drawn from the seed, or `init`.

    Raises:
        CommandError: the sizes of `init` are not the configured ones.
        CheckpointError: `init` is no tokenizer.
    """
    sizes, path = config.tokenizer.sizes(), config.tokenizer_training.init
    if path is None:
        with torch.random.fork_rng():
            torch.manual_seed(config.run.seed)
            return Tokenizer(sizes)
    try:
        loaded = Tokenizer.from_state_dict(read_checkpoint(path, "tokenizer"), sizes.scales)
    except OSError as error:
        raise CommandError(f"tokenizer_training.init: {path} cannot be read ({error.strerror}).") from error
    for field, value in dataclasses.asdict(loaded.sizes).items():
        if value != getattr(sizes, field):
            raise CommandError(
                f"tokenizer_training.init has {field} {value}, but the configuration says {getattr(sizes, field)}."
            )
    return loaded.requires_grad_(True)
