"""Sampling a diffusion model: DDPM (Ho et al., 2020) with learned variances and fewer steps (Nichol & Dhariwal, 2021)."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from nextscale_train.comparison.dit import DiT

TIMESTEPS = 1000

Predict = Callable[[Tensor, int], tuple[Tensor, Tensor]]
"""Noisy x, B ..., and its timestep -> noise, and the place of the log variance between its bounds, -1 to 1; both as x."""


@dataclass(frozen=True)
class Schedule:
    """The timesteps that are taken, rising, and the noise of the process they make."""

    timesteps: list[int]
    betas: Tensor
    """fp64, one a step."""
    alphas_cumprod: Tensor


def respace(steps: int) -> Schedule:
    """Evenly spaced ones of the 1000 linear steps from 1e-4 to 0.02; what is left has the same noise at each."""
    full = torch.cumprod(1 - torch.linspace(1e-4, 0.02, TIMESTEPS, dtype=torch.float64), dim=0)
    timesteps = [round(index * (TIMESTEPS - 1) / max(1, steps - 1)) for index in range(steps)]
    kept = full[timesteps]
    before = torch.cat((torch.ones(1, dtype=torch.float64), kept[:-1]))
    return Schedule(timesteps, 1 - kept / before, kept)


@torch.no_grad()
def denoise(predict: Predict, x: Tensor, schedule: Schedule, generator: Generator | None, at_most: int | None = None) -> Tensor:
    """Noise, B ..., to samples, from the last step to the first, or the first `at_most` of them."""
    for index in list(reversed(range(len(schedule.timesteps))))[:at_most]:
        kept = float(schedule.alphas_cumprod[index])
        kept_before = float(schedule.alphas_cumprod[index - 1]) if index > 0 else 1.0
        beta = float(schedule.betas[index])
        noise, place = predict(x, schedule.timesteps[index])
        start = (x - (1 - kept) ** 0.5 * noise) / kept**0.5
        mean: Tensor = (beta * kept_before**0.5 * start + (1 - kept_before) * (1 - beta) ** 0.5 * x) / (1 - kept)
        if index == 0:
            return mean
        smallest = torch.tensor(beta * (1 - kept_before) / (1 - kept)).log()
        largest = torch.tensor(beta).log()
        log_variance = smallest + (place + 1) / 2 * (largest - smallest)
        drawn = torch.empty_like(x).normal_(generator=generator)
        x = mean + (0.5 * log_variance).exp() * drawn
    return x


def guided(model: DiT, labels: Tensor, cfg: float) -> Predict:
    """A model's prediction with classifier-free guidance: two rows an image, as in the other methods."""
    both = torch.cat((labels, torch.full_like(labels, model.classes)))

    def predict(x: Tensor, timestep: int) -> tuple[Tensor, Tensor]:
        timesteps = torch.full((2 * len(x),), timestep, device=x.device)
        noise, place = model(x.repeat(2, 1, 1, 1), timesteps, both)
        conditional, unconditional = noise.chunk(2)
        return unconditional + (1 + cfg) * (conditional - unconditional), place[: len(x)]

    return predict
