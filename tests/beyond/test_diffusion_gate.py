"""The denoiser meets hostile input: other types, shapes, scales, and NaN in the run."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.beyond.diffusion import Denoiser, check_scale, heun, train_diffusion
from course_utils.data import load_old_faithful
from course_utils.training import last, seeded
from tests.hostile import Door, cases, nonsense, refuses, same_in_all_clothes

quiet = settings(deadline=None, max_examples=30, derandomize=True, database=None)
X = [[1.0, 2.0], [0.5, -1.0], [0.0, 3.0], [2.0, 2.0]]
TOLD = [[1.0, 0.0, 1.0], [0.0, 0.0, 1.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
SIGMA = [[1.5], [0.5], [1.0], [3.0]]
TINY = {"hidden": (4,)}
PLAIN, TOLD_TO = Denoiser(**TINY).double(), Denoiser(**TINY, extra=3).double()


def trained(x):
    denoiser = Denoiser(**TINY).double()
    return last(train_diffusion(denoiser, x, 2, batch_size=3)).loss


DOORS = {
    "call-x": Door("x", lambda x: PLAIN(x, 1.5), X),
    "call-sigma": Door("sigma", lambda sigma: PLAIN(X, sigma), SIGMA),
    "call-told": Door("told", lambda told: TOLD_TO(X, 1.5, told), TOLD, ("none",)),
    "score-x": Door("x", lambda x: PLAIN.score(x, 1.5), X),
    "score-sigma": Door("sigma", lambda sigma: PLAIN.score(X, sigma), SIGMA),
    "encode": Door("x", lambda x: PLAIN.encode(x, 3), X),
    "log_prob": Door("x", lambda x: PLAIN.log_prob(x, 3), X),
    "walk": Door("x", lambda x: last(PLAIN.walk(x, [1.0, 0.5])), X),
    "walk-levels": Door(
        "levels", lambda levels: last(PLAIN.walk(X, levels)), [4.0, 2.0, 0.5]
    ),
    "loss": Door("x0", lambda x0: loss_of(x0), X),
    "train": Door("x", trained, X),
    "heun": Door("x", lambda x: walked(x), X, ("column", "empty")),  # of any shape
}


def walked(x):
    return last(heun(lambda x, sigma: x / 2, x, [2.0, 1.0]))


def loss_of(x0):
    return PLAIN.loss(x0, torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("door", "kind"), cases(DOORS))
def test_nonsense_is_refused_by_name(door, kind):
    refuses(lambda: door.call(nonsense(kind, door.good)), door.name)


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_all_forms_of_the_same_numbers_agree(door):
    same_in_all_clothes(door)


@quiet
@given(st.integers(1, 9), st.integers(1, 9), st.booleans())
def test_whole_numbers_are_not_cut(x, sigma, double):
    denoiser = Denoiser(**TINY).to(torch.float64 if double else torch.float32)
    whole, exact = torch.tensor([[x, -x]]), torch.tensor([[x, -x]]).double()
    for s in (sigma / 2, sigma):
        assert torch.equal(denoiser(whole, s), denoiser(exact, s))
        assert torch.equal(denoiser.score(whole, s), denoiser.score(exact, s))
        assert denoiser(whole, s).dtype == denoiser.dtype


def test_old_faithful_in_minutes_is_refused_and_scaled_it_is_learned():
    minutes = load_old_faithful()
    words = r"column 0 has mean 3.488 and deviation 1.139.*\(x - x.mean\(0\)\) / x.std"
    with pytest.raises(ValueError, match=words):
        train_diffusion(Denoiser(), minutes)
    mean, width = minutes.mean(0), minutes.std(0)
    denoiser = Denoiser(hidden=(32, 32))
    last(train_diffusion(denoiser, (minutes - mean) / width, 600))
    with seeded(0):
        drawn = denoiser.sample(2000) * width + mean
    assert ((drawn.mean(0) - mean).abs() / width).max() < 0.15
    assert (drawn.std(0) / width - 1).abs().max() < 0.15


@quiet
@given(st.floats(-40, 40), st.floats(0.01, 100), st.floats(0.01, 100))
def test_data_are_where_the_walk_ends_or_refused(shift, width, narrow):
    """The exact walk of a Gaussian: its mean and deviation against those of the data.

    What is let through is off by at most a fifth of the width.
    """
    x = torch.tensor([[-1.0], [1.0]]).double() * width + shift
    denoiser = Denoiser(1, **TINY, sigma_data=narrow, sigma_range=(0.005, 10.0))
    try:
        check_scale(denoiser, x)
    except ValueError:
        assert abs(shift) > 2 or width > min(5, 5 * narrow) or width < narrow / 10
        return
    ratio = math.hypot(width, 0.005) / math.hypot(width, 10)
    begins = math.hypot(10, narrow)
    assert abs(ratio * shift) <= 0.21 * math.hypot(width, 0.005)
    assert math.hypot(10, width) / begins == pytest.approx(1, abs=0.13)


def test_columns_without_spread_are_let_through():
    check_scale(Denoiser(), torch.zeros(1, 2))
    check_scale(Denoiser(), torch.tensor([[1.0, 0.0], [-1.0, 0.0]]))
    refuses(
        lambda: check_scale(Denoiser(), 3 * torch.ones(5, 2)), "column 0 has mean 3"
    )


@pytest.mark.parametrize(
    "returns",
    [
        lambda x, s: None,
        lambda x, s: x.numpy(),
        lambda x, s: x[:, :1],
        lambda x, s: x.sum(),
        lambda x, s: x + 0j,
    ],
)
def test_a_denoiser_that_returns_something_else_is_named(returns):
    refuses(lambda: list(heun(returns, torch.zeros(3, 2), [2.0, 1.0])), "denoise must")


def test_a_guess_that_is_no_number_ends_the_walk():
    sick = Denoiser(**TINY)
    with torch.no_grad():
        sick.network[0].weight.fill_(math.nan)
    with pytest.raises(FloatingPointError, match="no number at σ"):
        sick.sample(3, 4)
    with pytest.raises(FloatingPointError, match="no number at σ = 2"):
        list(heun(lambda x, s: x * math.inf, torch.ones(3, 2), [2.0, 1.0]))
    refuses(lambda: train_diffusion(sick, torch.randn(9, 2), 2), "finite weights")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("sigma_data", {"sigma_data": math.inf}),
        ("sigma_data", {"sigma_data": "1"}),
        ("sigma_data", {"sigma_data": 1e-30}),
        ("sigma_range", {"sigma_range": 3}),
        ("sigma_range", {"sigma_range": (1.0, 2.0, 3.0)}),
        ("sigma_range", {"sigma_range": (1.0, None)}),
        ("sigma_range", {"sigma_range": (1e-30, 1.0)}),
        ("sigma_range", {"sigma_range": (1.0, 1e30)}),
        ("log_sigma", {"log_sigma": 1.0}),
        ("log_sigma", {"log_sigma": (math.nan, 1.0)}),
        ("log_sigma", {"log_sigma": (0.0, math.inf)}),
        ("data_dim", {"data_dim": 2.0}),
        ("extra", {"extra": 1.5}),
        ("seed", {"seed": None}),
        ("seed", {"seed": 1.5}),
    ],
)
def test_settings_without_sense_are_named(name, options):
    refuses(lambda: Denoiser(**TINY | options), name)


@pytest.mark.parametrize("steps", [0, -1, 2.5, "3", None, True, math.nan])
def test_steps_are_a_whole_number(steps):
    for call in (
        lambda: PLAIN.sample(3, steps),
        lambda: PLAIN.levels(steps),
        lambda: PLAIN.encode(X, steps),
        lambda: PLAIN.log_prob(X, steps),
        lambda: train_diffusion(PLAIN, X, steps),
    ):
        refuses(call, "steps")
    refuses(lambda: PLAIN.sample(steps), "n must be")


@pytest.mark.parametrize("sigma", [1e-30, 1e30])
def test_noise_whose_square_is_no_number_is_refused(sigma):
    refuses(lambda: PLAIN(X, sigma), "sigma must be from 1e-15 to 1e")
    refuses(lambda: PLAIN.score(X, sigma), "sigma must be")


def test_other_things_are_named():
    for other in (None, "denoiser", torch.nn.Linear(2, 2)):
        refuses(lambda o=other: train_diffusion(o, X), "denoiser must be a Denoiser")
    refuses(lambda: PLAIN.loss(X, generator=3), "generator")
    refuses(lambda: heun(None, X, [1.0]), "denoise must be a function")


def test_a_density_is_the_same_in_inference_mode():
    denoiser, x = Denoiser(2, (4,)), torch.tensor([[0.5, -1.0]])
    usual = denoiser.log_prob(x, 3)
    with torch.inference_mode():
        assert torch.equal(denoiser.log_prob(x.clone(), 3), usual.detach())
