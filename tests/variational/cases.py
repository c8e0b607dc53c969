"""Small random models with a known truth, for the tests of notebook 03."""

import torch
from hypothesis import strategies as st

from course_utils.variational import LinearGaussian

seeds = st.integers(0, 2**31 - 1)


def f64(*values):
    return torch.tensor(values, dtype=torch.float64)


def randn(seed, *shape):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def random_tables(seed, size):
    """A random log p(x, z) and a random positive q(z) over ``size`` values of z."""
    generator = torch.Generator().manual_seed(seed)
    log_joint = 3 * torch.randn(size, generator=generator, dtype=torch.float64)
    q = torch.randn(size, generator=generator, dtype=torch.float64).softmax(0)
    return log_joint, q


def linear_model(seed, data_dim=3, latent_dim=2):
    """A random linear-Gaussian model, and one x."""
    generator = torch.Generator().manual_seed(seed)
    draw = torch.randn(data_dim, latent_dim + 2, generator=generator).double()
    model = LinearGaussian(draw[:, 2:], draw[:, 0], 0.3 + draw[0, 1].abs())
    return model, draw[:, 1]
