"""The pictures of notebook 07 refuse nonsense by name, before they draw."""

from types import SimpleNamespace

import pytest
import torch

from course_utils.beyond import digit_pictures, language_pictures, pictures
from course_utils.beyond.words import parse
from course_utils.data import ring_of_gaussians
from tests.drawn import (
    Picture,
    draws_the_same_in_all_clothes,
    named,
    refuses_nonsense,
)
from tests.hostile import refuses

pytestmark = pytest.mark.usefixtures("course_style")
LINE, PLANE = [0.5, 1.0, 2.0], [[0.0, 1.0], [2.0, 0.5], [1.0, 1.0]]
INK = [[0.0, 1.0] * 392, [1.0] * 784]
REAL = {"confident": "0.96", "covered": "0.95", "ms": "nan", "d2": "3.4"}
ROW = REAL | {"ms": "20", "log_prob": "nan"}
ANY = ("rows first: first: first: a number",)
FOUND = SimpleNamespace(high_quality=0.5)
SQUARE = [[1.0, 0.5], [0.25, 2.0]]
ALPHABET = "abcdefghijklm\n"
LOG_P = torch.zeros(14).log_softmax(0).tolist()
PLANES = {"guidance": 0.5, "samples": {0.5: PLANE}, "powers": {0.5: SQUARE}}
PHRASE = {"paint": lambda *_: torch.rand(20, 784), "bag": parse("a seven")[0]}
PHRASE |= {"unknown": ["word"], "guidance": 1.0, "seed": 3, "columns": 10}
WAYS = {"one_by_one": lambda t: [0.5, 0.5], "as_a_whole": lambda t: [0.5, 0.5]}
MOMENT = (3, 0.5, PLANE, [0, 1, 2])
STEPS = {"steps": 4, "ring": ring_of_gaussians(), "drawn": {4: PLANE}}
PICTURES = named(
    Picture(digit_pictures.plot_sheets, {"drawn": {"a": INK}, "columns": 2}, (1, 2)),
    Picture(
        digit_pictures.plot_thirds,
        {"images": INK * 15, "thirds": [[k % 3] * 3 for k in range(30)]},
        (1, 3),
    ),
    Picture(digit_pictures.plot_scores, {"rows": {"a": [ROW]}}, (1, 4), ANY),
    Picture(
        digit_pictures.plot_triangles,
        {"rows": {"a": [ROW]}, "real": REAL},
        (1, 2),
        (*ANY, "real first: a number"),
    ),
    Picture(
        digit_pictures.draw_plane, PLANES | {"centres": PLANE, "half": 4.0}, (1, 2)
    ),
    Picture(digit_pictures.plot_trade, {"table": {0.5: (0.5, 12.0)}}, (1, 2)),
    Picture(digit_pictures.phrase, PHRASE, free=("bag", "unknown empty")),
    Picture(language_pictures.plot_reach, {"sees": [[0, 1], [0, 0]]}),
    Picture(
        language_pictures.draw_writing,
        {"moment": ("abc", LOG_P), "alphabet": ALPHABET, "rows": 3},
    ),
    Picture(language_pictures.plot_bits, {"scores": {"a": 3.5}}),
    Picture(
        language_pictures.plot_surprise, {"text": "abc", "bits": LINE, "most": 8.0}
    ),
    Picture(
        language_pictures.draw_temperature,
        {"temperature": 0.5, "texts": ["a", "b"]} | WAYS,
    ),
    Picture(pictures.draw_walk, {"moment": MOMENT, "steps": 24}),
    Picture(pictures.draw_steps, STEPS | {"found": {4: FOUND}}, free=("ring none",)),
)


@pytest.mark.parametrize("picture", PICTURES)
def test_nonsense_is_refused_before_anything_is_drawn(picture):
    refuses_nonsense(picture)


@pytest.mark.parametrize("picture", PICTURES)
def test_the_same_numbers_make_the_same_picture(picture):
    draws_the_same_in_all_clothes(picture)


def test_what_depends_on_another_argument_is_refused(ax):
    few = [[0, 0, 0], [1, 1, 1]]
    axes = ax.figure.subplots(1, 3)
    refuses(
        lambda: digit_pictures.plot_thirds(axes, INK, few), "thirds must be 5 digits"
    )
    refuses(
        lambda: language_pictures.draw_writing(ax, ("a", [0.0] * 14), ALPHABET),
        "log_p must be log-probabilities",
    )
    refuses(
        lambda: language_pictures.draw_writing(ax, ("a", [-1.0] * 3), "abc"),
        "alphabet must be 12 characters or more",
    )
    draw = digit_pictures.sharpening(lambda: INK, 2)
    refuses(lambda: draw(None, "step"), "ax must be axes")
    refuses(lambda: digit_pictures.sharpening(None), "decode must be a function")
    grey = digit_pictures.sharpening(lambda: torch.ones(2, 784).byte())
    refuses(lambda: grey(ax, "step"), "what decode returns must be ink")
