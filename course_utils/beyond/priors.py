"""Priors for codes: from N(0, I) to a diffusion model, all used in the same way.

``prior.sample(n)`` gives codes ``(n, d)``; ``prior.log_prob(z)`` is their exact
log-density in nats, or None where the model has none. Each learns from the codes of the
training digits, and knows nothing of the decoder that will draw them.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.distributions import MultivariateNormal

from course_utils.arguments import (
    check_data,
    check_finite,
    counts,
    floats,
    positive,
    require,
    seed_of,
)
from course_utils.beyond.flow import Flow, train_flow
from course_utils.beyond.guidance import code_rows, latent_denoiser, train_latent
from course_utils.gan import Discriminator, Generator, train_gan
from course_utils.mixture import GaussianMixture, em, random_centres, start_at
from course_utils.training import last
from course_utils.vae.prior import MixturePrior

START_ROWS = 3000  # for the covariance of the start: memory grows with rows · k
GAN_RECIPE = {
    "loss": "relativistic",
    "simultaneous": True,
    "penalty": (1.0, 0.05),
    "anneal": (0.0, 0.7),
    "learning_rate": 2e-3,
    "betas": (0.0, 0.99),
    "decay": True,
    "average": 0.998,
}


@dataclass(frozen=True, eq=False)
class Prior:
    """A density of codes: ``sample(n)``, and ``log_prob(z)`` or None."""

    name: str
    sample: Callable
    log_prob: Callable | None = None
    model: object = None


def standard_normal(d: int) -> Prior:
    """N(0, I): what the VAE of notebook 04 draws from."""
    counts(d=d)
    zeros, eye = torch.zeros(d), torch.eye(d)
    return _of_normal("N(0, I)", MultivariateNormal(zeros, eye))


def _of_normal(name: str, normal: MultivariateNormal) -> Prior:
    """A Gaussian as a prior; its density takes lists and arrays ``(n, d)``, too."""
    d, dtype = len(normal.mean), normal.mean.dtype

    def log_prob(z):
        # (n, 1) would be broadcast to d columns
        return normal.log_prob(check_data(floats(z, "z", dtype), d, "z"))

    def sample(n):
        counts(n=n)
        return normal.sample((n,))

    return Prior(name, sample, log_prob, normal)


def one_gaussian(z: torch.Tensor) -> Prior:
    """Maximum likelihood with one mean and one covariance (notebook 01).

    Raises ``ValueError`` for codes whose covariance has no inverse.
    """
    z = code_rows(z).double()
    cov = torch.cov(z.T, correction=0).reshape(z.shape[1], -1)
    flat = torch.linalg.cholesky_ex(cov).info.item() > 0
    shape = f"shape {tuple(z.shape)}"
    require(z=(shape, not flat, "rows that spread in every direction"))
    return _of_normal("one Gaussian", MultivariateNormal(z.mean(0), cov))


def whole(mixture: GaussianMixture) -> MixturePrior:
    """A mixture that describes all latents, as a prior (notebook 04)."""
    return MixturePrior(mixture, range(mixture.d), mixture.d)


def mixture_prior(
    z: torch.Tensor, k: int = 100, name: str = "mixture", **options
) -> Prior:
    """``k`` Gaussians by EM, without labels; ``options``: see ``fit_mixture``."""
    mixture = whole(fit_mixture(z, k, **options))
    return Prior(name, mixture.sample, mixture.log_prob, mixture)


def fit_mixture(
    z: torch.Tensor,
    k: int,
    iterations: int = 20,
    seconds: float | None = None,
    seed: int = 0,
) -> GaussianMixture:
    """``k`` full Gaussians by EM on codes ``z`` ``(n, d)``, from ``k`` random codes.

    It ends after ``iterations``, or when ``seconds`` of the processor are over.
    """
    counts(iterations=iterations, k=k)
    positive(seconds=1 if seconds is None else seconds)
    z, seed = code_rows(z).double(), seed_of(seed)
    begin, random = time.process_time(), torch.Generator().manual_seed(seed)
    rows = z[torch.randperm(len(z), generator=random)[: max(START_ROWS, 5 * k)]]
    mixture = start_at(rows, random_centres(z, k, random))
    for state in em(z, mixture, covariance_floor=1e-3, max_iterations=iterations):
        mixture = state.mixture
        spent = time.process_time() - begin
        if seconds is not None and state.iteration >= 1 and spent > seconds:
            break
    return mixture


def fit_by_class(
    z: torch.Tensor,
    labels: torch.Tensor,
    k: int,
    iterations: int = 20,
    seconds: float | None = None,
    seed: int = 0,
) -> GaussianMixture:
    """``k`` Gaussians for each class of ``labels``, as one mixture of all of them."""
    z = code_rows(z)
    positive(seconds=1 if seconds is None else seconds)
    labels = floats(labels, "labels", torch.float64)
    shape, fits = tuple(labels.shape), labels.shape == (len(z),)
    require(labels=(f"shape {shape}", fits, f"one for each of the {len(z)} rows of z"))
    check_finite(labels, "labels")
    classes, counts = labels.unique(return_counts=True)
    parts, end = [], None if seconds is None else time.process_time() + seconds
    for index, value in enumerate(classes.tolist()):
        left = len(classes) - index  # what is left of the time is shared evenly
        own = None if end is None else max(1e-9, end - time.process_time()) / left
        rows = z[labels == value]
        parts.append(fit_mixture(rows, k, iterations, own, seed))
    return GaussianMixture.joined(parts, counts.double() / len(z))


def flow_prior(z: torch.Tensor, steps: int = 2000, seed: int = 0, **options) -> Prior:
    """A flow of six affine couplings, 128 + 128 units each.

    ``options`` are those of ``train_flow``, such as ``seconds``.
    """
    z = code_rows(z)
    flow = Flow(z.shape[1], 6, (128, 128), coupling="affine", seed=seed)
    last(train_flow(flow, z, steps, seed=seed, **{"learning_rate": 2e-3} | options))

    @torch.no_grad()
    def log_prob(z):
        return torch.cat([flow.log_prob(part) for part in code_rows(z).split(5000)])

    return Prior("flow", flow.sample, log_prob, flow)


def gan_prior(z: torch.Tensor, steps: int = 3000, seed: int = 0, **options) -> Prior:
    """A GAN on codes, two layers of 256 for both players; no density.

    ``options`` are those of ``train_gan``, such as ``seconds``.
    """
    z = code_rows(z)
    d, scale = z.shape[1], z.std().item()
    require(z=("one without", scale > 0, "codes with a spread"))
    shape = {"data_dim": d, "hidden": (256, 256), "scale": scale}
    generator = Generator(noise_dim=d, activation="leaky_relu", seed=seed, **shape)
    judge = Discriminator(seed=seed + 1, **shape)
    options = GAN_RECIPE | {"seed": seed, "snapshots": False} | options
    last(train_gan(generator, judge, z, steps, **options))
    return Prior("GAN", generator.sample, None, generator)


def diffusion_prior(
    z: torch.Tensor, steps: int = 3000, walk: int = 16, seed: int = 0, **options
) -> Prior:
    """A denoiser without words; ``walk`` steps to draw.

    ``options`` are those of ``train_latent``, such as ``seconds``. Its log-density is
    that of the walk (notebook 07 does not print it: 32 gradients for each step).
    """
    counts(walk=walk)
    denoiser = latent_denoiser(z, seed=seed)
    last(train_latent(denoiser, z, steps=steps, seed=seed, **options))
    return Prior("diffusion", lambda n: denoiser.sample(n, walk), None, denoiser)
