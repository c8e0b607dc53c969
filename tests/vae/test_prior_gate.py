"""The learned prior meets hostile input: codes in other clothes, far away, nonsense."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import Normal

from course_utils.mixture import GaussianMixture
from course_utils.vae import VAE
from course_utils.vae.prior import (
    MixturePrior,
    bound_with,
    learn_prior,
    split_kl,
    used_latents,
)
from tests.hostile import Door, cases, nonsense, refuses, same_in_all_clothes
from tests.vae.cases import NOT_COUNTS, NOT_NUMBERS, NOT_SEEDS

quiet = settings(deadline=None, max_examples=50, derandomize=True, database=None)
TWO = GaussianMixture([0.5, 0.5], [[0.0], [3.0]], [[[1.0]], [[0.5]]])
PRIOR = MixturePrior(TWO, (1,), latent_dim=2)
MODEL = VAE(3, 2, (4,)).double()
X = torch.tensor([[0.0, 1.0, 1.0], [1.0, 1.0, 0.0]], dtype=torch.float64)
Z = [[0.5, -1.0], [2.0, 0.0], [-0.5, 1.5], [1.0, 2.5], [-1.5, 0.5], [0.0, 3.0]]
LABELS = [0.0, 1.0, 0.0, 1.0, 1.0, 0.0]
F64 = torch.tensor(Z, dtype=torch.float64)
FEW = Z[:2]


def learned(z, labels=None, **options):
    options = {"k": 2, "max_iterations": 3} | options
    found = learn_prior(z, labels=labels, **options).mixture
    return found.weights, found.means, found.covariances


NUMBERS = {
    "density": Door("z", PRIOR.log_prob, Z),
    "used": Door("kl", lambda kl: torch.tensor(used_latents(kl)), Z),
    "learn": Door("z", learned, Z),
    "labels": Door("labels", lambda n: learned(F64, n), LABELS, ("none",)),
    "noise": Door("noise", lambda e: bound_with(MODEL, X, None, e), FEW, ("none",)),
    "noise, prior": Door(
        "noise", lambda e: bound_with(MODEL, X, PRIOR, e), FEW, ("none",)
    ),
    "mu": Door("mu", lambda mu: split_kl(mu, F64, F64), Z),
    "logvar": Door("logvar", lambda logvar: split_kl(F64, logvar, F64), Z),
    "z": Door("z", lambda z: split_kl(F64, F64, z), Z),
}
DATA = {
    "bound": Door(
        "x", lambda x: bound_with(MODEL, x, PRIOR, torch.zeros(2, 2)), X.tolist()
    )
}


@pytest.mark.parametrize(("door", "kind"), cases(NUMBERS | DATA))
def test_nonsense_is_refused_by_name(door, kind):
    name = "mu" if (door.name, kind) == ("mu", "column") else door.name
    refuses(lambda: door.call(nonsense(kind, door.good)), name)


@pytest.mark.parametrize("door", (NUMBERS | DATA).values(), ids=NUMBERS | DATA)
def test_all_forms_of_the_same_numbers_agree(door):
    same_in_all_clothes(door, refusing=door.name == "x")


def test_whole_numbers_are_not_truncated():
    z = torch.tensor([[1, 2], [0, -3]])
    assert torch.equal(PRIOR.log_prob(z), PRIOR.log_prob(z.double()))


def test_settings_are_refused():
    for bad in [*NOT_COUNTS, 0]:
        refuses(lambda bad=bad: learn_prior(F64, bad), "k must")
        refuses(lambda bad=bad: PRIOR.sample(bad), "n must")
        refuses(lambda bad=bad: MixturePrior.standard(bad), "latent_dim must")
        refuses(lambda bad=bad: MixturePrior(TWO, (0,), bad), "latent_dim must")
    for bad in NOT_COUNTS:
        refuses(lambda bad=bad: MixturePrior(TWO, (bad,), 2), "used[0] must")
        refuses(lambda bad=bad: learn_prior(F64, 1, used=(0, bad)), "used[1] must")
        its = {"max_iterations": bad}
        refuses(lambda its=its: learn_prior(F64, 1, **its), "max_iterations must")
    for bad in NOT_SEEDS:
        refuses(lambda bad=bad: learn_prior(F64, 1, seed=bad), "seed must")
    for bad in NOT_NUMBERS:
        floor = {"covariance_floor": bad}
        refuses(lambda floor=floor: learn_prior(F64, 1, **floor), "covariance_floor")
    for bad in (None, "1", 1j, True, math.nan, [1.0, 2.0]):
        refuses(lambda bad=bad: used_latents(F64, bad), "least must")
    for bad in ((), (2,), 3, "1", {0}):
        refuses(lambda bad=bad: learn_prior(F64, 1, used=bad), "used must")
        refuses(lambda bad=bad: MixturePrior(TWO, bad, 2), "used must")
    refuses(lambda: learn_prior(F64, 1, used=(0, 0)), "used must be 2 different")
    refuses(lambda: learn_prior(F64, 7), "k must be from 1 to")
    for bad in (None, Normal(0.0, 1.0), "mixture"):
        refuses(lambda bad=bad: MixturePrior(bad, (0,), 2), "mixture must be a")
    for bad in (None, "yes", 1):
        refuses(lambda bad=bad: PRIOR.sample(2, bad), "components must be")
    for bad in (0, "seed"):
        refuses(lambda bad=bad: PRIOR.sample(2, generator=bad), "generator must be")
    for bad in (None, VAE, PRIOR):
        refuses(lambda bad=bad: bound_with(bad, X), "model must be a VAE")


def test_column_numbers_come_in_any_clothes():
    for used in ([1], np.array([1]), torch.tensor([1]), range(1, 2), (np.int64(1),)):
        assert MixturePrior(TWO, used, 2).used == (1,)
        assert learn_prior(F64, 1, used=used).used == (1,)


class Strange:
    """A prior whose log-density has another shape, or is none."""

    def __init__(self, returns):
        self.log_prob = returns


def test_a_prior_that_returns_another_shape_is_refused():
    for bad in (
        Normal(torch.zeros(2).double(), 1.0),  # one number for each latent
        *map(Strange, (lambda z: z[:, :1], lambda z: z.sum(), lambda z: 0.0)),
        Strange(lambda z: z.sum(1) + 0j),
    ):
        refuses(lambda bad=bad: bound_with(MODEL, X, bad), "prior.log_prob must return")
    for bad in (3, "N(0, I)", Strange(1.0)):
        refuses(lambda bad=bad: bound_with(MODEL, X, bad), "prior.log_prob must be")
    sums = Strange(lambda z: Normal(0.0, 1.0).log_prob(z).sum(1))
    noise = torch.zeros(2, 2)
    both = (bound_with(MODEL, X, prior, noise) for prior in (None, sums))
    torch.testing.assert_close(*both)


def test_many_components_find_their_start():
    """600 of them: more than the rows that are enough for a few."""
    z = torch.randn(700, 1, generator=torch.Generator().manual_seed(0))
    assert learn_prior(z, 600, max_iterations=0).mixture.k == 600


@quiet
@given(st.integers(0, 99), st.sampled_from([1e2, 1e4, 1e6, -1e8]), st.booleans())
def test_the_first_part_of_a_kl_does_not_depend_on_the_origin(seed, far, sharp):
    generator = torch.Generator().manual_seed(seed)
    mu, logvar, noise = torch.randn(3, 20, 2, generator=generator).double()
    logvar = logvar - 10 * sharp
    mu = (mu * 2**20).round() / 2**20  # digits that a far place can hold
    z = mu + (0.5 * logvar).exp() * (noise * 2**18).round() / 2**18
    z = (z * 2**24).round() / 2**24
    here, there = split_kl(mu, logvar, z), split_kl(mu + far, logvar, z + far)
    torch.testing.assert_close(there[0], here[0], atol=5e-3, rtol=0)
    assert here[0].max() <= math.log(20) + 1e-9
    both = [sum(parts) for parts in (here, there)]  # log q(z | x) − log p(z)
    moved = 0.5 * ((z + far).square() - z.square()).sum(1)
    torch.testing.assert_close(both[1] - both[0], moved, rtol=1e-9, atol=5e-3)


def test_what_no_float_can_hold_is_refused():
    refuses(lambda: split_kl(F64, F64 - 1e3, F64), "exp(-logvar) must be finite")
    refuses(lambda: split_kl(F64, F64, 1e200 * F64), "the square of z must be finite")
    refuses(lambda: split_kl(F64 * 1e160, F64, F64), "z must be draws from")
    found = split_kl(F64 * 1e100, F64, F64)
    assert not any(bool(part.isnan().any()) for part in found)


def test_inference_mode_leaves_nothing_behind():
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            found = learn_prior(F64, 2, max_iterations=3)
            found.sample(2)
        z = F64.clone().requires_grad_()
        found.log_prob(z).sum().backward()
        assert bool(z.grad.isfinite().all())


def test_a_function_is_no_prior_and_k_may_be_of_numpy():
    model, bits = VAE(3, 2, (4,)), torch.eye(3)
    refuses(lambda: bound_with(model, bits, lambda z: z.sum(1)), "prior.log_prob")
    z = torch.randn(20, 2, generator=torch.Generator().manual_seed(0))
    assert learn_prior(z, np.int8(2), max_iterations=1).mixture.k == 2
