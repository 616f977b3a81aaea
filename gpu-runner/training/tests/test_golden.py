"""The package against outputs of the reference implementation (see the fixture's README)."""

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from nextscale_train import Knobs, ScaleReport, Tokenizer, Transformer, sample
from nextscale_train.sampling import to_images
from tests.models import FIXTURE, golden_models


class Golden:
    def __init__(self) -> None:
        self.tokenizer, self.transformer = golden_models()
        self.expected = load_file(FIXTURE / "expected.safetensors")
        self.logits: list[Tensor] = []
        self.f_hats: list[Tensor] = []
        self.sample = sample(
            self.tokenizer,
            self.transformer,
            torch.tensor([1, 4]),
            Knobs(cfg=3, greedy=True),
            on_scale=self.keep,
        )

    def keep(self, report: ScaleReport) -> None:
        self.logits.append(report.logits)
        self.f_hats.append(report.f_hat.clone())


@pytest.fixture(scope="module")
def golden() -> Golden:
    return Golden()


def largest_difference(a: Tensor, b: Tensor) -> float:
    assert a.shape == b.shape
    return float((a - b).abs().max())


def test_greedy_tokens_are_the_references(golden: Golden) -> None:
    assert torch.equal(torch.cat(golden.sample.tokens, dim=1).int(), golden.expected["tokens"])


def test_guided_logits_are_within_a_thousandth(golden: Golden) -> None:
    assert largest_difference(torch.cat(golden.logits, dim=1), golden.expected["logits"]) < 1e-3


def test_running_sums_are_the_references_after_every_scale(golden: Golden) -> None:
    assert largest_difference(torch.stack(golden.f_hats), golden.expected["f_hat_per_scale"]) < 1e-4


def test_images_are_within_one_step_of_255(golden: Golden) -> None:
    assert largest_difference(to_images(golden.tokenizer, golden.sample.f_hat), golden.expected["image"]) < 1 / 255


def test_top_k_of_one_is_greedy(golden: Golden) -> None:
    drawn = sample(golden.tokenizer, golden.transformer, torch.tensor([1, 4]), Knobs(cfg=3, top_k=1))
    assert torch.equal(torch.cat(drawn.tokens, dim=1).int(), golden.expected["tokens"])


def test_a_picture_is_encoded_to_the_references_tokens(golden: Golden) -> None:
    encoding = load_file(FIXTURE / "encoding.safetensors")
    images = encoding["input_image_u8"][None].float() / 127.5 - 1
    assert torch.equal(torch.cat(golden.tokenizer.encode(images), dim=1).int(), encoding["encoded_tokens"])


def test_tokens_decode_to_the_image(golden: Golden) -> None:
    images = golden.tokenizer.decode_tokens(golden.sample.tokens)
    assert largest_difference((images + 1) / 2, golden.expected["image"]) < 1 / 255


def test_teacher_forcing_gives_the_references_logits(golden: Golden) -> None:
    inputs = golden.tokenizer.quantize.teacher_input(golden.sample.tokens)
    with torch.no_grad():
        conditional = golden.transformer(torch.tensor([1, 4]), inputs)
        unconditional = golden.transformer(torch.full((2,), golden.transformer.sizes.classes), inputs)
    strength = 3 * golden.transformer.lvl_1L[..., None] / 9
    guided = (1 + strength) * conditional - strength * unconditional
    assert largest_difference(guided, golden.expected["logits"]) < 1e-3


def test_published_names_are_all_there_is(golden: Golden) -> None:
    tokenizer, transformer = Tokenizer(golden.tokenizer.sizes), Transformer(golden.transformer.sizes)
    tokenizer.load_state_dict(torch.load(FIXTURE / "vae.pth", weights_only=True))
    transformer.load_state_dict(torch.load(FIXTURE / "var.pth", weights_only=True))
    for name, value in torch.load(FIXTURE / "var.pth", weights_only=True).items():
        assert torch.equal(transformer.state_dict()[name], value), name
