"""The pictures of notebook 06 refuse nonsense by name, before they draw."""

from types import SimpleNamespace

import pytest
import torch
from torch.distributions import Normal

from course_utils.data import ring_of_gaussians
from course_utils.divergences import pictures, plane, round_mixture, trilemma
from course_utils.divergences import sample_pictures as of_samples
from tests.drawn import (
    Picture,
    draws_the_same_in_all_clothes,
    named,
    refuses_nonsense,
)
from tests.hostile import refuses

pytestmark = pytest.mark.usefixtures("course_style")
LINE, PLANE = [0.5, 1.0, 2.0], [[0.0, 1.0], [2.0, 0.5], [1.0, 1.0]]
ONE = round_mixture([0.5, 0.5], [-2.0, 2.0], [0.7, 0.7])
TWO = round_mixture([0.5, 0.5], [[-2.0, 0.0], [2.0, 0.0]], [0.7, 0.7])
MEAN = torch.zeros(2)
MINIMUM = SimpleNamespace(mean=MEAN, sigma=1.0)
FIT = SimpleNamespace(mean=MEAN, sigma=1.0, minima=[MINIMUM], distribution=TWO)
NAMES = dict.fromkeys(pictures.NAMES)
TEST = SimpleNamespace(permuted=torch.rand(5), mmd2=0.5, p_value=0.25)
ROW = {"quality": "0.9", "covered": "0.8", "spread_mean": "1.0", "ms": "20"}
ROW |= {"strict": "7", "reverse_kl": "0.1"}
TABLE = [[0.5, 1.0], [0.25, 0.5], [0.25, 0.75]]
CURVES = {"climbs": {"a": TABLE[:2]}, "truth": 0.5}
ESTIMATES = {"sizes": [10, 20, 50], "mmd2": TABLE, "truth_mmd2": 0.5}
ESTIMATES |= {"jsd": {"a": TABLE}, "truth_jsd": 0.25}
ANY = ("rows first: first: first: a number",)
PICTURES = named(
    Picture(
        pictures.plot_prices,
        {"p": Normal(0.0, 1.0), "models": {"a": Normal(1.0, 1.0)}, "grid": LINE},
        (2, 1),
    ),
    Picture(
        pictures.draw_separation,
        {"separation": 3.5, "share": 0.5, "names": ["forward_kl"]},
        (1, 1),
    ),
    Picture(pictures.plot_shift, {"shifts": LINE, "curves": {"JSD": LINE}}, (1, 2)),
    Picture(pictures.draw_witness, {"bandwidth": 1.0, "p": ONE, "q": ONE}, (1, 2)),
    Picture(pictures.plot_estimators, {"biased": LINE, "unbiased": LINE}),
    Picture(plane.add_target, {"target": TWO, "half_widths": (3.0, 2.0)}),
    Picture(plane.add_rings),
    Picture(pictures.plot_fits, {"target": TWO, "fits": {"js": FIT}}, (1, 1)),
    Picture(
        pictures.draw_fits, {"separation": 3.5, "share": 0.5, "width": 0.5}, (1, 4)
    ),
    Picture(pictures.plot_samples, {"target": TWO, "x": PLANE, "is_off": [0, 1, 0]}),
    Picture(
        pictures.plot_trade,
        {"wasted": NAMES | dict.fromkeys(NAMES, 1.0)}
        | {"off": dict.fromkeys(NAMES, 0.25)},
    ),
    Picture(pictures.plot_growing, {"target": TWO, "fits": {"js": {1: FIT}}}, (1, 1)),
    Picture(
        pictures.log_counts, {"counts": LINE, "label": "n"}, free=("counts column",)
    ),
    Picture(
        pictures.plot_meeting,
        {"fits": {"js": {1: FIT, 2: FIT}}, "distance": lambda q: 0.5},
    ),
    Picture(of_samples.plot_climb, CURVES, (1, 1)),
    Picture(of_samples.plot_estimates, ESTIMATES, (1, 2)),
    Picture(of_samples.plot_permutation, {"tests": {"a": TEST}}, (1, 1)),
    Picture(trilemma.square),
    Picture(
        trilemma.plot_samples,
        {"ring": ring_of_gaussians(), "drawn": {"data": PLANE}},
        (1, 2),
        free=("ring none",),
    ),
    Picture(trilemma.plot_scores, {"rows": {"a": [ROW]}}, (1, 4), ANY),
    Picture(trilemma.plot_triangles, {"rows": {"a": [ROW]}}, (1, 2), ANY),
)


@pytest.mark.parametrize("picture", PICTURES)
def test_nonsense_is_refused_before_anything_is_drawn(picture):
    refuses_nonsense(picture)


@pytest.mark.parametrize("picture", PICTURES)
def test_the_same_numbers_make_the_same_picture(picture):
    draws_the_same_in_all_clothes(picture)


def test_what_else_they_compute_with_is_refused():
    for bad in (None, "1", -1.0, float("nan")):
        refuses(lambda bad=bad: pictures.two_bumps(bad, 0.5), "separation must")
        refuses(lambda bad=bad: pictures.theis_like(1.0, bad, 0.5), "share must")
        refuses(lambda bad=bad: pictures.density(ONE, bad), "grid must")
        refuses(lambda bad=bad: plane.plane((1.0, bad)), "half_widths[1] must")
        refuses(lambda bad=bad: trilemma.corners_of(bad), "row must be")
    refuses(lambda: pictures.density(TWO), "mixture must be of d = 1")
    refuses(lambda: plane.image_of(ONE, (LINE, LINE)), "mixture must be of d = 2")
    wrong = ROW | {"quality": "good"}
    refuses(lambda: trilemma.corners_of(wrong), "row['quality'] must be a number")
    refuses(lambda: trilemma.corners_of(ROW, 1), "generous must be True or False")
