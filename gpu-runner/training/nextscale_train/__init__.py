"""VAR tokenizer and transformer in PyTorch, with the parameter names of the published checkpoints.

VAR is "Visual Autoregressive Modeling: Scalable Image Generation via Next-Scale Prediction" (Tian et al., 2024). Shapes
in comments: B images, L tokens of one image, C width, V vocabulary, Z channels of a code, H x W codes of the last scale.
"""

from nextscale_train.checkpoint import CheckpointError, read_checkpoint
from nextscale_train.sampling import Knobs, Sample, ScaleReport, generate, sample
from nextscale_train.tokenizer import Tokenizer, TokenizerSizes
from nextscale_train.transformer import Transformer, TransformerSizes

__all__ = [
    "CheckpointError",
    "Knobs",
    "Sample",
    "ScaleReport",
    "Tokenizer",
    "TokenizerSizes",
    "Transformer",
    "TransformerSizes",
    "generate",
    "read_checkpoint",
    "sample",
]
