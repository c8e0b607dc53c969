"""The bounds meet hostile input: shapes that broadcast, tables that sum to less."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import Categorical, Independent, Laplace, Normal

from course_utils.variational import (
    GaussianMean,
    elbo,
    elbo_by_quadrature,
    iwae_bound,
    iwae_exact,
)
from tests.hostile import Door, cases, nonsense, refuses, same_in_all_clothes
from tests.variational.cases import f64

Q = Normal(f64(0.0)[0], 1.0)
TABLE = [-1.0, -2.5, 0.5, -4.0]
EVEN = [0.25, 0.25, 0.5, 0.0]
DOORS = {
    "log-joint": Door("log_joint", lambda t: iwae_exact(t, f64(*[0.25] * 4), 3), TABLE),
    "q": Door("q", lambda q: iwae_exact(f64(-1.0, -2.0, 0.0), q, 3), [0.25, 0.25, 0.5]),
}
WRONG = {  # a log joint that does not give one number for each z
    "column": lambda z: Normal(1.0, 2.0).log_prob(z)[..., None],
    "sum": lambda z: Normal(1.0, 2.0).log_prob(z).sum(),
    "number": lambda z: 0.0,
    "none": lambda z: None,
    "complex": lambda z: z + 0j,
}
quiet = settings(deadline=None, max_examples=25, derandomize=True, database=None)


@pytest.mark.parametrize(("door", "kind"), cases(DOORS))
def test_nonsense_is_refused_by_name(door, kind):
    refuses(lambda: door.call(nonsense(kind, door.good)), door.name)


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_all_forms_of_the_same_numbers_agree(door):
    same_in_all_clothes(door)


@quiet
@given(st.lists(st.integers(-20, 20), min_size=4, max_size=4))
def test_any_table_agrees_in_all_forms(values):
    same_in_all_clothes(DOORS["log-joint"], [v / 2 for v in values])


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_log_joint_of_another_shape_is_refused(wrong):
    for call in (elbo, elbo_by_quadrature, lambda f, q: iwae_bound(f, q, 3)):
        refuses(lambda call=call: call(wrong, Q), "log_joint must return")


@pytest.mark.parametrize("bad", [None, 2.5, "3", True, 0, -1, math.nan])
def test_numbers_of_samples_are_whole(bad):
    refuses(lambda: elbo(Q.log_prob, Q, bad), "n_samples must be")
    refuses(lambda: iwae_bound(Q.log_prob, Q, bad), "k must be")
    refuses(lambda: iwae_bound(Q.log_prob, Q, 2, bad), "n_samples must be")
    refuses(lambda: iwae_exact(f64(*TABLE), f64(*[0.25] * 4), bad), "k must be")
    refuses(lambda: elbo_by_quadrature(Q.log_prob, Q, bad), "n_nodes must be")


@pytest.mark.parametrize("bad", [None, 1.0, f64(1.0), "log_joint", Q])
def test_a_log_joint_can_be_called(bad):
    for call in (elbo, elbo_by_quadrature, lambda f, q: iwae_bound(f, q, 3)):
        refuses(lambda call=call: call(bad, Q), "log_joint must be a function")


def test_q_is_a_distribution_and_for_nodes_a_normal():
    for bad in (None, 0.5, f64(0.5, 0.5)):
        refuses(lambda bad=bad: elbo(Q.log_prob, bad), "q must be")
        refuses(lambda bad=bad: elbo_by_quadrature(Q.log_prob, bad), "q must be")
    for bad in (Laplace(0.0, 1.0), Independent(Normal(torch.zeros(2), 1.0), 1)):
        refuses(lambda bad=bad: elbo_by_quadrature(Q.log_prob, bad), "q must be")


def test_an_exact_sum_needs_probabilities_and_a_limit():
    refuses(lambda: iwae_exact(f64(*TABLE), f64(*EVEN), 2), "q must be positive")
    refuses(lambda: iwae_exact(f64(*TABLE), f64(*[0.5] * 4), 2), "q must be")
    refuses(lambda: iwae_exact(f64(*TABLE), f64(*[0.5] * 2), 2), "q must be")
    many = torch.full((64,), 1 / 64)
    refuses(lambda: iwae_exact(many.log(), many, 20), "k must be smaller")
    refuses(lambda: iwae_exact(f64(0.0, math.nan), f64(0.5, 0.5), 2), "log_joint must")
    never = iwae_exact(f64(0.0, -math.inf), f64(0.5, 0.5), 2)
    assert never.item() == -math.inf  # one bag in four draws only what cannot be


def test_tables_in_float32_and_of_one_entry():
    found = iwae_exact(torch.tensor([0.1, 0.2]).log(), torch.tensor([0.5, 0.5]), 2)
    exact = iwae_exact(f64(0.1, 0.2).log(), f64(0.5, 0.5), 2)
    assert found.item() == pytest.approx(exact.item(), abs=1e-7)
    assert iwae_exact(f64(-1.5), f64(1.0), 4).item() == pytest.approx(-1.5)


def test_z_of_another_kind_is_fine():
    """Bags and other whole z; several q at once."""
    table = f64(*TABLE)
    found = elbo(lambda z: table[z], Categorical(torch.full((4,), 0.25)), 2000)
    assert abs(found.value.item() + 1.75 - math.log(4)) < 5 * found.standard_error
    assert elbo(Normal(1.0, 2.0).log_prob, Normal(torch.zeros(3), 1.0)).value.shape == (
        3,
    )


def test_nodes_that_leave_the_floats_are_refused():
    model, x = GaussianMean(), f64(1.0, 2.0)
    exact = model.elbo(x, Q).item()
    for n in (3, 64, 128):
        found = elbo_by_quadrature(lambda z: model.log_joint(x, z), Q, n).item()
        assert found == pytest.approx(exact, abs=1e-9)
    refuses(lambda: elbo_by_quadrature(Q.log_prob, Q, 3000), "n_nodes must be fewer")


def test_inference_mode_leaves_no_nodes_behind():
    with torch.inference_mode():
        elbo_by_quadrature(lambda z: z, Q, 63)
    sigma = f64(1.0)[0].requires_grad_()
    elbo_by_quadrature(lambda z: -(z**2), Normal(Q.mean, sigma), 63).backward()
    assert sigma.grad.item() == pytest.approx(-1.0)  # −σ² + log σ


def test_what_a_function_gets_it_may_change():
    def spoiled(z):
        value = Q.log_prob(z)
        z.mul_(0)
        return value

    first = elbo_by_quadrature(Q.log_prob, Q, 21)
    elbo_by_quadrature(spoiled, Q, 21)
    assert elbo_by_quadrature(Q.log_prob, Q, 21) == first


NO_LOGS = {
    "nan": lambda z: Q.log_prob(z) * math.nan,
    "one nan": lambda z: torch.where(z > 0, math.nan, Q.log_prob(z)),
    "infinite": lambda z: Q.log_prob(z) + math.inf,
}
BOUNDS = {
    "elbo": lambda f, q=Q: elbo(f, q, 50).value,
    "iwae": lambda f, q=Q: iwae_bound(f, q, 3, 50).value,
    "quadrature": lambda f, q=Q: elbo_by_quadrature(f, q),
}


@pytest.mark.parametrize("bound", BOUNDS.values(), ids=BOUNDS)
def test_a_log_joint_gives_numbers(bound):
    torch.manual_seed(0)
    for bad in NO_LOGS.values():
        refuses(lambda bad=bad: bound(bad), "log_joint must return numbers, got")
    refuses(lambda: bound(lambda z: z > 0), "log_joint must return a tensor of real")
    never = bound(lambda z: torch.where(z > 0, -math.inf, Q.log_prob(z)))
    assert never < 0  # the log of 0 is a number here
    torch.manual_seed(0)
    whole = bound(lambda z: (z > 0).long())
    torch.manual_seed(0)
    assert whole == bound(lambda z: (z > 0).to(z))
    refuses(lambda: bound(Q.log_prob, Normal(torch.tensor(0), torch.tensor(1))), "loc")
