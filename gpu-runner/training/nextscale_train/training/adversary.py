"""The optional PatchGAN term: Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", 2017, with the
adaptive weight of Esser et al., "Taming Transformers for High-Resolution Image Synthesis", 2021.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nextscale_train.config import TokenizerTrainingSection
from nextscale_train.training.optimise import Optimisation
from nextscale_train.training.processes import Processes
from nextscale_train.training.state import State

WIDTH = 64
GROUPS = 8
LARGEST_WEIGHT = 1e4


def patch_gan(resolution: int) -> nn.Sequential:
    """Scores of overlapping patches: B 3 H W -> B 1 h w. Three halvings, fewer for small pictures."""
    halvings = max(1, min(3, resolution.bit_length() - 4))
    layers: list[nn.Module] = [nn.Conv2d(3, WIDTH, 4, 2, 1), nn.LeakyReLU(0.2)]
    channels = WIDTH
    for _ in range(halvings - 1):
        layers += [nn.Conv2d(channels, 2 * channels, 4, 2, 1), nn.GroupNorm(GROUPS, 2 * channels), nn.LeakyReLU(0.2)]
        channels *= 2
    layers += [nn.Conv2d(channels, channels, 3, 1, 1), nn.GroupNorm(GROUPS, channels), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Conv2d(channels, 1, 3, 1, 1))


class Adversary:
    """The discriminator and its own optimiser."""

    def __init__(self, section: TokenizerTrainingSection, resolution: int, processes: Processes) -> None:
        self._section = section
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.discriminator = patch_gan(resolution).to(processes.device)
        self._optimisation = Optimisation(self.discriminator, section, processes)

    def acts_at(self, step: int) -> bool:
        return step >= self._section.adversarial_start

    def loss(self, made: Tensor, other: Tensor, last_layer: Tensor) -> Tensor:
        """What the decoder is told, as large as the other loss is for its last layer."""
        self.discriminator.requires_grad_(False)
        fooled: Tensor = -self.discriminator(made).float().mean()
        self.discriminator.requires_grad_(True)
        (from_other,) = torch.autograd.grad(other, last_layer, retain_graph=True)
        (from_this,) = torch.autograd.grad(fooled, last_layer, retain_graph=True)
        weight = (torch.linalg.vector_norm(from_other) / (torch.linalg.vector_norm(from_this) + 1e-4)).clamp(0, LARGEST_WEIGHT)
        loss: Tensor = fooled * weight * self._section.adversarial
        return loss

    def learn(self, made: Tensor, original: Tensor, step: int) -> Tensor:
        """One step of the discriminator, by the hinge loss; returns that."""
        real, fake = self.discriminator(original).float(), self.discriminator(made.detach()).float()
        loss = 0.5 * (F.relu(1 - real).mean() + F.relu(1 + fake).mean())
        self._optimisation.apply(loss, step)
        return loss.detach()

    def state(self) -> State:
        return {"discriminator": self.discriminator.state_dict(), "optimiser": self._optimisation.state()}

    def load(self, state: State) -> None:
        self.discriminator.load_state_dict(state["discriminator"])
        self._optimisation.load(state["optimiser"])
