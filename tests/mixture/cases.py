"""What the tests of the mixture share: random mixtures, data, comparisons."""

import torch
from hypothesis import strategies as st

from course_utils.mixture import GaussianMixture

seeds = st.integers(0, 2**31 - 1)
ks = st.integers(1, 5)
ds = st.integers(1, 4)


def generator(seed):
    return torch.Generator().manual_seed(seed)


def random_mixture(seed, k, d, spread=3.0):
    g = generator(seed)
    weights = torch.rand(k, generator=g, dtype=torch.float64) + 0.1
    means = spread * torch.randn(k, d, generator=g, dtype=torch.float64)
    root = torch.randn(k, d, d, generator=g, dtype=torch.float64)
    covariances = root @ root.mT + 0.2 * torch.eye(d)
    return GaussianMixture(weights / weights.sum(), means, covariances)


def random_data(seed, k, d, n):
    return random_mixture(seed, k, d).sample(n, generator=generator(seed + 1))


def close(left, right, rtol=1e-9, atol=1e-9):
    torch.testing.assert_close(left, right, rtol=rtol, atol=atol)


def assert_same(left, right, **tolerance):
    for name in ("weights", "means", "covariances"):
        close(getattr(left, name), getattr(right, name), **tolerance)
