"""What comes into the room: pixels, noise, numbers of one shape."""

import math

import pytest
import torch

from course_utils.vae import VAE
from course_utils.vae.codes import VQVAE
from course_utils.vae.gate import (
    check_levels,
    check_noise,
    check_not_grey,
    check_pixels,
    same_shape,
)
from tests.hostile import refuses

GREY = torch.tensor([[0, 128, 255]], dtype=torch.uint8)


def test_numbers_of_one_shape_become_floats_of_one_type():
    a, b = same_shape(mu=[[1, 2]], logvar=torch.tensor([[0.5, 1.0]]))
    assert a.dtype == b.dtype == torch.float64
    assert a.tolist() == [[1.0, 2.0]] and b.tolist() == [[0.5, 1.0]]
    for wrong in (1.0, [1.0, 2.0], [[1.0], [2.0]]):
        rule = "logvar must be of the shape of mu, (1, 2)"
        refuses(lambda wrong=wrong: same_shape(mu=[[1, 2]], logvar=wrong), rule)
    refuses(lambda: same_shape(mu=[1.0], logvar=[math.inf]), "logvar must be finite")


def test_pixels_are_bits_or_grey_levels_where_those_are_wanted():
    for bits in (torch.eye(3), torch.eye(3).half(), torch.eye(3).bool()):
        assert check_pixels(bits, 3) is bits
        check_not_grey(bits)
    assert check_pixels(GREY, 3, grey=True) is GREY
    refuses(lambda: check_pixels(GREY, 3), "x holds grey levels (uint8); binarise(x)")
    refuses(lambda: check_not_grey(GREY, "held_out"), "held_out holds grey levels")
    refuses(lambda: check_pixels(GREY // 255, 3, grey=True), "use x.bool()")
    refuses(lambda: check_pixels(GREY / 255, 3, grey=True), "x must hold zeros and")
    check_levels(0 * GREY, "x")  # no ink at all


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_noise_has_the_shape_and_the_type_of_what_it_moves(dtype):
    like = torch.zeros(2, 3, dtype=dtype)
    found = check_noise([[1, -2, 0], [0, 0, 3]], like)
    assert found.dtype == dtype and found.sum() == 2
    refuses(lambda: check_noise(torch.zeros(3), like), "noise must be of shape (2, 3)")
    refuses(lambda: check_noise(like + 1e3, like), "noise must be drawn from N(0, 1)")


def test_pixels_from_inference_mode_are_data_elsewhere():
    model = VAE(3, 2, (4,))
    with torch.inference_mode():
        bits, grey = torch.eye(3), GREY.clone()
        assert check_pixels(bits, 3) is bits
    for inside, own in ((check_pixels(bits, 3), False), (bits, True)):
        assert inside.is_inference() == own
    assert not check_pixels(grey, 3, grey=True).is_inference()
    model.elbo(bits).elbo.backward()
    model.log_weights(bits, 2).sum().backward()
    book = VQVAE(3, 2, 4, 2, 5)
    sum(book.loss(bits)).backward()
    with torch.inference_mode():
        codes = book.codes(bits)
    book.decode(codes).probs.sum().backward()
