"""Facts of the bounds that a mutant once broke without a test's notice."""

import math

import pytest
import torch
from torch.distributions import Normal

from course_utils.variational import elbo, iwae_bound, iwae_exact
from tests.variational.cases import f64


@pytest.mark.parametrize("bound", [elbo, lambda *a, **n: iwae_bound(*a, k=3, **n)])
def test_two_samples_have_a_standard_error_and_one_has_none(bound):
    q = Normal(f64(0.3)[0], f64(0.8)[0])
    prior = Normal(f64(0.0)[0], f64(1.0)[0])
    assert bound(prior.log_prob, q, n_samples=2).standard_error > 0
    with pytest.raises(ValueError, match="n_samples"):
        bound(prior.log_prob, q, n_samples=1)


def test_a_table_of_lists_is_read_in_float64():
    lists = [-1.1, -0.3], [0.4, 0.6]
    expected = iwae_exact(f64(*lists[0]), f64(*lists[1]), 2)
    assert torch.equal(iwae_exact(*lists, 2), expected)
    # two draws: (1, 1), (1, 2) or (2, 1), (2, 2)
    a, b = (math.exp(p) / q for p, q in zip(*lists, strict=True))
    by_hand = 0.16 * math.log(a) + 0.48 * math.log((a + b) / 2) + 0.36 * math.log(b)
    assert expected.item() == pytest.approx(by_hand, rel=1e-12)


def test_probabilities_in_float32_may_miss_one_by_their_rounding():
    q, log_joint = [0.40003, 0.6], f64(-1.0, -2.0)
    assert iwae_exact(log_joint, torch.tensor(q, dtype=torch.float32), 1).isfinite()
    with pytest.raises(ValueError, match="q must be probabilities with sum 1"):
        iwae_exact(log_joint, f64(*q), 1)


def test_a_table_without_values_is_no_table():
    with pytest.raises(ValueError, match=r"log_joint must be a table of shape \(s,\)"):
        iwae_exact(torch.zeros(0), torch.zeros(0), 1)
