"""Moments, bags and phrases meet hostile input."""

import numpy as np
import pytest
import torch

from course_utils.beyond.words import Describer, moments, parse, pixels, spell
from course_utils.beyond.words import check_labels as labels_of
from course_utils.data import load_mnist
from tests.hostile import Door, cases, nonsense, refuses

GREY, LABELS = (part[:60] for part in load_mnist("test"))
GREY = GREY.flatten(1)
HALVES = ((GREY > 127).double() / 2).tolist()  # 0 and ½: halves hold them
LABELS = torch.arange(60) % 10
DESCRIBER = Describer.of(GREY, LABELS)
BAG = [0.0] * 7 + [1.0] + [0.0] * 2 + [1.0] + [0.0] * 6
BAGS = DESCRIBER.bags(GREY, LABELS)

DOORS = {
    "moments": Door("images", moments, HALVES),
    "pixels": Door("images", pixels, HALVES),
    "of": Door("images", lambda i: DESCRIBER.of(i, LABELS).limits, HALVES),
    "bags": Door("images", lambda i: DESCRIBER.bags(i, LABELS), HALVES),
    "right": Door("images", lambda i: DESCRIBER.right(i, BAGS), HALVES),
    "asked": Door("asked", lambda a: DESCRIBER.right(GREY, a), BAGS.tolist()),
    "thirds": Door(
        "measured", lambda m: DESCRIBER.thirds(m, [1, 2]), [[100.0, 0.5, 0.5]] * 2
    ),
    "spell": Door("bag", lambda bag: [len(spell(bag))], BAG),
}


@pytest.mark.parametrize(("door", "kind"), cases(DOORS))
def test_nonsense_is_refused_by_name(door, kind):
    refuses(lambda: door.call(nonsense(kind, door.good)), door.name)


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_all_forms_of_the_same_numbers_agree(door):
    tensor = torch.tensor(door.good)
    expected = torch.as_tensor(door.call(tensor))
    array = tensor.numpy()
    flipped = np.ascontiguousarray(array[::-1])[::-1]
    forms = [door.good, array, flipped, array.astype(np.float64), tensor.half()]
    for same in [
        *forms,
        tensor.double(),
        tensor[None].repeat(2, *[1] * tensor.ndim)[1],
    ]:
        assert torch.equal(torch.as_tensor(door.call(same)), expected)


def test_bytes_are_grey_levels_in_arrays_too():
    levels = GREY[:9].numpy()
    assert torch.equal(moments(levels), moments(GREY[:9]))
    assert torch.equal(pixels(levels.reshape(9, 28, 28)), pixels(GREY[:9]))
    for wrong in (GREY[:9].long(), GREY[:9].float(), -GREY[:9] / 255.0 - 0.1):
        refuses(lambda w=wrong: moments(w), "images must lie in [0, 1]")


@pytest.mark.parametrize(
    "labels",
    [None, "7", [0.5], [-1], [10], [[1]], [1, 2], [], [1j], torch.ones(1)],
)
def test_labels_are_whole_numbers_from_0_to_9(labels):
    refuses(lambda: labels_of(labels, 1), "labels must be")
    refuses(lambda: DESCRIBER.bags(GREY[:1], labels), "labels must be")


def test_labels_of_all_kinds_agree():
    expected = DESCRIBER.bags(GREY, LABELS)
    for same in (LABELS.tolist(), LABELS.numpy(), LABELS.to(torch.uint8)):
        assert torch.equal(DESCRIBER.bags(GREY, same), expected)


@pytest.mark.parametrize("text", [None, 7, ["seven"], b"seven"])
def test_a_phrase_is_a_text(text):
    refuses(lambda: parse(text), "text must be a str")


@pytest.mark.parametrize("bag", [[0.5] * 17, [2.0] * 17, [-1.0] * 17, [1.0] * 16])
def test_a_bag_holds_zeros_and_ones(bag):
    refuses(lambda: spell(bag), "bag must be")


def test_words_do_not_depend_on_the_default_type():
    usual, bags = moments(GREY), DESCRIBER.bags(GREY, LABELS)
    torch.set_default_dtype(torch.float64)
    try:
        assert torch.equal(moments(GREY), usual)
        made = Describer.of(GREY, LABELS)
        assert torch.equal(made.limits, DESCRIBER.limits)
        assert torch.equal(made.bags(GREY, LABELS).float(), bags)
    finally:
        torch.set_default_dtype(torch.float32)
    for bad in (None, 1, "yes"):
        refuses(lambda bad=bad: DESCRIBER.bags(GREY, LABELS, bad), "clear must be")
