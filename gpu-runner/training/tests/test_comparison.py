import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from nextscale_train import Knobs, TransformerSizes
from nextscale_train.cli import main
from nextscale_train.comparison.diffusion import denoise, guided, respace
from nextscale_train.comparison.dit import DiT, DiTBlock
from nextscale_train.comparison.measure import Timing, tell
from nextscale_train.comparison.raster import RasterTransformer
from nextscale_train.sampling import draw
from nextscale_train.training.order import seeded

SIZES = TransformerSizes(
    depth=2, width=16, heads=2, ffn_width=64, classes=3, vocabulary=24, code_channels=8, scales=(1, 2, 4), shared_adaln=True
)


def raster() -> tuple[RasterTransformer, Tensor]:
    """The model, every parameter drawn large, and a codebook."""
    transformer = RasterTransformer(SIZES).eval()
    with torch.no_grad():
        for index, parameter in enumerate(transformer.parameters()):
            parameter.normal_(std=0.5, generator=seeded(index))
    return transformer, torch.randn(24, 8, generator=seeded(99))


def test_token_by_token_is_one_causal_pass() -> None:
    transformer, codebook = raster()
    labels = torch.tensor([0, 2])
    codes = transformer.sample(codebook, labels, Knobs(cfg=0, greedy=True))
    assert codes.shape == (2, 16, 8)
    with torch.no_grad():
        logits = transformer(labels, codes[:, :-1])
    assert torch.equal(codebook[logits.argmax(-1)], codes)


def test_logits_of_drawn_tokens_are_those_of_one_causal_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    transformer, codebook = raster()
    labels, steps = torch.tensor([0, 2]), list[Tensor]()

    def record(logits: Tensor, knobs: Knobs, generator: torch.Generator | None) -> Tensor:
        steps.append(logits.clone())
        return draw(logits, knobs, generator)

    monkeypatch.setattr("nextscale_train.comparison.raster.draw", record)
    codes = transformer.sample(codebook, labels, Knobs(cfg=0, top_k=12, top_p=0.9), seeded(0))
    with torch.no_grad():
        assert torch.allclose(torch.cat(steps, dim=1), transformer(labels, codes[:, :-1]), atol=1e-4)


def test_guidance_pushes_away_from_the_unconditional_class() -> None:
    transformer, codebook = raster()
    label, none = torch.tensor([1]), torch.tensor([SIZES.classes])
    with torch.no_grad():
        first = [transformer(each, codebook[:15][None])[0, 0] for each in (label, none)]
    strong = transformer.sample(codebook, label, Knobs(cfg=3, greedy=True))[0, 0]
    assert torch.equal(strong, codebook[(4 * first[0] - 3 * first[1]).argmax()])


def test_a_block_of_the_dit_changes_nothing_at_first() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 5, 16)
    assert torch.equal(DiTBlock(16, 2)(x, torch.randn(2, 16)), x)


def small_dit() -> DiT:
    torch.manual_seed(0)
    dit = DiT(depth=2, width=16, heads=2, classes=3, channels=4, side=4)
    with torch.no_grad():
        for parameter in dit.parameters():
            parameter.normal_(std=0.2)
    return dit


def test_the_dit_tells_places_times_and_classes_apart() -> None:
    dit, x = small_dit(), torch.ones(1, 4, 4, 4)
    time, label = torch.tensor([10]), torch.tensor([1])
    noise, variance = dit(x, time, label)
    assert noise.shape == variance.shape == x.shape
    assert len(noise[0, 0].unique()) == 16
    for other in (dit(x, time + 500, label), dit(x, time, label + 1)):
        assert not torch.allclose(other[0], noise, atol=1e-4)


def test_fewer_steps_have_the_noise_of_those_that_are_kept() -> None:
    full, few = respace(1000), respace(250)
    assert (few.timesteps[0], few.timesteps[-1], len(few.timesteps)) == (0, 999, 250)
    assert torch.allclose(few.alphas_cumprod, full.alphas_cumprod[few.timesteps])
    assert torch.allclose(torch.cumprod(1 - few.betas, 0), few.alphas_cumprod)
    assert full.betas[[0, -1]].tolist() == pytest.approx([1e-4, 0.02])


def test_who_knows_the_noise_finds_the_picture() -> None:
    schedule, picture = respace(50), torch.tensor([[1.0, -2.0, 0.5]])
    kept = dict(zip(schedule.timesteps, schedule.alphas_cumprod.tolist(), strict=True))

    def predict(x: Tensor, timestep: int) -> tuple[Tensor, Tensor]:
        share = kept[timestep]
        return (x - share**0.5 * picture) / (1 - share) ** 0.5, torch.zeros_like(x)

    start = torch.randn(1, 3, generator=seeded(0))
    assert torch.allclose(denoise(predict, start, schedule, seeded(1)), picture, atol=1e-4)
    assert not torch.allclose(denoise(predict, start, schedule, seeded(1), at_most=10), picture, atol=0.1)


def test_who_knows_a_gaussian_draws_from_it() -> None:
    schedule, deviation = respace(250), 0.5
    kept = dict(zip(schedule.timesteps, schedule.alphas_cumprod.tolist(), strict=True))

    def predict(x: Tensor, timestep: int) -> tuple[Tensor, Tensor]:
        share = kept[timestep]
        return (1 - share) ** 0.5 * x / (share * deviation**2 + 1 - share), torch.full_like(x, -1.0)

    drawn = denoise(predict, torch.randn(20_000, generator=seeded(0)), schedule, seeded(1))
    assert float(drawn.std()) == pytest.approx(deviation, rel=0.03)
    assert float(drawn.mean()) == pytest.approx(0, abs=0.02)


def test_guidance_of_the_dit_is_that_of_the_others() -> None:
    dit, x, labels = small_dit(), torch.randn(2, 4, 4, 4, generator=seeded(0)), torch.tensor([0, 2])
    time = torch.full((2,), 7)
    with torch.no_grad():
        noise, place = guided(dit, labels, cfg=1.5)(x, 7)
        conditional, unconditional = dit(x, time, labels), dit(x, time, torch.full_like(labels, 3))
    assert torch.allclose(noise, 2.5 * conditional[0] - 1.5 * unconditional[0], atol=1e-5)
    assert torch.allclose(place, conditional[1], atol=1e-6)


def test_the_table_says_ratios_and_what_is_reckoned() -> None:
    told = tell([Timing("a", 10, 100, 50, reckoned=False), Timing("b", 256, 1000, 50, reckoned=True)])
    assert "| a | 10 | 100 | 1.0 | 150 | 1.0 |" in told
    assert "| b * | 256 | 1000 | 10.0 | 1050 | 7.0 |" in told
    assert "reckoned from a part" in told


def test_all_three_are_timed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    numbers = tmp_path / "numbers.json"
    few = ["--depth", "1", "--rounds", "1", "--dit-steps", "10", "--dit-steps-measured", "2", "--device", "cpu"]
    assert main(["compare", *few, "--json", str(numbers)]) == 0
    assert "next scale (VAR)" in capsys.readouterr().out
    timings = json.loads(numbers.read_text())
    assert [(each["passes"], each["reckoned"]) for each in timings] == [(10, False), (256, False), (10, True)]
    assert all(each["generate_ms"] > 0 and each["decode_ms"] > 0 for each in timings)


@pytest.mark.parametrize(
    ("arguments", "message"), [(["--depth", "0"], "--depth must be 1"), (["--dit-steps-measured", "300"], "from 1 to 250")]
)
def test_wrong_arguments_are_refused(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    assert main(["compare", *arguments]) == 1
    assert message in capsys.readouterr().err
