import pytest
import torch

from nextscale_train import Knobs, ScaleReport, TokenizerSizes, generate, sample
from nextscale_train.sampling import draw, truncate_
from nextscale_train.tokenizer import Tokenizer
from tests.models import SCALES, small_tokenizer, small_transformer

LABELS = torch.tensor([0, 2])


def kept(probabilities: list[float], top_k: int, top_p: float) -> list[bool]:
    logits = torch.tensor([[probabilities]]).log()
    truncate_(logits, top_k, top_p)
    return logits[0, 0].isfinite().tolist()


def test_top_k_keeps_ties() -> None:
    assert kept([0.4, 0.2, 0.2, 0.2], 2, 1) == [True, True, True, True]
    assert kept([0.4, 0.3, 0.2, 0.1], 2, 1) == [True, True, False, False]


def test_top_p_keeps_the_smallest_set_that_reaches_it_and_never_nothing() -> None:
    assert kept([0.1, 0.2, 0.3, 0.4], 0, 0.65) == [False, False, True, True]
    assert kept([0.1, 0.2, 0.3, 0.4], 0, 0.75) == [False, True, True, True]
    assert kept([0.1, 0.2, 0.3, 0.4], 0, 1e-9) == [False, False, False, True]


def test_top_p_counts_what_top_k_left() -> None:
    assert kept([0.1, 0.2, 0.3, 0.4], 2, 0.5) == [False, False, False, True]


def test_draws_follow_the_probabilities() -> None:
    logits = torch.tensor([0.5, 0.3, 0.2]).log().expand(1, 20000, 3).clone()
    tokens = draw(logits, Knobs(), torch.Generator().manual_seed(0))
    frequencies = tokens.flatten().bincount(minlength=3) / 20000
    torch.testing.assert_close(frequencies, torch.tensor([0.5, 0.3, 0.2]), atol=0.015, rtol=0)


@pytest.mark.parametrize("smooth", [False, True])
def test_a_seed_decides_the_image(smooth: bool) -> None:
    tokenizer, transformer = small_tokenizer(), small_transformer(shared_adaln=False)
    knobs = Knobs(top_k=20, top_p=0.9, smooth=smooth)
    first, again, other = (
        generate(tokenizer, transformer, LABELS, knobs, generator=torch.Generator().manual_seed(seed)) for seed in (5, 5, 6)
    )
    assert first.shape == (2, 3, 8, 8)
    assert 0 <= float(first.min()) <= float(first.max()) <= 1
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_every_scale_is_reported_once_in_order() -> None:
    reports: list[ScaleReport] = []
    sample(small_tokenizer(), small_transformer(shared_adaln=True), LABELS, Knobs(), on_scale=reports.append)
    assert [r.scale for r in reports] == [0, 1, 2, 3]
    assert [tuple(r.logits.shape) for r in reports] == [(2, n * n, 24) for n in SCALES]
    assert all(r.milliseconds > 0 for r in reports)


def test_guidance_changes_nothing_for_the_unconditional_class() -> None:
    tokenizer, transformer = small_tokenizer(), small_transformer(shared_adaln=False)
    unconditional = torch.tensor([transformer.sizes.classes])
    images = [generate(tokenizer, transformer, unconditional, Knobs(cfg=cfg, greedy=True)) for cfg in (0, 8)]
    torch.testing.assert_close(images[0], images[1])


@pytest.mark.parametrize("wrong", [{"cfg": -1.0}, {"top_k": -1}, {"top_p": 0.0}, {"top_p": 1.1}])
def test_knobs_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="at least 0"):
        Knobs(**wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="choose one"):
        Knobs(greedy=True, smooth=True)


def test_labels_and_models_that_do_not_fit_are_refused() -> None:
    transformer = small_transformer(shared_adaln=False)
    with pytest.raises(ValueError, match="from 0 to 3"):
        sample(small_tokenizer(), transformer, torch.tensor([4]), Knobs())
    other = Tokenizer(TokenizerSizes(vocabulary=25, code_channels=8, width=32, multipliers=(1, 2), scales=SCALES))
    with pytest.raises(ValueError, match="do not belong together"):
        sample(other, transformer, LABELS, Knobs())
