import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nextscale_train.cli import main
from nextscale_train.config import read_config
from nextscale_train.data.splits import open_reference
from nextscale_train.errors import CommandError
from nextscale_train.evaluation.distances import Gaussian, Moments, frechet_distance, nearest, precision_recall
from nextscale_train.evaluation.images import psnr, ssim
from nextscale_train.evaluation.inception import fit_pictures, inception_score, load_inception, read_statistics
from nextscale_train.evaluation.measure import SampleScores, best_of, score_classes
from nextscale_train.training.order import seeded
from tests.test_export import make_trained
from tests.training import ALONE

CPU = torch.device("cpu")


def test_psnr_of_an_error_of_a_tenth_is_20_db() -> None:
    original = torch.full((2, 3, 8, 8), 0.5)
    assert psnr(original + 0.1, original).tolist() == pytest.approx([20, 20], rel=1e-4)


def test_ssim_is_1_for_the_same_and_follows_its_formula_for_flat_pictures() -> None:
    picture = torch.rand(2, 3, 32, 32, generator=seeded(0))
    assert ssim(picture, picture).tolist() == pytest.approx([1, 1])
    noisy = picture + 0.2 * torch.randn(picture.shape, generator=seeded(1))
    assert all(value < 0.95 for value in ssim(noisy, picture).tolist())
    a, b, c1 = 0.2, 0.6, 1e-4
    flat = ssim(torch.full((1, 3, 8, 8), a), torch.full((1, 3, 8, 8), b))
    assert flat.item() == pytest.approx((2 * a * b + c1) / (a * a + b * b + c1), rel=1e-3)


def test_moments_of_batches_are_those_of_the_whole() -> None:
    rows = torch.randn(100, 5, generator=seeded(0))
    moments = Moments()
    for batch in rows.tensor_split(7):
        moments.add(batch)
    fitted = moments.fit()
    assert torch.allclose(fitted.mean, rows.double().mean(0))
    assert torch.allclose(fitted.covariance, rows.T.double().cov())


def test_frechet_distance_is_known_for_gaussians_whose_axes_agree() -> None:
    turn = torch.linalg.qr(torch.randn(3, 3, generator=seeded(0), dtype=torch.float64)).Q

    def gaussian(mean: list[float], deviations: list[float]) -> Gaussian:
        variances = torch.tensor(deviations, dtype=torch.float64).square().diag()
        return Gaussian(torch.tensor(mean, dtype=torch.float64), turn @ variances @ turn.T)

    a, b = gaussian([0, 0, 0], [1, 2, 0]), gaussian([3, 0, 4], [2, 2, 1])
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(a, b) == pytest.approx(25 + 1 + 0 + 1, rel=1e-6)


def test_precision_is_of_what_is_made_and_recall_of_what_is_real() -> None:
    near, far = torch.randn(200, 2, generator=seeded(0)), torch.randn(200, 2, generator=seeded(1)) + 100
    both = torch.cat((near, far))
    precision, recall = precision_recall(near[:100], both)
    assert precision > 0.9
    assert recall == pytest.approx(0.5, abs=0.06)
    precision, recall = precision_recall(both, near)
    assert precision < 0.55
    assert recall > 0.9


def test_the_nearest_is_found_with_its_distance() -> None:
    distances, indices = nearest(torch.tensor([[0.0, 3.0], [10.0, 0.0]]), torch.tensor([[0.0, 0.0], [9.0, 0.0]]))
    assert (distances.tolist(), indices.tolist()) == ([3.0, 1.0], [0, 1])


def test_classes_are_scored_worst_first_with_what_they_are_taken_for() -> None:
    asked, seen = torch.tensor([0, 0, 0, 0, 1, 1]), torch.tensor([0, 2, 2, 1, 1, 1])
    scores = score_classes(["a", "b", "c"], asked, seen)
    assert [(score.name, score.accuracy, score.taken_for) for score in scores[:1]] == [("a", 0.25, "c")]
    assert scores[1].accuracy == 1


def scored(accuracy: float, distance: float) -> SampleScores:
    return SampleScores(1.0, 0, 1.0, accuracy, 0, [], distance, 0.0, 0.0, 0.0)


def test_the_best_setting_is_the_nearest_to_real_of_the_most_accurate() -> None:
    scores = [scored(0.97, 1.0), scored(0.99, 3.0), scored(0.985, 2.0)]
    assert best_of(scores) is scores[2]


def test_the_inception_score_counts_classes() -> None:
    assert inception_score(torch.zeros(40, 7))[0] == pytest.approx(1)
    sure = torch.eye(5).repeat(40, 1) * 1000
    assert inception_score(sure, splits=4) == pytest.approx((5, 0))


class TinyInception(nn.Module):
    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        rows = images.float().flatten(2).mean(2)
        return rows, rows / 50


def write_inception(path: Path) -> Path:
    example = torch.zeros(2, 3, 8, 8, dtype=torch.uint8)
    torch.export.save(torch.export.export(TinyInception(), (example,), dynamic_shapes=({0: torch.export.Dim("B")},)), path)
    return path


def test_a_reference_is_a_folder_or_statistics(tmp_path: Path) -> None:
    config = read_config(make_trained(tmp_path))
    inception = load_inception(write_inception(tmp_path / "inception.pt2"), CPU)
    fitted = fit_pictures(open_reference(tmp_path / "pictures", config, ALONE), inception, 0)
    assert fitted.mean.shape == (3,)
    np.savez(tmp_path / "statistics.npz", mu=fitted.mean.numpy(), sigma=fitted.covariance.numpy())
    again = read_statistics(tmp_path / "statistics.npz")
    assert frechet_distance(fitted, again) == pytest.approx(0, abs=1e-6)
    with pytest.raises(CommandError, match="no folder of pictures"):
        read_statistics(tmp_path / "toy.toml")
    (tmp_path / "pictures" / "red" / "broken.jpg").write_bytes(b"no picture yet")
    with pytest.raises(CommandError, match=r"1 of 25 pictures cannot be read:\n  .*/red/broken\.jpg: it is no picture"):
        open_reference(tmp_path / "pictures", config, ALONE)
    with pytest.raises(CommandError, match="has 0 pictures: at least 2 are needed"):
        open_reference(tmp_path / "run", config, ALONE)
    with pytest.raises(CommandError, match=r"torch\.export\.save"):
        load_inception(tmp_path / "toy.toml", CPU)


def test_a_run_is_evaluated_and_its_best_settings_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, numbers = str(make_trained(tmp_path)), tmp_path / "numbers.json"
    few = ["--classifier-steps", "60", "--samples-per-class", "4", "--pictures", "20", "--json", str(numbers)]
    inception = ["--inception", str(write_inception(tmp_path / "i.pt2")), "--reference", str(tmp_path / "pictures")]
    assert main(["evaluate", config, *few, "--cfg", "0", "2", "--top-k", "4", *inception, "--inception-samples", "9"]) == 0
    told = capsys.readouterr().out
    assert "Best: cfg" in told
    found = json.loads(numbers.read_text())
    assert [(each["cfg"], each["top_k"], each["top_p"]) for each in found["samples"]] == [(0, 4, 1), (2, 4, 1)]
    assert found["judge"]["accuracy"] > 0.9
    assert 0 < found["reconstruction"]["psnr"] < 20
    assert all(0 <= each["accuracy"] <= 1 and math.isfinite(each["frechet_distance"]) for each in found["samples"])
    assert found["inception"]["inception_score"] >= 1
    kept = json.loads((tmp_path / "run" / "sampling.json").read_text())
    assert kept in [{"cfg": cfg, "top_k": 4, "top_p": 1.0} for cfg in (0.0, 2.0)]

    assert main(["export", config, "--out", str(tmp_path / "out"), "--precision", "fp32"]) == 0
    capsys.readouterr()
    again = tmp_path / "again.json"
    assert main(["evaluate", config, *few[:-1], str(again), "--model", str(tmp_path / "out")]) == 0
    exported = json.loads(again.read_text())["samples"]
    assert exported == [each for each in found["samples"] if each["cfg"] == kept["cfg"]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--pictures", "1"], "--pictures must be 2 or more."),
        (["--inception", "i.pt2"], "--inception and --reference go together"),
        (["--json", "nowhere/numbers.json"], "--json nowhere/numbers.json: there is no folder nowhere."),
        (["--model", "nowhere"], "--model nowhere"),
        (["--top-p", "2"], "top_p is above 0 and at most 1"),
    ],
)
def test_wrong_arguments_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    few = ["--classifier-steps", "2", "--pictures", "5"]
    assert main(["evaluate", str(make_trained(tmp_path)), *few, *arguments]) == 1
    assert message in capsys.readouterr().err
