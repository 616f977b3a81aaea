import pytest
import torch

from nextscale_train import CheckpointError, Knobs, Transformer, TransformerSizes, sample
from nextscale_train.sizes import SCALES_256, SCALES_512
from tests import naive
from tests.models import SCALES, small_tokenizer, small_transformer

BOTH = pytest.mark.parametrize("shared_adaln", [False, True])
BUFFERS = ("lvl_1L", "attn_bias_for_masking", "blocks.0.attn.zero_k_bias", "blocks.1.attn.zero_k_bias")


@BOTH
def test_teacher_forcing_equals_cached_generation(shared_adaln: bool) -> None:
    tokenizer, transformer = small_tokenizer(), small_transformer(shared_adaln=shared_adaln)
    labels, cached = torch.tensor([2, 0, 3]), []
    drawn = sample(tokenizer, transformer, labels, Knobs(cfg=0, greedy=True), on_scale=lambda s: cached.append(s.logits))
    with torch.no_grad():
        forced = transformer(labels, tokenizer.quantize.teacher_input(drawn.tokens))
    torch.testing.assert_close(forced, torch.cat(cached, dim=1), atol=1e-4, rtol=1e-4)


@BOTH
def test_forward_equals_a_naive_computation(shared_adaln: bool) -> None:
    transformer = small_transformer(shared_adaln=shared_adaln)
    sizes, labels = transformer.sizes, torch.tensor([1, 3])
    inputs = torch.randn(2, sizes.tokens - 1, sizes.code_channels, generator=torch.Generator().manual_seed(2))
    state = {name: value.double() for name, value in transformer.state_dict().items()}
    with torch.no_grad():
        logits = transformer(labels, inputs)
    for image, label in enumerate(labels.tolist()):
        expected = naive.logits(state, label, inputs[image].double(), sizes.levels(), sizes.heads).float()
        torch.testing.assert_close(logits[image], expected, atol=1e-3, rtol=1e-3)


def test_a_token_sees_its_own_scale_and_the_coarser_ones_alone() -> None:
    transformer = small_transformer(shared_adaln=False)
    inputs = torch.randn(1, transformer.sizes.tokens - 1, 8, requires_grad=True)
    transformer(torch.tensor([0]), inputs)[0, 4].sum().backward()  # the last token of the 2 x 2 scale
    assert inputs.grad is not None
    seen = inputs.grad[0].abs().sum(-1) > 0
    assert seen.tolist() == [True] * 4 + [False] * 25


@BOTH
def test_a_state_dict_makes_the_same_transformer(shared_adaln: bool) -> None:
    original = small_transformer(shared_adaln=shared_adaln)
    state = original.state_dict()
    copy = Transformer.from_state_dict(state)
    assert copy.sizes == original.sizes
    assert not copy.training
    assert copy.state_dict().keys() == state.keys()
    assert all(torch.equal(value, state[name]) for name, value in copy.state_dict().items())
    assert all(parameter.requires_grad for parameter in copy.parameters())


def test_buffers_may_be_missing_and_floats_half_precision() -> None:
    original = small_transformer(shared_adaln=False)
    state = {name: value.half() for name, value in original.state_dict().items() if name not in BUFFERS}
    copy = Transformer.from_state_dict(state, SCALES)
    assert {value.dtype for value in copy.parameters()} == {torch.float32}
    for name in BUFFERS:
        assert torch.equal(copy.get_buffer(name), original.get_buffer(name)), name


@pytest.mark.parametrize("scales", [SCALES_256, SCALES_512])
def test_published_scales_are_known_by_their_number_of_tokens(scales: tuple[int, ...]) -> None:
    sizes = TransformerSizes(depth=1, width=4, heads=1, ffn_width=4, classes=1, vocabulary=2, code_channels=2, scales=scales)
    state = {name: value for name, value in Transformer(sizes).state_dict().items() if name not in BUFFERS}
    assert Transformer.from_state_dict(state).sizes == sizes


def test_what_does_not_fit_is_refused_in_a_sentence() -> None:
    state = small_transformer(shared_adaln=False).state_dict()
    without_buffers = {name: value for name, value in state.items() if name not in BUFFERS}
    with pytest.raises(CheckpointError, match="pass `scales`"):
        Transformer.from_state_dict(without_buffers)
    with pytest.raises(CheckpointError, match="4 scales of 30 tokens"):
        Transformer.from_state_dict(state, (1, 2, 3, 5))
    with pytest.raises(CheckpointError, match=r"blocks\.0\.attn\.mat_qkv"):
        Transformer.from_state_dict({})
    with pytest.raises(CheckpointError, match=r"head\.bias"):
        Transformer.from_state_dict({name: value for name, value in state.items() if name != "head.bias"})


@BOTH
def test_initial_weights_leave_the_residual_stream_alone(shared_adaln: bool) -> None:
    transformer = small_transformer(shared_adaln=shared_adaln)
    transformer.initialize(torch.Generator().manual_seed(0))
    x = torch.randn(1, 5, 16)
    condition = transformer.class_emb(torch.tensor([0]))
    block = transformer.blocks[0]
    with torch.no_grad():
        changed = block(x, transformer.shared_ada_lin(condition), None, None)
    # A shared projection is drawn without damping, as in the reference: its gammas are small, not tiny.
    assert float((changed - x).abs().max()) < (0.5 if shared_adaln else 1e-4)


def test_bf16_autocast_trains() -> None:
    transformer = small_transformer(shared_adaln=True).train()
    with torch.autocast("cpu", torch.bfloat16):
        logits = transformer(torch.tensor([0]), torch.randn(1, transformer.sizes.tokens - 1, 8))
    assert logits.dtype == torch.float32
    logits.square().mean().backward()
    assert all(parameter.grad is not None for parameter in transformer.parameters())
