"""From words to pictures: a denoiser that is told words, and guidance towards them.

The network is told the words of each digit while it learns to clean it; some words are
left out, so that it knows phrases of any length, and sometimes all are, so that it
knows digits without words, too. Between the two guesses lies what the words say. To go
further in that direction is *classifier-free guidance* (Ho and Salimans 2022): with the
slope v = (x − D) / σ of the walk, v = v_c + w (v_c − v_∅). Their w is this one; the
scale of Imagen (Saharia et al. 2022) is 1 + w.
"""

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch

from course_utils.arguments import check_data, check_shape, positive, require
from course_utils.beyond.diffusion import Denoiser, DiffusionState, heun
from course_utils.descent import Clock, Run, learning_rate_at
from course_utils.mixture.model import GaussianMixture
from course_utils.training import checked

# found by benchmarks.digits: a small network, small batches, many steps
LATENT_DENOISER = {
    "hidden": (256, 256, 256),
    "sigma_range": (0.05, 8.0),
    "log_sigma": (0.3, 1.2),  # near the width of the codes: there classes part
}
STEPS = 18  # of the walk


def latent_denoiser(z: torch.Tensor, words: int = 0, seed: int = 0) -> Denoiser:
    """An untrained denoiser for codes like ``z`` ``(n, d)``, told ``words`` words."""
    width = check_data(z, z.shape[-1], "z").std(dim=0).mean().item()
    options = LATENT_DENOISER | {"sigma_data": width, "extra": words, "seed": seed}
    return Denoiser(z.shape[1], **options)


def drop_words(bags: torch.Tensor, generator=None, one=0.1, all_=0.1):
    """Bags ``(n, words)`` with each word left out at rate ``one``, all at ``all_``."""
    keep = torch.rand(bags.shape, generator=generator) >= one
    whole = torch.rand(len(bags), 1, generator=generator) >= all_
    return bags * keep * whole


@checked
def train_latent(
    denoiser: Denoiser,
    z: torch.Tensor,
    bags: torch.Tensor | None = None,
    steps: int = 3000,
    *,
    seconds: float | None = None,
    batch_size: int = 256,
    learning_rate: float = 3e-3,
    average: float = 0.995,
    n_states: int = 20,
    seed: int = 0,
) -> Iterator[DiffusionState]:
    """Teach ``denoiser`` to clean codes ``z`` ``(n, d)``, told their words ``bags``.

    ``denoiser`` always holds the running mean of the weights, which draws better than
    the last ones. The run ends after ``steps``, or after ``seconds`` of training if
    these are given. Raises ``ValueError`` for data or settings without sense.
    """
    check_data(z, denoiser.data_dim, "z")
    bags = z.new_zeros(len(z), 0) if bags is None else bags
    check_shape(bags, denoiser.extra, "bags") if denoiser.extra else None
    rows = f"shape {tuple(bags.shape)}"
    fits = bags.shape == (len(z), denoiser.extra)
    positive(steps=steps, batch_size=batch_size, learning_rate=learning_rate)
    positive(n_states=n_states, seconds=1 if seconds is None else seconds)
    require(
        bags=(rows, fits, f"of shape ({len(z)}, {denoiser.extra})"),
        average=(average, 0 <= average < 1, ">= 0 and < 1"),
    )
    yield
    learner = copy.deepcopy(denoiser)  # takes the steps; ``denoiser`` is its mean
    data = torch.cat([z, bags.to(z.dtype)], dim=1)
    run = Run(learner, data, batch_size, learning_rate, seed)
    run.clip = 10.0
    mean, clock = [*denoiser.parameters()], Clock(steps, seconds, n_states)
    for done in clock:
        z, told = run.batch().split([learner.data_dim, learner.extra], dim=1)
        told = drop_words(told, run.generator) if learner.extra else told
        run.descend(learner.loss(z, run.generator, told), learning_rate_at(done))
        # at first a mean over few steps, or it would remember the random start
        share = max(1 - average, 9 / (run.step + 9))
        with torch.no_grad():
            torch._foreach_lerp_(mean, [*learner.parameters()], share)
        if clock.due():
            loss, _ = run.means().item(), run.keep()
            yield DiffusionState(run.step, clock.seconds, loss)


def guide(with_words, without, guidance: float):
    """v_c + w (v_c − v_∅), of slopes, of scores, or of guesses: they differ linearly.

    w = 0 is the model as it was trained; w = −1 forgets the words.
    """
    return with_words + guidance * (with_words - without)


@dataclass(frozen=True, eq=False)
class Guided:
    """``denoiser`` told ``bags`` ``(n, words)``, and guided: a D(x; σ) for a walk.

    ``rule(with_words, without, guidance)`` is how: by ``guide``, or by yours.
    """

    denoiser: Denoiser
    bags: torch.Tensor
    guidance: float = 1.0
    rule: Callable = guide

    def __call__(self, x: torch.Tensor, sigma) -> torch.Tensor:
        """The guided guess of x₀, ``(n, d)``."""
        if self.guidance == 0:
            return self.denoiser(x, sigma, self.bags)
        # both questions in one pass: rows with words, then the same without
        told = torch.cat([self.bags, torch.zeros_like(self.bags)])
        both = self.denoiser(torch.cat([x, x]), sigma, told)
        return self.rule(*both.chunk(2), self.guidance)


@torch.no_grad()
def draw_guided(
    denoiser: Denoiser,
    bags: torch.Tensor,
    guidance: float = 1.0,
    steps: int = STEPS,
    generator: torch.Generator | None = None,
    rule: Callable = guide,
) -> torch.Tensor:
    """A code for each bag: ``(n, words)`` to ``(n, d)``; the same noise, the same code.

    ``ValueError`` for bags of another width and for a guidance that is not finite.
    """
    check_shape(bags, denoiser.extra, "bags")
    require(guidance=(guidance, math.isfinite(guidance), "finite"))
    levels, start = denoiser.levels(steps), denoiser.start
    shape = (len(bags), denoiser.data_dim)
    noise = torch.randn(shape, generator=generator, dtype=start.mean.dtype)
    parts = []
    rows = zip(noise.split(2000), bags.to(noise.dtype).split(2000), strict=True)
    for noise_part, bag_part in rows:
        guided = Guided(denoiser, bag_part, guidance, rule)
        *_, z = heun(guided, start.stddev * noise_part, levels)
        parts.append(guided(z, levels[-1]))  # the last guess takes the last σ away
    return torch.cat(parts)


@dataclass(frozen=True, eq=False)
class ExactDenoiser:
    """E[x₀ | x] when the data are a mixture of Gaussians: nothing is learned.

    Noisy data are a mixture, too: component k is N(μₖ, Σₖ + σ²I).
    """

    mixture: GaussianMixture

    def noisy(self, sigma: float) -> GaussianMixture:
        """The density of x = x₀ + σ ε."""
        mixture, eye = self.mixture, torch.eye(self.mixture.d, dtype=torch.float64)
        covariances = mixture.covariances + sigma**2 * eye
        return GaussianMixture(mixture.weights, mixture.means, covariances)

    def __call__(self, x: torch.Tensor, sigma: float) -> torch.Tensor:
        """The best guess: Σₖ rₖ(x) (μₖ + Σₖ (Σₖ + σ²I)⁻¹ (x − μₖ)), ``(n, d)``."""
        noisy = self.noisy(sigma)
        shares = noisy.responsibilities(x)  # (n, k)
        gap = x[:, None, :] - noisy.means  # (n, k, d)
        pull = self.mixture.covariances @ torch.linalg.inv(noisy.covariances)
        guesses = noisy.means + torch.einsum("kij,nkj->nki", pull, gap)
        return (shares[:, :, None] * guesses).sum(dim=1)

    def score(self, x: torch.Tensor, sigma: float) -> torch.Tensor:
        """∇ log p(x; σ) = (D(x; σ) − x) / σ²."""
        return (self(x, sigma) - x) / sigma**2


def draw_exactly(
    asked: GaussianMixture,
    everything: GaussianMixture,
    guidance: float,
    n: int,
    levels: Sequence[float],
    generator: torch.Generator | None = None,
) -> torch.Tensor:
    """Samples ``(n, d)`` of the guided walk in which both scores are exact.

    ``asked`` is p(x | c), ``everything`` is p(x). They are *not* samples of
    p(x | c)^(1+w) / p(x)^w: that formula holds for the scores at each σ, but the
    powers of noisy densities are not the noisy densities of powers.
    """
    with_words, without = ExactDenoiser(asked), ExactDenoiser(everything)

    def guided(x, sigma):
        return guide(with_words(x, sigma), without(x, sigma), guidance)

    noise = torch.randn(n, asked.d, dtype=torch.float64, generator=generator)
    *_, x = heun(guided, math.hypot(levels[0], 1) * noise, levels)
    return guided(x, levels[-1])
