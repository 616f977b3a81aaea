"""AdamW, the course of its rate, and the average of the weights."""

import copy
import math

import torch
from torch import Tensor, nn

from nextscale_train.config import OptimiserSection
from nextscale_train.training.processes import Processes


def rate_at(step: int, section: OptimiserSection) -> float:
    """Learning rate of a step, counted from 0: rises over `warmup` steps, then falls as a cosine to `final` of the full one."""
    if step < section.warmup:
        return section.learning_rate * (step + 1) / section.warmup
    length = max(1, section.steps - section.warmup)
    place = min(1.0, (step - section.warmup) / length)
    return section.learning_rate * (section.final + (1 - section.final) * 0.5 * (1 + math.cos(math.pi * place)))


def parameter_groups(module: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Matrices and kernels decay; biases, norms, embeddings, positions, and AdaLN offsets do not."""
    embeddings = {id(each.weight) for each in module.modules() if isinstance(each, nn.Embedding)}

    def decays(name: str, parameter: nn.Parameter) -> bool:
        return name.endswith("weight") and parameter.ndim > 1 and id(parameter) not in embeddings

    named = [(name, parameter) for name, parameter in module.named_parameters() if parameter.requires_grad]
    return [
        {"params": [p for name, p in named if decays(name, p)], "weight_decay": weight_decay},
        {"params": [p for name, p in named if not decays(name, p)], "weight_decay": 0.0},
    ]


class Optimisation:
    """Steps of AdamW on a module, with clipped gradients that are averaged over all processes."""

    def __init__(self, module: nn.Module, section: OptimiserSection, processes: Processes) -> None:
        self._section = section
        self._processes = processes
        self._parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
        groups = parameter_groups(module, section.weight_decay)
        self._changed_in: int | None = None
        self._adamw = torch.optim.AdamW(groups, lr=section.learning_rate, betas=(0.9, 0.95))

    def has_changed_in(self, step: int) -> bool:
        """Whether this step has reached the weights."""
        return self._changed_in == step

    @property
    def rate(self) -> float:
        """Learning rate of the last step."""
        return float(self._adamw.param_groups[0]["lr"])

    def apply(self, loss: Tensor, step: int) -> Tensor:
        """One step down the gradient of `loss`; returns the gradient's norm before it was clipped."""
        for group in self._adamw.param_groups:
            group["lr"] = rate_at(step, self._section)
        self._adamw.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._processes.average_gradients(self._parameters)
        norm = nn.utils.clip_grad_norm_(self._parameters, self._section.clip)
        self._changed_in = step
        self._adamw.step()
        return norm

    def state(self) -> dict[str, object]:
        return self._adamw.state_dict()

    def load(self, state: dict[str, object]) -> None:
        self._adamw.load_state_dict(state)


class Average:
    """Exponential moving average of a module's weights, as a module of its own. Early on it averages over fewer steps."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.module = copy.deepcopy(module).eval().requires_grad_(False)
        self._decay = decay

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        """Takes up the weights after a step, counted from 0."""
        decay = min(self._decay, (1 + step) / (10 + step))
        for average, value in zip(self.module.parameters(), module.parameters(), strict=True):
            average.lerp_(value, 1 - decay)
        for kept, current in zip(self.module.buffers(), module.buffers(), strict=True):
            kept.copy_(current)
