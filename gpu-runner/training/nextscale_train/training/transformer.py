"""Stage 2: the transformer learns the tokens of every scale from those of the coarser ones."""

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nextscale_train.checkpoint import read_checkpoint
from nextscale_train.config import Config
from nextscale_train.errors import CommandError
from nextscale_train.sampling import Knobs, generate
from nextscale_train.sizes import TransformerSizes
from nextscale_train.tokenizer import Tokenizer
from nextscale_train.training.log import Measures
from nextscale_train.training.optimise import Optimisation
from nextscale_train.training.order import Order, seeded
from nextscale_train.training.processes import Processes
from nextscale_train.training.state import State
from nextscale_train.training.task import Task
from nextscale_train.training.tokens import TokenCache
from nextscale_train.transformer import Transformer

SHOWN = 64
MEASURED = 512
MEASURING_BATCH = 64


class TransformerTask(Task[list[tuple[int, int]]]):
    """Teacher forcing on cached tokens; labels are dropped now and then, for guidance."""

    stage = "transformer"

    def __init__(
        self, config: Config, tokenizer: Tokenizer, tokens: TokenCache, held_out: TokenCache | None, classes: tuple[str, ...],
        processes: Processes,
    ) -> None:  # fmt: skip
        self.section = config.transformer_training
        self.classes = classes
        self.module = start_transformer(config, len(classes)).to(processes.device)
        self._config = config
        self._dropout = config.transformer_training.label_dropout
        self._tokenizer = tokenizer.to(processes.device)
        self._tokens = tokens
        self._held_out = held_out
        self._processes = processes
        self._optimisation = Optimisation(self.module, self.section, processes)

    def batches(self, step: int) -> AbstractContextManager[Iterator[list[tuple[int, int]]]]:
        order = Order(len(self._tokens.labels), self.section.batch, self._config.run.seed)
        return nullcontext(order.after(step))

    def update(self, batch: list[tuple[int, int]], step: int) -> Measures:
        transformer = cast(Transformer, self.module).train()
        rows = self._processes.share([row for row, _ in batch])
        labels = drop_labels(
            self._tokens.labels[list(rows)],
            transformer.sizes.classes,
            self._dropout,
            seeded(self._config.run.seed, "label dropout", step, self._processes.rank),
        )
        with self._processes.autocast(self._config.run):
            loss = TeacherForcing.of(transformer, self._tokenizer, self._tokens, rows, labels)
        norm = self._optimisation.apply(loss.mean, step)
        return {**loss.measures(), "gradient norm": norm, "rate": self._optimisation.rate}

    def has_changed_in(self, step: int) -> bool:
        return self._optimisation.has_changed_in(step)

    @torch.no_grad()
    def measure(self, average: nn.Module) -> Measures:
        if self._held_out is None:
            return {}
        return {f"held-out {name}": value for name, value in self.held_out_loss(cast(Transformer, average), MEASURED).items()}

    @torch.no_grad()
    def held_out_loss(self, transformer: Transformer, pictures: int) -> dict[str, float]:
        """Loss and accuracy over at most that many held-out pictures, their labels kept."""
        assert self._held_out is not None
        count = min(pictures, len(self._held_out.labels))
        totals: dict[str, float] = {}
        for start in range(0, count, MEASURING_BATCH):
            rows = range(start, min(start + MEASURING_BATCH, count))
            labels = self._held_out.labels[list(rows)]
            with self._processes.autocast(self._config.run):
                loss = TeacherForcing.of(transformer, self._tokenizer, self._held_out, rows, labels)
            for name, value in loss.measures().items():
                totals[name] = totals.get(name, 0.0) + float(value) * len(rows) / count
        return totals

    @torch.no_grad()
    def show(self, average: nn.Module) -> Tensor:
        labels = torch.arange(SHOWN, device=self._processes.device) % cast(Transformer, average).sizes.classes
        sampling = self._config.sampling
        knobs = Knobs(sampling.cfg, sampling.top_k, sampling.top_p)
        generator = torch.Generator(self._processes.device).manual_seed(self._config.run.seed)
        return generate(self._tokenizer, cast(Transformer, average), labels, knobs, generator=generator)

    def state(self) -> State:
        return self._optimisation.state()

    def load(self, state: State) -> None:
        self._optimisation.load(state)


@dataclasses.dataclass(frozen=True)
class TeacherForcing:
    """Cross-entropy of every token, B L, and whether the likeliest token was the right one."""

    losses: Tensor
    hits: Tensor
    last: int
    """How many of the L tokens are of the last scale."""

    @classmethod
    def of(
        cls, transformer: Transformer, tokenizer: Tokenizer, cache: TokenCache, rows: Sequence[int], labels: Tensor
    ) -> "TeacherForcing":
        """Loss of some rows of the cache under these labels."""
        device, scales = transformer.pos_1LC.device, transformer.sizes.scales
        maps = cache.maps(rows, scales, device)
        with torch.no_grad(), torch.autocast(device.type, enabled=False):
            inputs = tokenizer.quantize.teacher_input(maps)
        logits = transformer(labels.to(device), inputs)
        targets = torch.cat(maps, dim=1)
        losses = F.cross_entropy(logits.transpose(1, 2), targets, reduction="none")
        return cls(losses, logits.detach().argmax(-1) == targets, scales[-1] ** 2)

    @property
    def mean(self) -> Tensor:
        """Every token counts the same, as in the reference."""
        return self.losses.mean()

    def measures(self) -> dict[str, Tensor]:
        losses, hits = self.losses.detach(), self.hits.float()
        return {
            "loss": losses.mean(),
            "loss of last scale": losses[:, -self.last :].mean(),
            "accuracy": hits.mean(),
            "accuracy of last scale": hits[:, -self.last :].mean(),
        }


def drop_labels(labels: Tensor, unconditional: int, share: float, generator: torch.Generator) -> Tensor:
    """Labels, B, of which that share becomes the unconditional class."""
    dropped = torch.rand(len(labels), generator=generator) < share
    return torch.where(dropped, unconditional, labels)


def start_transformer(config: Config, classes: int) -> Transformer:
    """A transformer to train: drawn from the seed, or `init`, whose class embeddings are drawn anew for other classes.

    Raises:
        CommandError: the sizes of `init` are not the configured ones.
        CheckpointError: `init` is no transformer.
    """
    sizes = config.transformer.sizes(config.tokenizer.sizes(), classes)
    transformer = Transformer(sizes)
    transformer.initialize(seeded(config.run.seed, "transformer"))
    path = config.transformer_training.init
    if path is None:
        return transformer
    try:
        loaded = Transformer.from_state_dict(read_checkpoint(path, "transformer"), sizes.scales)
    except OSError as error:
        raise CommandError(f"transformer_training.init: {path} cannot be read ({error.strerror}).") from error
    check_sizes(loaded.sizes, sizes)
    state = loaded.state_dict()
    if loaded.sizes.classes != classes:
        embedding = transformer.class_emb.weight.detach().clone()
        embedding[-1] = state["class_emb.weight"][-1]
        state["class_emb.weight"] = embedding
    transformer.load_state_dict(state)
    return transformer


def check_sizes(found: TransformerSizes, wanted: TransformerSizes) -> None:
    for field, value in dataclasses.asdict(dataclasses.replace(found, classes=wanted.classes)).items():
        expected = getattr(wanted, field)
        if value != expected:
            raise CommandError(f"transformer_training.init has {field} {value}, but the configuration makes it {expected}.")
