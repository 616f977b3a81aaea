import pytest
import torch

from nextscale_train import CheckpointError, Knobs, Tokenizer, TokenizerSizes, sample
from nextscale_train.quantizer import PhiBank
from tests.models import SCALES, small_tokenizer, small_transformer


def test_ten_scales_share_four_phi_as_in_the_published_models() -> None:
    bank = PhiBank(1, 4)
    assert [bank.index(scale, 10) for scale in range(10)] == [0, 0, 1, 1, 1, 2, 2, 3, 3, 3]


def test_every_scale_has_the_nearest_codes_of_what_coarser_scales_left() -> None:
    quantize = small_tokenizer().quantize
    features = torch.randn(2, 8, 4, 4, generator=torch.Generator().manual_seed(3))
    tokens = quantize.encode(features)
    assert [tuple(t.shape) for t in tokens] == [(2, n * n) for n in SCALES]
    with torch.no_grad():
        for scale, side in enumerate(SCALES):
            rest = features - (quantize.f_hat(tokens[:scale]) if scale > 0 else 0)
            pooled = torch.nn.functional.adaptive_avg_pool2d(rest, side).flatten(2).transpose(1, 2)  # B n^2 Z
            nearest = torch.cdist(pooled.contiguous(), quantize.embedding.weight.expand(2, -1, -1)).argmin(-1)
            assert torch.equal(tokens[scale], nearest)


def test_teacher_input_is_what_generation_was_fed() -> None:
    tokenizer, transformer = small_tokenizer(), small_transformer(shared_adaln=False)
    fed: list[torch.Tensor] = []
    handle = transformer.word_embed.register_forward_pre_hook(lambda _, args: fed.append(args[0]))
    drawn = sample(tokenizer, transformer, torch.tensor([0, 1]), Knobs(greedy=True))
    handle.remove()
    with torch.no_grad():
        torch.testing.assert_close(tokenizer.quantize.teacher_input(drawn.tokens), torch.cat(fed, dim=1))
        torch.testing.assert_close(tokenizer.quantize.f_hat(drawn.tokens), drawn.f_hat)


def test_images_go_to_tokens_and_back_to_images_of_the_same_size() -> None:
    tokenizer = small_tokenizer()
    images = torch.rand(2, 3, tokenizer.sizes.resolution, tokenizer.sizes.resolution) * 2 - 1
    decoded = tokenizer.decode_tokens(tokenizer.encode(images))
    assert decoded.shape == images.shape
    assert float(decoded.abs().max()) <= 1


def test_images_of_another_resolution_are_refused() -> None:
    with pytest.raises(ValueError, match="last scale has 4 x 4"):
        small_tokenizer().encode(torch.zeros(1, 3, 16, 16))


def test_a_state_dict_makes_the_same_tokenizer() -> None:
    original = small_tokenizer()
    state = original.state_dict()
    copy = Tokenizer.from_state_dict(state, SCALES)
    assert copy.sizes == original.sizes
    assert copy.state_dict().keys() == state.keys()
    assert all(torch.equal(value, state[name]) for name, value in copy.state_dict().items())


def test_use_counts_may_be_missing_or_of_other_scales() -> None:
    state = dict(small_tokenizer().state_dict())
    assert Tokenizer.from_state_dict(state, (1, 4)).quantize.ema_vocab_hit_SV.shape == (2, 24)
    del state["quantize.ema_vocab_hit_SV"]
    assert Tokenizer.from_state_dict(state, SCALES).quantize.ema_vocab_hit_SV.shape == (4, 24)


def test_a_state_dict_of_something_else_is_refused() -> None:
    with pytest.raises(CheckpointError, match=r"encoder\.conv_in\.weight"):
        Tokenizer.from_state_dict({}, SCALES)


def test_defaults_are_the_published_tokenizer() -> None:
    with torch.device("meta"):
        tokenizer = Tokenizer(TokenizerSizes())
    assert tokenizer.sizes.resolution == 256
    assert tokenizer.state_dict()["decoder.conv_in.weight"].shape == (640, 32, 3, 3)
