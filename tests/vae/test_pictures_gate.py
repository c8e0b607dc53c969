"""The pictures of notebook 04 refuse nonsense by name, before they draw."""

from types import SimpleNamespace

import pytest
import torch

from course_utils.vae import VAE, pictures, prior_pictures
from course_utils.vae.code_prior import MADE
from tests.drawn import (
    Picture,
    draws_the_same_in_all_clothes,
    named,
    refuses_nonsense,
)
from tests.hostile import refuses

pytestmark = pytest.mark.usefixtures("course_style")
MODEL = VAE(784, 2, hidden=(3,))
FITS = {0.5: MODEL, 1.0: MODEL}
INK, LINE = [[0.0, 1.0] * 392, [1.0] * 784], [0.5, 1.0, 2.0]
MOMENT = SimpleNamespace(epoch=1.0, elbo=-120.0, held_out_elbo=-121.0)
CODES, LABELS = [[0.0, 1.0], [2.0, 0.5], [1.0, 1.0]], [0, 9, 9]
BLUR = {"names": list("abcd"), "variance": [1.0] * 4, "edges": [0.5] * 4}
FOUND = {k: (INK, 2.0, 0.5, -3.0, -4.0) for k in (1, 10)}
SQUARE = [[1.0, 0.5, 0.25], [0.5, 1.0, 2.0], [0.0, 0.5, 3.0]]
HOLE = [[1, 0, 0], [0, 0, 1], [0, 1, 1]]
PICTURES = named(
    Picture(
        pictures.plot_marginal,
        {"z": LINE, "mean": LINE, "sigma": 0.5, "grid": LINE, "density": LINE},
        (1, 2),
    ),
    Picture(pictures.add_inference),
    Picture(pictures.draw_data_path),
    Picture(pictures.plot_digits, {"images": INK, "columns": 2, "title": "two"}),
    Picture(pictures.plot_rows, {"rows": [INK, INK], "names": ["a", "b"]}),
    Picture(pictures.draw_nine, {"beta": 1.0, "fits": FITS, "x": INK}, (1, 2)),
    Picture(
        pictures.plot_nine_splits,
        {"fits": FITS, "x": INK, "splits": dict.fromkeys(FITS, (3.0, 2.0, 1.0))},
        (1, 2),
    ),
    Picture(pictures.plot_training, {"states": [MOMENT]}),
    Picture(
        pictures.draw_training,
        {"moment": (MOMENT, INK), "film": [(MOMENT, INK)], "x": INK},
        (1, 2),
    ),
    Picture(pictures.plot_manifold, {"model": MODEL, "n": 2}),
    Picture(pictures.mark_manifold, {"n": 2}),
    Picture(pictures.plot_clouds, {"z": CODES, "labels": LABELS, "half_width": 3.0}),
    Picture(
        pictures.draw_latent,
        {"z1": 0.5, "z2": 1.0, "model": MODEL, "z": CODES, "labels": LABELS},
        (1, 2),
    ),
    Picture(pictures.plot_sharpness, BLUR, (1, 2), ("variance column", "edges column")),
    Picture(pictures.plot_kl_per_dimension, {"kl": LINE}),
    Picture(
        pictures.plot_aggregated,
        {"ticks": LINE, "aggregated": SQUARE, "prior": SQUARE, "hole": HOLE},
    ),
    Picture(prior_pictures.draw_numbers, {"gaussians": 10, "found": FOUND}, (1, 3)),
    Picture(
        prior_pictures.plot_codes,
        {"codes": [[1.0, 2.0, 0.0, 3.0]], "row": 1, "highest": 7.0},
    ),
    Picture(prior_pictures.plot_bits, {"bits": [[1.0, 0.0, 0.0, 1.0]], "row": 0}),
    Picture(prior_pictures.plot_masks, {"made": MADE(n_bits=4, units=3)}, (1, 3)),
)


@pytest.mark.parametrize("picture", PICTURES)
def test_nonsense_is_refused_before_anything_is_drawn(picture):
    refuses_nonsense(picture)


@pytest.mark.parametrize("picture", PICTURES)
def test_the_same_numbers_make_the_same_picture(picture):
    draws_the_same_in_all_clothes(picture)


def test_grey_levels_and_logits_are_no_ink(ax):
    grey = (255 * torch.rand(2, 784)).byte()
    refuses(lambda: pictures.plot_digits(ax, grey, 2), "use images / 255")
    refuses(lambda: pictures.plot_digits(ax, grey.float(), 2), "images must be in [0")
    refuses(lambda: pictures.plot_rows(ax, [grey], ["a"]), "rows[0] must be ink")


def test_classes_that_are_not_there_have_no_number(ax):
    pictures.plot_clouds(ax, CODES, LABELS)
    assert [text.get_text() for text in ax.texts] == ["0", "9"]
    refuses(lambda: pictures.apart([[0.0, 1.0]], -1.0), "least must be at least 0")
