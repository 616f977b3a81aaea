"""The parts of the training loop, each by what it promises."""

import time
from pathlib import Path

import pytest
import torch
from torch import nn

from nextscale_train.config import ConfigError, OptimiserSection, RunSection, read_config
from nextscale_train.errors import CommandError
from nextscale_train.files import replacing
from nextscale_train.run_folder import RunFolder
from nextscale_train.telling import tell_count, tell_duration, tell_time
from nextscale_train.training.adversary import patch_gan
from nextscale_train.training.codebook import begin_from_data, count_hits, dead_codes, note_hits, perplexity, revive
from nextscale_train.training.losses import edge_loss, perceptual_loss, structure_loss
from nextscale_train.training.optimise import Average, parameter_groups, rate_at
from nextscale_train.training.order import Order, seeded
from nextscale_train.training.processes import Processes, choose_device
from nextscale_train.training.state import dependencies
from nextscale_train.training.tokenizer import psnr
from nextscale_train.training.transformer import drop_labels
from tests.models import small_tokenizer, small_transformer
from tests.training import make_run

ALONE = Processes(0, 1, torch.device("cpu"))


def test_an_epoch_shows_every_picture_once_in_another_order_than_the_one_before() -> None:
    order = Order(10, 4, seed=3)
    places = [place for step in range(5) for place in order.at(step)]
    epochs = [[index for index, epoch in places if epoch == each] for each in (0, 1)]
    assert [sorted(epoch) for epoch in epochs] == [list(range(10))] * 2
    assert epochs[0] != epochs[1]
    assert Order(10, 4, seed=3).at(3) == order.at(3) != Order(10, 4, seed=4).at(3)
    assert next(Order(10, 4, seed=3).after(3)) == order.at(3)


def test_a_batch_may_be_larger_than_there_are_pictures() -> None:
    assert [epoch for _, epoch in Order(2, 5, seed=0).at(0)] == [0, 0, 1, 1, 2]


def test_the_rate_rises_and_falls_as_configured() -> None:
    section = OptimiserSection(steps=110, learning_rate=2.0, warmup=10, final=0.1)
    rates = [rate_at(step, section) for step in (0, 9, 10, 60, 110, 500)]
    assert rates == pytest.approx([0.2, 2.0, 2.0, 1.1, 0.2, 0.2])


def test_embeddings_norms_and_offsets_do_not_decay() -> None:
    transformer = small_transformer(shared_adaln=True)
    names = {id(parameter): name for name, parameter in transformer.named_parameters()}
    decaying, kept = (
        {names[id(parameter)] for parameter in group["params"]}  # type: ignore[attr-defined]
        for group in parameter_groups(transformer, 0.05)
    )
    assert decaying | kept == set(names.values())
    assert {"head.weight", "blocks.0.attn.mat_qkv.weight", "word_embed.weight"} <= decaying
    assert {
        "pos_1LC",
        "class_emb.weight",
        "lvl_embed.weight",
        "head.bias",
        "blocks.0.ada_gss",
        "blocks.0.attn.scale_mul_1H11",
    } <= kept


def test_the_average_follows_the_weights_and_copies_the_buffers() -> None:
    module = nn.BatchNorm1d(1)
    average = Average(module, 0.9)
    module.load_state_dict({**module.state_dict(), "weight": torch.tensor([2.0]), "running_mean": torch.tensor([-torch.inf])})
    average.update(module, 0)
    assert average.module.state_dict()["weight"].item() == pytest.approx(1 + 0.9)
    average.update(module, 10_000)
    assert average.module.state_dict()["weight"].item() == pytest.approx(1.9 + 0.1 * 0.1)
    assert average.module.state_dict()["running_mean"].item() == -torch.inf


def test_losses_are_nothing_for_the_same_picture_and_grow_with_the_blur() -> None:
    squares = torch.rand(2, 3, 8, 8, generator=seeded(0)) * 2 - 1
    picture = squares.repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)
    smoothed = [nn.functional.avg_pool2d(picture, width, 1, width // 2, count_include_pad=False) for width in (3, 7)]
    same, little, much = (float(structure_loss(each, picture)) for each in (picture, *smoothed))
    assert same == pytest.approx(0, abs=1e-5)
    assert 0.01 < little < much
    assert float(perceptual_loss(picture, picture)) == pytest.approx(0, abs=1e-5)
    assert float(structure_loss(-picture, picture)) <= 1
    ramp = torch.arange(8.0).expand(1, 3, 8, 8)
    assert float(edge_loss(2 * ramp, ramp)) == pytest.approx(1)


def test_psnr_is_the_textbooks() -> None:
    original = torch.zeros(1, 3, 4, 4)
    assert float(psnr(original + 0.2, original)) == pytest.approx(20)


def test_codes_begin_at_the_data_and_dead_ones_come_back_to_it() -> None:
    quantizer = small_tokenizer().quantize
    features = torch.randn(6, 8, 4, 4, generator=seeded(0)) + 5
    begin_from_data(quantizer, features, seeded(1))
    assert float(quantizer.embedding.weight.detach().mean()) > 1
    with torch.no_grad():
        quantizer.embedding.weight[3:] = -1000
    for _ in range(3):
        note_hits(quantizer, count_hits(quantizer, quantizer.encode(features), ALONE))
    assert set(dead_codes(quantizer).tolist()) >= set(range(3, 24))
    assert revive(quantizer, features, seeded(2), ALONE) >= 21
    assert float(quantizer.embedding.weight.detach().min()) > -100
    assert len(dead_codes(quantizer)) == 0


def test_perplexity_counts_codes_that_are_used_alike() -> None:
    assert float(perplexity(torch.tensor([5.0, 5.0, 0.0, 5.0, 5.0]))) == pytest.approx(4)
    assert float(perplexity(torch.tensor([0.0, 7.0]))) == pytest.approx(1)


def test_quantising_for_training_is_encoding_with_gradients() -> None:
    tokenizer = small_tokenizer()
    features = torch.randn(2, 8, 4, 4, generator=seeded(0), requires_grad=True)
    quantized = tokenizer.quantize(features, 0.25)
    tokens = tokenizer.quantize.encode(features)
    assert all(torch.equal(a, b) for a, b in zip(quantized.tokens, tokens, strict=True))
    assert torch.allclose(quantized.f_hat, tokenizer.quantize.f_hat(tokens), atol=1e-6)
    codebook = tokenizer.quantize.embedding.weight
    straight, nothing = torch.autograd.grad(quantized.f_hat.sum(), (features, codebook), allow_unused=True, retain_graph=True)
    assert torch.equal(straight, torch.ones_like(features))
    assert nothing is None
    with torch.no_grad():
        f_hats = [tokenizer.quantize.f_hat(tokens[: scale + 1]) for scale in range(4)]
        expected = sum(1.25 * float((f_hat - features).pow(2).mean()) for f_hat in f_hats) / 4
    assert float(quantized.loss.detach()) == pytest.approx(expected, rel=1e-5)
    assert all(float(gradient.abs().sum()) > 0 for gradient in torch.autograd.grad(quantized.loss, (features, codebook)))


def test_labels_are_dropped_as_often_as_configured() -> None:
    labels = torch.arange(10_000) % 5
    dropped = drop_labels(labels, 5, 0.1, seeded(0))
    assert (dropped == 5).float().mean().item() == pytest.approx(0.1, abs=0.01)
    assert torch.equal(dropped[dropped != 5], labels[dropped != 5])
    assert torch.equal(drop_labels(labels, 5, 0.0, seeded(0)), labels)


@pytest.mark.parametrize(("resolution", "patches"), [(16, 8), (32, 8), (256, 32)])
def test_the_discriminator_scores_patches(resolution: int, patches: int) -> None:
    assert patch_gan(resolution)(torch.zeros(1, 3, resolution, resolution)).shape == (1, 1, patches, patches)


def test_a_gpu_that_is_not_there_is_missed(tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(CommandError, match=r"run\.device"):
        choose_device(RunSection(folder=tmp_path, device="cuda"), 0)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("depth = 0", "transformer.depth: input should be greater than or equal to 1."),
        ("deepness = 3", "transformer.deepness is not a field."),
        ("heads = 3", "transformer: width 32 must be a multiple of heads 3."),
        ("depth = ", "is not TOML"),
    ],
)
def test_a_wrong_configuration_is_refused_by_its_field(tmp_path: Path, line: str, message: str) -> None:
    path = make_run(tmp_path)
    text = path.read_text()
    field = line.split(" ", maxsplit=1)[0]
    old = next((each for each in text.splitlines() if each.startswith(f"{field} =")), "[transformer]\n")
    path.write_text(text.replace(old, line) if field != "deepness" else text.replace("[transformer]", f"[transformer]\n{line}"))
    with pytest.raises(ConfigError, match=message.replace(".", r"\.")):
        read_config(path)


def test_durations_and_times_are_told_as_people_say_them() -> None:
    told = [tell_duration(seconds) for seconds in (0.4, 59.9, 60, 3_599, 3_600, 12_345, 172_799, 187_500)]
    assert told == ["0 s", "59 s", "1 min", "59 min", "1 h 0 min", "3 h 25 min", "47 h 59 min", "2 d 4 h"]
    now = time.time()
    assert tell_time(now) == time.strftime("%H:%M", time.localtime(now))
    assert tell_time(0) == time.strftime("%Y-%m-%d %H:%M", time.localtime(0))
    assert tell_count(1, "picture") == "1 picture"
    assert tell_count(2_000, "class", "classes") == "2,000 classes"


def test_a_run_folder_that_cannot_be_written_to_is_refused(tmp_path: Path) -> None:
    RunFolder(tmp_path / "new" / "run").make()
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(CommandError, match=r"run\.folder: .*/file/run cannot be written to \(Not a directory\)\."):
        RunFolder(tmp_path / "file" / "run").make()


def test_states_of_before_a_field_was_thought_of_are_gone_on_from(tmp_path: Path) -> None:
    config = read_config(make_run(tmp_path))
    skipping = config.model_copy(update={"data": config.data.model_copy(update={"skip_unreadable": True})})
    assert dependencies(config, "tokenizer") == dependencies(skipping, "tokenizer")
    assert not any("skip_unreadable" in field for field in dependencies(config, "transformer"))
    assert config.data.identity == skipping.data.identity


def test_what_a_killed_process_has_left_of_a_file_is_removed(tmp_path: Path) -> None:
    left = tmp_path / ".a[1].json.partial-99"
    left.write_text("half")
    other = tmp_path / ".b.json.partial-99"
    other.write_text("half")
    with replacing(tmp_path / "a[1].json") as partial:
        partial.write_text("whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == [other.name, "a[1].json"]
    with pytest.raises(ZeroDivisionError), replacing(tmp_path / "a[1].json") as partial:
        partial.write_text(str(1 / 0))
    assert (tmp_path / "a[1].json").read_text() == "whole"
