"""The judge of samples: a small network that learns the classes from real pictures."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn
from tqdm import tqdm

from nextscale_train.config import Config
from nextscale_train.data import Pictures
from nextscale_train.data.readers import reading
from nextscale_train.files import write_tensors
from nextscale_train.training.loading import Chosen, to_model
from nextscale_train.training.order import Order
from nextscale_train.training.processes import Processes

FEATURES = 128
BATCH = 64
RATE = 2e-3
GROUPS = 8
FINEST = 16
"""Side that pictures are halved to before the first residual block."""
FINGERPRINT = "fingerprint"
DESIGN = 1
"""Changes with the network, so that one trained before is not taken for it."""


class Residual(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norms = nn.ModuleList(nn.GroupNorm(GROUPS, outputs) for _ in range(2))
        self.skip = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        h = self.norms[1](self.second(F.silu(self.norms[0](self.first(x)))))
        out: Tensor = F.silu(h + self.skip(x))
        return out


class Classifier(nn.Module):
    """Pictures, B 3 H W in [-1, 1] -> features, B 128, and logits, B classes."""

    def __init__(self, classes: int, resolution: int) -> None:
        super().__init__()
        stem: list[nn.Module] = [nn.Conv2d(3, 32, 5, padding=2)]
        while resolution > FINEST:
            stem += [nn.SiLU(), nn.Conv2d(32, 32, 4, stride=2, padding=1)]
            resolution //= 2
        self.stem = nn.Sequential(*stem)
        self.body = nn.Sequential(
            Residual(32, 64), nn.AvgPool2d(2), Residual(64, FEATURES), nn.AvgPool2d(2), Residual(FEATURES, FEATURES)
        )
        self.head = nn.Linear(FEATURES, classes)

    def features(self, images: Tensor) -> Tensor:
        out: Tensor = self.body(self.stem(images)).mean(dim=(2, 3))
        return out

    def forward(self, images: Tensor) -> Tensor:
        out: Tensor = self.head(self.features(images))
        return out


@dataclass(frozen=True)
class Judgement:
    """Features, N 128, and the likeliest class of each picture, N int64; on the CPU."""

    features: Tensor
    classes: Tensor


@dataclass(frozen=True)
class Judge:
    """A trained classifier, where it computes."""

    classifier: Classifier
    device: torch.device

    @torch.no_grad()
    def __call__(self, batches: Iterable[Tensor]) -> Judgement:
        """Judges pictures, B 3 H W in [-1, 1] each."""
        features, classes = [], []
        for images in batches:
            of_batch = self.classifier.features(images.to(self.device))
            features.append(of_batch.float().cpu())
            classes.append(self.classifier.head(of_batch).argmax(dim=1).cpu())
        return Judgement(torch.cat(features), torch.cat(classes))


def prepare_judge(config: Config, pictures: Pictures, steps: int, path: Path, processes: Processes) -> Judge:
    """The classifier of these pictures: the one kept at `path` where that is of the same data, else one trained now."""
    about = [DESIGN, pictures.classes, pictures.resolution, config.data.identity, steps]
    fingerprint = hashlib.sha256(json.dumps(about).encode()).hexdigest()
    classifier = Classifier(len(pictures.classes), pictures.resolution).to(processes.device)
    try:
        with safe_open(path, framework="pt") as file:
            is_same = (file.metadata() or {}).get(FINGERPRINT) == fingerprint
    except (FileNotFoundError, SafetensorError):
        is_same = False
    if is_same:
        classifier.load_state_dict(load_file(path))
    else:
        classifier = train_classifier(config, pictures, steps, processes)
        write_tensors(path, classifier.state_dict(), {FINGERPRINT: fingerprint})
    return Judge(classifier.eval(), processes.device)


def train_classifier(config: Config, pictures: Pictures, steps: int, processes: Processes) -> Classifier:
    """Trains on all views of the pictures, from a seed."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        classifier = Classifier(len(pictures.classes), pictures.resolution).to(processes.device).train()
    order = Order(len(pictures), BATCH, seed=0)
    batches = [order.at(step) for step in range(steps)]
    optimiser = torch.optim.AdamW(classifier.parameters(), lr=RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    with reading(Chosen(pictures), batches, config.run.workers) as read:
        for images, labels in tqdm(read, desc="classifier", total=steps, unit="step", disable=None, dynamic_ncols=True):
            with processes.autocast(config.run):
                logits = classifier(to_model(images, processes.device))
            loss = F.cross_entropy(logits.float(), labels.to(processes.device), label_smoothing=0.05)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    return classifier
