"""How long PyTorch takes: `python -m nextscale_train.benchmark --vae FILE --var FILE` prints one line of JSON."""

import argparse
import json
import resource
import sys
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import torch

from nextscale_train.checkpoint import CheckpointError, read_checkpoint
from nextscale_train.sampling import Knobs, sample, to_images
from nextscale_train.tokenizer import Tokenizer
from nextscale_train.transformer import Transformer


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m nextscale_train.benchmark", description=__doc__)
    parser.add_argument("--vae", type=Path, required=True, help="weights of the tokenizer: .pth or .safetensors")
    parser.add_argument("--var", type=Path, required=True, help="weights of the transformer: .pth or .safetensors")
    parser.add_argument("--scales", type=int, nargs="+", help="sides of the token maps, for files that do not say them")
    parser.add_argument("--batch", type=int, default=1, help="images a round")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32", help="bf16 = CPU autocast")
    parser.add_argument("--rounds", type=int, default=3, help="measured rounds, after one that warms up")
    parser.add_argument("--cfg", type=float, default=1.5)
    parser.add_argument("--top-k", type=int, default=900)
    parser.add_argument("--top-p", type=float, default=0.96)
    return parser.parse_args(arguments)


def load(vae: Path, var: Path, scales: list[int] | None) -> tuple[Tokenizer, Transformer]:
    transformer = Transformer.from_state_dict(read_checkpoint(var, "transformer"), scales)
    tokenizer = Tokenizer.from_state_dict(read_checkpoint(vae, "tokenizer"), transformer.sizes.scales)
    return tokenizer, transformer


def run_round(tokenizer: Tokenizer, transformer: Transformer, batch: int, knobs: Knobs, seed: int) -> dict[str, Any]:
    """One batch from labels to pixels: milliseconds per scale, of the decoder, and in all."""
    scale_ms: list[float] = []
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(batch) % transformer.sizes.classes
    started = time.perf_counter()
    sampled = sample(
        tokenizer, transformer, labels, knobs, generator=generator, on_scale=lambda s: scale_ms.append(s.milliseconds)
    )
    decoding = time.perf_counter()
    to_images(tokenizer, sampled.f_hat)
    ended = time.perf_counter()
    return {
        "scale_ms": [round(ms, 2) for ms in scale_ms],
        "decode_ms": round((ended - decoding) * 1000, 2),
        "total_ms": round((ended - started) * 1000, 2),
    }


def peak_rss_bytes() -> int:
    """The most memory this process has held, checkpoint reading included."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def precision_context(precision: str) -> AbstractContextManager[Any]:
    return torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16")


def benchmark(options: argparse.Namespace) -> dict[str, Any]:
    """Runs one round to warm up, which is dropped, and then the measured ones."""
    torch.set_num_threads(options.threads)
    tokenizer, transformer = load(options.vae, options.var, options.scales)
    knobs = Knobs(cfg=options.cfg, top_k=options.top_k, top_p=options.top_p)
    rounds = []
    for seed in range(options.rounds + 1):
        # One context a round: autocast keeps the weights' bf16 copies until it ends. It keeps none under inference_mode
        # or of weights without requires_grad, and then casts all of them at every scale: a quarter slower.
        with precision_context(options.precision):
            rounds.append(run_round(tokenizer, transformer, options.batch, knobs, seed))
    return {
        "torch": torch.__version__,
        "precision": options.precision,
        "batch": options.batch,
        "threads": options.threads,
        "rounds": rounds[1:],
        "peak_rss_bytes": peak_rss_bytes(),
    }


def main() -> int:
    try:
        print(json.dumps(benchmark(parse())))
    except (CheckpointError, OSError, ValueError) as error:
        print(f"benchmark: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
