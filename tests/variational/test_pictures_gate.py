"""The pictures of notebook 03 refuse nonsense by name, before they draw."""

from types import SimpleNamespace

import pytest
import torch
from torch.distributions import MultivariateNormal, Normal

from course_utils.variational import family_pictures, gradient_pictures, pictures
from course_utils.variational.oracles import GridModel, circle_model
from course_utils.variational.ppca import LinearGaussian
from tests.drawn import (
    Picture,
    draws_the_same_in_all_clothes,
    named,
    refuses_nonsense,
)
from tests.hostile import refuses

pytestmark = pytest.mark.usefixtures("notebook_defaults")
DOUBLE = torch.float64
GRID = torch.linspace(-8, 8, 201, dtype=DOUBLE)
MODEL = GridModel(
    Normal(torch.tensor(0.0, dtype=DOUBLE), 1.0),
    lambda x, z: Normal(z, 1.0).log_prob(x),
    GRID,
)
ONE = torch.tensor(0.5, dtype=DOUBLE)
X, LINE = [[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]], [0.5, 1.0, 2.0]
PAIR = SimpleNamespace(mean=torch.zeros(3), stddev=torch.ones(3))
LINEAR = LinearGaussian(torch.ones(2, 1).double(), torch.zeros(2).double(), 1.0)
TARGET = MultivariateNormal(torch.zeros(2).double(), torch.eye(2).double())
TWO = torch.ones(2, dtype=DOUBLE)
STATE = SimpleNamespace(step=0, mean=TWO, sigma=TWO, coordinate=None)
NAMED = SimpleNamespace(step=0, means=TWO, sigmas=TWO, elbo=-1.0)
TABLE = torch.ones(2, 2, dtype=DOUBLE)
FITS = SimpleNamespace(elbo=TABLE, q=Normal(TABLE, 1.0))
FACTS = {"names": ["a", "b"], "approximation": 0.5, "amortization": [0.5, 1.0]}
SQUARE = [[1.0, 0.5, 0.25], [0.5, 1.0, 2.0], [0.0, 0.5, 3.0]]
PICTURES = named(
    Picture(pictures.plot_bags, {"labels": ["a", "b"], "probability": [0.25, 0.75]}),
    Picture(pictures.plot_term_count, {"per_second": 1e10}),
    Picture(pictures.draw_jensen, {"share": 0.5, "low": 0.5, "high": 3.0}),
    Picture(
        pictures.draw_identity,
        {"mu": 0.5, "sigma": 0.5, "model": MODEL, "x": ONE, "floor": -10.0},
        (1, 2),
        free=("x",),
    ),
    Picture(
        pictures.plot_learning,
        {"x": X, "elbos": LINE, "exact": LINEAR, "learned": LINEAR},
        (1, 2),
    ),
    Picture(
        pictures.plot_parameter_counts,
        {"per_point": 100, "network": 1000.0},
        free=("per_point half",),
    ),
    Picture(pictures.plot_encoder, {"bounds": LINE, "x": X, "q": PAIR}, (1, 2)),
    Picture(pictures.plot_gaps, FACTS | {"errors": [0.5, 0.25]}),
    Picture(
        pictures.plot_gap_map,
        {"x": X, "gap": LINE, "other_peak": [1, 0, 0], "title": "4", "top": 1.0},
    ),
    Picture(
        pictures.plot_iwae,
        {"k": [1, 2, 4], "bounds": LINE, "log_p": 3.0, "estimates": (LINE, LINE)},
    ),
    Picture(family_pictures.draw_mean_field, {"rho": 0.5}, (1, 2)),
    Picture(
        family_pictures.draw_cavi,
        {"state": STATE, "states": [STATE], "target": TARGET},
    ),
    Picture(
        family_pictures.draw_two_peaks,
        {
            "x": 0.5,
            "start": 1.0,
            "readings": [0.0, 1.0],
            "starts": [-1.0, 1.0],
            "fits": FITS,
            "model": MODEL,
        },
    ),
    Picture(
        family_pictures.plot_curves,
        {"grid": LINE, "curves": {"q": (LINE, "latent", "--")}},
        free=("curves first: first: nan", "curves first: first: infinite"),
    ),
    Picture(
        family_pictures.plot_inclusion,
        {"weights": LINE, "mean_field": [0.0, 0.5, 1.0], "exact": [0.0, 0.5, 1.0]},
    ),
    Picture(
        family_pictures.plot_two_forces,
        {"variance": LINE, "wider": LINE, "narrower": LINE},
    ),
    Picture(
        family_pictures.plot_slice,
        {"target": TARGET, "begin": [0.0, 1.0], "line": LINE, "density": LINE}
        | {"mean": 0.5},
        (1, 2),
    ),
    Picture(family_pictures.plot_mirror, {"ticks": LINE, "log_density": SQUARE}),
    Picture(
        family_pictures.draw_names,
        {"state": NAMED, "states": [NAMED], "ticks": LINE, "log_density": SQUARE},
    ),
    Picture(
        gradient_pictures.draw_reparameterization,
        {"mu": 0.5, "sigma": 1.0, "noise": LINE, "target": 1.0},
        (1, 2),
    ),
    Picture(
        gradient_pictures.draw_variances,
        {"d": 3, "constant": 5.0, "variance": lambda a, k, c: a.sum() + k},
    ),
    Picture(
        gradient_pictures.plot_climb,
        {"model": MODEL, "x": ONE, "q": Normal(ONE, 1.0), "bounds": LINE},
        (1, 2),
        free=("x",),
    ),
)


@pytest.mark.parametrize("picture", PICTURES)
def test_nonsense_is_refused_before_anything_is_drawn(picture):
    refuses_nonsense(picture)


@pytest.mark.parametrize("picture", PICTURES)
def test_the_same_numbers_make_the_same_picture(picture):
    draws_the_same_in_all_clothes(picture)


def test_a_batch_is_no_single_observation(pair):
    model, x = circle_model(), torch.ones(3, 2, dtype=DOUBLE)
    wrong = "model.log_prob(x) must be a number"
    refuses(lambda: pictures.draw_identity(pair, 0.5, 0.5, model, x), wrong)
    q = Normal(ONE, 1.0)
    refuses(lambda: gradient_pictures.plot_climb(pair, model, x, q, LINE), wrong)


def test_a_role_is_a_meaning_or_a_colour(ax):
    curves = {"q": (LINE, "no colour", "-")}
    refuses(lambda: family_pictures.plot_curves(ax, LINE, curves), "must be a colour")
    refuses(lambda: pictures.posterior_and_q(ax, None, ONE, "q"), "model must have")


def test_heights_that_hide_all_nats_are_refused(ax):
    huge = torch.ones(3, 3, dtype=DOUBLE) * 1e300
    refuses(lambda: family_pictures.plot_mirror(ax, LINE, huge), "log_density must be")
    assert not ax.collections
