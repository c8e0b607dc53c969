"""Moments, descriptions and words of a digit."""

import pytest
import torch

from course_utils.beyond.latents import codes_of, decode_digits, digit_autoencoder
from course_utils.beyond.words import (
    MARGIN,
    WORDS,
    Describer,
    moments,
    parse,
    pixels,
    spell,
    words_of_codes,
)
from course_utils.data import load_mnist


def stroke(slant=0.0, half_width=3.0, half_height=9.0):
    """A bar whose top lies ``slant`` to the right per pixel upwards, ``(784,)``."""
    ticks = torch.arange(28.0) - 13.5
    y, x = torch.meshgrid(ticks, ticks, indexing="ij")
    inside = ((x + slant * y).abs() <= half_width) & (y.abs() <= half_height)
    return inside.float().flatten()


@pytest.fixture(scope="module")
def digits():
    images, labels = load_mnist("test")
    return images.flatten(1), labels


@pytest.fixture(scope="module")
def describer(digits):
    return Describer.of(*digits)


@pytest.mark.parametrize("slant", [-0.5, -0.2, 0.0, 0.3, 0.6])
def test_the_slant_of_a_stroke_is_measured(slant):
    ink, found, width = moments(stroke(slant)[None])[0].tolist()
    assert found == pytest.approx(slant, abs=0.05)
    assert ink == stroke(slant).sum()
    # leaning changes no width: a bar is as wide as it was, for its height
    assert width == pytest.approx(1 / 3, rel=0.05)


def test_ink_and_width_of_strokes():
    thin, thick = moments(torch.stack([stroke(0, 1), stroke(0, 4)])).tolist()
    assert thin[0] < thick[0]
    # an even row of c pixels has variance (c² − 1) / 12: 2 and 8 pixels beside 18
    assert thin[2] == pytest.approx((3 / 323) ** 0.5, rel=1e-4)
    assert thick[2] == pytest.approx((63 / 323) ** 0.5, rel=1e-4)


def test_moments_take_bytes_and_squares_and_empty_paper():
    one = stroke(0.2)[None]
    same = moments((255 * one).to(torch.uint8).reshape(1, 28, 28))
    assert torch.allclose(moments(one), same)
    assert torch.isfinite(moments(torch.zeros(1, 784))).all()
    with pytest.raises(ValueError, match="images must be"):
        pixels(torch.zeros(3, 100))


def test_each_word_belongs_to_a_third_of_its_class(describer, digits):
    images, labels = digits
    bags = describer.bags(images, labels)
    assert bags.shape == (len(labels), 17)
    assert (bags[:, :10].argmax(dim=1) == labels).all()
    for word in WORDS[10:]:
        share = bags[:, WORDS.index(word)]
        for c in (0, 1, 7):
            assert share[labels == c].mean().item() == pytest.approx(1 / 3, abs=0.01)
    assert (bags[:, 10:12].sum(dim=1) <= 1).all()
    assert (bags[:, 12:15].sum(dim=1) == 1).all()


def test_only_clear_words_are_said_where_that_is_wanted(describer, digits):
    images, labels = digits
    all_of_them = describer.bags(images, labels)
    clear = describer.bags(images, labels, clear=True)
    assert (clear <= all_of_them).all()
    assert torch.equal(clear[:, :10], all_of_them[:, :10])
    share = clear.mean(dim=0)
    # a margin lies at one side of an outer third, at both of the middle one
    assert share[WORDS.index("thick")].item() == pytest.approx(
        1 / 3 - MARGIN, abs=0.005
    )
    assert share[WORDS.index("upright")].item() == pytest.approx(
        1 / 3 - 2 * MARGIN, abs=0.005
    )


def test_codes_have_the_words_of_their_pictures(describer, digits):
    images, labels = (part[:2500] for part in digits)
    model = digit_autoencoder(images, latents=4, hidden=(8,))
    z = codes_of(model, images)
    bags = words_of_codes(describer, model, z, labels)
    whole = describer.bags(decode_digits(model, z), labels, clear=True)
    assert torch.equal(bags, whole)
    assert describer.right(decode_digits(model, z), bags)[:, 1:].all()


def test_real_digits_are_as_they_say(describer, digits):
    images, labels = (part[:1000] for part in digits)
    right = describer.right(images, describer.bags(images, labels)).float().mean(dim=0)
    assert right[0] > 0.97
    assert (right[1:] == 1).all()


def test_what_was_not_asked_for_cannot_be_wrong(describer, digits):
    images, labels = (part[:50] for part in digits)
    bags = describer.bags(images, labels)
    only_class = bags * (torch.arange(17) < 10)
    assert describer.right(images, only_class)[:, 1:].all()
    thick, thin = WORDS.index("thick"), WORDS.index("thin")
    turned = bags.clone()
    turned[:, [thin, thick]] = bags[:, [thick, thin]]
    asked = turned[:, [thin, thick]].sum(dim=1) > 0
    assert (describer.right(images, turned)[:, 1] == ~asked).all()


def test_nonsense_is_refused(describer, digits):
    images, labels = digits
    with pytest.raises(ValueError, match="labels must be"):
        describer.bags(images[:3], labels[:2])
    with pytest.raises(ValueError, match="labels must be"):
        describer.bags(images[:3], labels[:3].float())
    with pytest.raises(ValueError, match="three or more"):
        Describer.of(images[:4], labels[:4])
    with pytest.raises(ValueError, match="one class"):
        describer.right(images[:2], torch.zeros(2, 17))
    with pytest.raises(ValueError, match="asked must be"):
        describer.right(images[:2], torch.zeros(3, 17))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a thin seven leaning right", {"seven", "thin", "leaning right"}),
        ("A THICK, wide 0!", {"zero", "thick", "wide"}),
        ("the upright eight", {"eight", "upright"}),
        ("narrow 3 that is leaning to the left", {"three", "narrow", "leaning left"}),
        ("", set()),
    ],
)
def test_phrases_are_understood(text, words):
    bag, unknown = parse(text)
    assert {w for w, there in zip(WORDS, bag, strict=True) if there} == words
    assert unknown == []
    again, _ = parse(spell(bag))
    assert torch.equal(again, bag)


def test_unknown_words_are_named():
    bag, unknown = parse("a purple seven with wings")
    assert unknown == ["purple", "with", "wings"]
    assert spell(bag) == "a seven"
