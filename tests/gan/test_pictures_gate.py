"""The pictures of notebook 05 refuse nonsense by name, before they draw."""

import pytest
import torch
from torch.distributions import Normal

from course_utils.data import ring_of_gaussians
from course_utils.gan import Discriminator, Generator, canvas, gallery, pictures
from tests.drawn import (
    Picture,
    draws_the_same_in_all_clothes,
    named,
    refuses_nonsense,
)
from tests.hostile import refuses

pytestmark = pytest.mark.usefixtures("course_style")
RING, P, LINE = ring_of_gaussians(), Normal(0.0, 1.0), [0.5, 1.0, 2.0]
PLANE, SHARES = [[0.0, 1.0], [2.0, 0.5], [1.0, 1.0]], [0.25, 0.5, 1.0]
NETS = {"hidden": (3,), "seed": 0}
IN_PLANE = (Generator(2, 2, **NETS), Discriminator(2, **NETS), "shot")
ON_LINE = (Generator(1, 1, **NETS), Discriminator(1, **NETS), "shot")
PAINTER = (Generator(2, 784, output="sigmoid", **NETS), "shot")
INK = [[0.0, 1.0] * 392, [1.0] * 784]
SHADED = {"learned": SHARES, "grid": LINE, "shaded": (0.5, 1.0)}
GRADIENTS = {"logit": lambda x: x.square().sum(1), "fake": PLANE, "centre": [0.0, 1.0]}
GRADIENTS |= {"sigma": 1.0, "narrow": 0.5, "title": "D"}
HISTORY = ([0, 10, 20], SHARES)


def turning(theta, psi, step, penalty, alternate, momentum=0.0, last=(0, 0)):
    return theta + step * psi, psi - step * theta


TURNS = {"step": 0.5, "penalty": 0.0, "momentum": 0.0, "play_round": turning}
PICTURES = named(
    Picture(
        gallery.plot_runs, {"runs": [PLANE], "modes": RING, "titles": ["a"]}, (1, 1)
    ),
    Picture(gallery.draw_modes, {"shot": IN_PLANE, "modes": RING, "noise": PLANE}),
    Picture(
        gallery.plot_spread,
        {"spreads": {"a": [LINE]}},
        free=("spreads first: nan", "spreads first: infinite", "spreads first: ragged"),
    ),
    Picture(gallery.plot_gradients, GRADIENTS),
    Picture(
        gallery.plot_coverage,
        {"runs": {"a": [HISTORY]}, "floors": {"b": 0.5}, "top": 1.0},
        free=("floors empty", "runs first: first: first: column"),
    ),
    Picture(
        gallery.plot_shares,
        {"runs": [([0, 10], [[0.5, 0.25]] * 2)], "titles": ["a"], "top": 0.5},
        (1, 1),
        free=("runs first: first: column", "top none"),
    ),
    Picture(
        gallery.plot_sheet,
        {"images": INK, "columns": 2, "title": "a", "names": ["b"]},
        free=("names empty",),
    ),
    Picture(gallery.draw_sheet, {"shot": PAINTER, "noise": PLANE, "columns": 3}),
    Picture(gallery.plot_classes, {"shares": {"a": [0.5] * 10}}),
    Picture(
        pictures.plot_curve_of_samples, {"z": [[1.0], [2.0], [0.5]], "x": PLANE}, (1, 2)
    ),
    Picture(pictures.plot_machines, {}, (1, 2)),
    Picture(pictures.draw_dirac, TURNS | {"rounds": 3}),
    Picture(pictures.draw_game, {"shot": ON_LINE, "p": P}),
    Picture(
        pictures.draw_moves,
        {"d_steps": 1, "g_steps": 0, "shots": {(1, 0): ON_LINE}, "p": P},
    ),
    Picture(
        pictures.plot_peaks,
        {"pairs": [(1, 1), (1, 3)]},
        free=("pairs first: half", "pairs first: first: half"),
    ),
    Picture(pictures.plot_best, {"p": P, "q": P, "best": SHARES} | SHADED),
    Picture(
        pictures.draw_best, {"mean": 0.5, "sigma": 1.0, "p": P, "grid": LINE}, (1, 2)
    ),
    Picture(pictures.plot_two_losses, {}, (1, 2)),
    Picture(pictures.plot_pull, {"distance": LINE, "pulls": {"−log D": LINE}}),
    Picture(
        pictures.plot_race,
        {"paths": {"−log D": [LINE]}, "goal": 6.0},
        free=("paths first: ragged",),
    ),
    Picture(canvas.square, {"half": 3.0}),
    Picture(canvas.tint, {"extent": (0.5, 1.0, 0.5, 1.0), "shape": (2, 3)}),
)


@pytest.mark.parametrize("picture", PICTURES)
def test_nonsense_is_refused_before_anything_is_drawn(picture):
    refuses_nonsense(picture)


@pytest.mark.parametrize("picture", PICTURES)
def test_the_same_numbers_make_the_same_picture(picture):
    draws_the_same_in_all_clothes(picture)


def test_what_players_return_is_named(ax):
    class Judge:
        def probability(self, x):
            return torch.ones(len(x), 1)

    shot = (IN_PLANE[0], Judge(), "a")
    refuses(
        lambda: gallery.draw_modes(ax, shot, RING, PLANE), "D must return the shape"
    )
    shot = (ON_LINE[0], Judge(), "a")
    refuses(lambda: pictures.draw_game(ax, shot, P), "probability of D must return")
    flat = GRADIENTS | {"logit": lambda x: torch.ones(len(x))}
    refuses(lambda: gallery.plot_gradients(ax, **flat), "logit must be finite")
    assert not ax.collections and not ax.images


def test_no_third_setting_is_dropped(ax):
    runs = {name: [HISTORY] for name in "abc"}
    refuses(lambda: gallery.plot_coverage(ax, runs, {}), "runs must be at most 2")
    refuses(lambda: pictures.plot_peaks(ax, [(1, 1)] * 5), "pairs must be at most 4")
    refuses(lambda: pictures.plot_pull(ax, LINE, {"x": LINE}), "each key of pulls must")
    refuses(lambda: gallery.plot_sheet(ax, INK, 2, "", "ab"), "names must be a list")
    refuses(lambda: gallery.plot_sheet(ax, INK, 2, "", ["a", "b"]), "at most 1")
