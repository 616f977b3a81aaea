"""How long PyTorch takes: `python -m nextscale_train.benchmark --vae FILE --var FILE` prints one line of JSON.

With `--interactive` it prints a line when it has loaded the model, and runs and prints one round for each line of its input.
"""

import argparse
import itertools
import json
import resource
import sys
import time
from collections.abc import Iterator
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
    parser.add_argument("--interactive", action="store_true", help="one round for each line of input, until that ends")
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


def rounds_of(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Loads the model, which gives the time that took, and then runs a round whenever one is asked for."""
    torch.set_num_threads(options.threads)
    started = time.perf_counter()
    tokenizer, transformer = load(options.vae, options.var, options.scales)
    knobs = Knobs(cfg=options.cfg, top_k=options.top_k, top_p=options.top_p)
    yield {"torch": torch.__version__, "load_ms": round((time.perf_counter() - started) * 1000, 2)}
    for seed in itertools.count():
        # One context a round: autocast keeps the weights' bf16 copies until it ends. It keeps none under inference_mode
        # or of weights without requires_grad, and then casts all of them at every scale: a quarter slower.
        with precision_context(options.precision):
            result = run_round(tokenizer, transformer, options.batch, knobs, seed)
        yield result


def benchmark(options: argparse.Namespace) -> dict[str, Any]:
    """Runs one round to warm up, which is dropped, and then the measured ones."""
    rounds = rounds_of(options)
    loaded, _, *measured = itertools.islice(rounds, options.rounds + 2)
    return {
        "torch": loaded["torch"],
        "precision": options.precision,
        "batch": options.batch,
        "threads": options.threads,
        "rounds": measured,
        "peak_rss_bytes": peak_rss_bytes(),
    }


def converse(options: argparse.Namespace) -> None:
    rounds = rounds_of(options)
    print(json.dumps(next(rounds)), flush=True)
    for _ in sys.stdin:
        print(json.dumps(next(rounds)), flush=True)


def main() -> int:
    try:
        options = parse()
        if options.interactive:
            converse(options)
        else:
            print(json.dumps(benchmark(options)))
    except (CheckpointError, OSError, ValueError) as error:
        print(f"benchmark: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
