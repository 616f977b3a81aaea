"""What evaluation says on the terminal."""

from collections.abc import Sequence

from nextscale_train.evaluation.inception import InceptionScores
from nextscale_train.evaluation.measure import RECOGNISED, Real, Reconstruction, SampleScores

WORST = 10


def tell_reconstruction(found: Reconstruction) -> str:
    of_scales = ", ".join(f"{each:.0f}" for each in found.perplexity_of_scales)
    return (
        f"Reconstruction: {found.psnr:.2f} dB PSNR, {found.ssim:.3f} SSIM\n"
        f"Codebook: {found.codes_used:.1%} of the codes in use, perplexity {found.perplexity:.0f} (by scale: {of_scales})"
    )


def tell_judge(real: Real, floor: float) -> str:
    return f"Judge: recognises {real.accuracy:.1%} of held-out pictures; Fréchet distance of others to them {floor:.2f}"


def tell_settings(scores: Sequence[SampleScores]) -> str:
    """A table with a row for each setting."""
    lines = ["| cfg | top_k | top_p | accuracy | classes recognised | Fréchet | precision | recall | copying |", "|---" * 9 + "|"]
    for score in scores:
        recognised = f"{score.classes_recognised} of {len(score.classes)}"
        lines.append(
            f"| {score.cfg:g} | {score.top_k} | {score.top_p:g} | {score.accuracy:.1%} | {recognised} "
            f"| {score.frechet_distance:.2f} | {score.precision:.3f} | {score.recall:.3f} | {score.copying:.2f} |"
        )
    return "\n".join(lines)


def tell_classes(score: SampleScores) -> str:
    """The classes that are recognised least often."""
    worst = [each for each in score.classes if each.accuracy < 1][:WORST]
    if not worst:
        return "Every sample of every class is recognised."
    told = ", ".join(f"{each.name} {each.accuracy:.0%} ({each.taken_for})" for each in worst)
    return f"Recognised at {RECOGNISED:.0%} or better: {score.classes_recognised} of {len(score.classes)} classes. Worst: {told}"


def tell_inception(found: InceptionScores) -> str:
    return f"FID {found.fid:.3f}, Inception Score {found.inception_score:.2f} ± {found.inception_score_deviation:.2f}"
