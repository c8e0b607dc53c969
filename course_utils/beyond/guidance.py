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

from course_utils.arguments import (
    check_data,
    check_finite,
    counts,
    finite,
    floats,
    functions,
    generators,
    instances,
    positive,
    require,
    returned,
    seed_of,
)
from course_utils.beyond.diffusion import (
    Denoiser,
    DiffusionState,
    check_levels,
    check_scale,
    heun,
)
from course_utils.descent import Clock, Run, learning_rate_at
from course_utils.mixture.model import GaussianMixture
from course_utils.networks import check_trainable
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
    counts(0, words=words)
    z = code_rows(z)
    width = z.std(dim=0).mean().item() if len(z) > 1 else 0.0
    if not width > 0:
        raise ValueError("z has no spread: all of its rows are equal, or there is one")
    options = LATENT_DENOISER | {"sigma_data": width, "extra": words, "seed": seed}
    return Denoiser(z.shape[1], **options)


def code_rows(z, d: int | None = None) -> torch.Tensor:
    """Codes ``(n, d)`` from lists, arrays or tensors; else a ``ValueError``."""
    z = floats(z, "z")
    if d is None:
        shape = f"shape {tuple(z.shape)}"
        require(z=(shape, z.ndim == 2 and z.shape[1] > 0, "of shape (n, d), d >= 1"))
    return check_data(z, z.shape[1] if d is None else d, "z")


def drop_words(bags: torch.Tensor, generator=None, one=0.1, all_=0.1):
    """Bags ``(n, words)`` with each word left out at rate ``one``, all at ``all_``.

    Rates are from 0 to 1; else ``ValueError``.
    """
    bags = _bags(bags)
    finite(one=one, all_=all_)
    generators(generator=generator)
    for name, rate in (("one", one), ("all_", all_)):
        require(**{name: (rate, 0 <= rate <= 1, "from 0 to 1")})
    keep = torch.rand(bags.shape, generator=generator) >= one
    whole = torch.rand(len(bags), 1, generator=generator) >= all_
    return bags * keep * whole


def _bags(bags, shape: tuple[int, int] | None = None) -> torch.Tensor:
    """Bags ``(n, words)`` as floats, of the ``shape`` if it is given."""
    bags = floats(bags, "bags")
    fits = bags.ndim == 2 if shape is None else tuple(bags.shape) == shape
    rule = "of shape " + ("(n, words)" if shape is None else str(shape))
    require(bags=(f"shape {tuple(bags.shape)}", fits, rule))
    check_finite(bags, "bags")
    return bags


@checked
@torch.inference_mode(False)  # gradients are needed, whatever is switched off outside
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
    these are given. Raises ``ValueError`` for data or settings without sense, such as
    codes far from 0, and ``FloatingPointError`` where the loss or a weight is no
    number; ``denoiser`` is then back at its last state.
    """
    instances(Denoiser, denoiser=denoiser)
    check_trainable(denoiser, "denoiser")
    z = code_rows(z, denoiser.data_dim).to(denoiser.dtype)
    check_scale(denoiser, z, "z", narrow=True)  # a code that says little is no fault
    bags = z.new_zeros(len(z), 0) if bags is None else bags
    bags = _bags(bags, (len(z), denoiser.extra))
    counts(steps=steps, batch_size=batch_size, n_states=n_states)
    positive(learning_rate=learning_rate, seconds=1 if seconds is None else seconds)
    finite(average=average)
    require(average=(average, 0 <= average < 1, ">= 0 and < 1"))
    seed = seed_of(seed)
    yield
    learner = copy.deepcopy(denoiser)  # takes the steps; ``denoiser`` is its mean
    data = torch.cat([z, bags.to(z.dtype)], dim=1)
    run = Run(learner, data, batch_size, learning_rate, seed)
    run.clip = 10.0
    mean, clock = [*denoiser.parameters()], Clock(steps, seconds, n_states)
    good = [weights.detach().clone() for weights in mean]
    for done in clock:
        z, told = run.batch().split([learner.data_dim, learner.extra], dim=1)
        told = drop_words(told, run.generator) if learner.extra else told
        try:
            loss = learner.loss(z, run.generator, told)
            run.descend(loss, learning_rate_at(done))
            # at first a mean over few steps, or it would remember the random start
            share = max(1 - average, 9 / (run.step + 9))
            with torch.no_grad():
                torch._foreach_lerp_(mean, [*learner.parameters()], share)
            if not clock.due():
                continue
            loss, _ = run.means().item(), run.keep()
        except FloatingPointError:
            with torch.no_grad():
                torch._foreach_copy_(mean, good)
            raise
        good = [weights.detach().clone() for weights in mean]
        yield DiffusionState(run.step, clock.seconds, loss)


def guide(with_words, without, guidance: float):
    """v_c + w (v_c − v_∅), of slopes, of scores, or of guesses: they differ linearly.

    w = 0 is the model as it was trained; w = −1 forgets the words. Raises
    ``ValueError`` for two of different shapes, and a w that is not finite.
    """
    finite(guidance=guidance)
    with_words, without = floats(with_words, "with_words"), floats(without, "without")
    returned(without, with_words.shape, "without")
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

    def __post_init__(self):
        instances(Denoiser, denoiser=self.denoiser)
        finite(guidance=self.guidance)
        functions(rule=self.rule)

    def __call__(self, x: torch.Tensor, sigma) -> torch.Tensor:
        """The guided guess of x₀, ``(n, d)``; σ is one number for all rows."""
        positive(sigma=sigma)
        x, bags = check_data(floats(x), self.denoiser.data_dim), _bags(self.bags)
        if self.guidance == 0:
            return self.denoiser(x, sigma, bags)
        # both questions in one pass: rows with words, then the same without
        told = torch.cat([bags, torch.zeros_like(bags)])
        both = self.denoiser(torch.cat([x, x]), sigma, told)
        guess = self.rule(*both.chunk(2), self.guidance)
        return returned(guess, x.shape, "rule")


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
    instances(Denoiser, denoiser=denoiser)
    finite(guidance=guidance)
    functions(rule=rule)
    generators(generator=generator)
    bags = check_data(floats(bags, "bags"), denoiser.extra, "bags")
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

    def __post_init__(self):
        instances(GaussianMixture, mixture=self.mixture)

    def noisy(self, sigma: float) -> GaussianMixture:
        """The density of x = x₀ + σ ε."""
        positive(sigma=sigma)
        require(sigma=(sigma, 1e-150 < sigma < 1e150, "a number with a square"))
        mixture, eye = self.mixture, torch.eye(self.mixture.d, dtype=torch.float64)
        covariances = mixture.covariances + sigma**2 * eye
        return GaussianMixture(mixture.weights, mixture.means, covariances)

    def __call__(self, x: torch.Tensor, sigma: float) -> torch.Tensor:
        """The best guess: Σₖ rₖ(x) (μₖ + Σₖ (Σₖ + σ²I)⁻¹ (x − μₖ)), ``(n, d)``."""
        noisy = self.noisy(sigma)
        x = check_data(floats(x, "x", torch.float64), self.mixture.d)
        shares = noisy.responsibilities(x)  # (n, k)
        gap = x[:, None, :] - noisy.means  # (n, k, d)
        pull = self.mixture.covariances @ torch.linalg.inv(noisy.covariances)
        guesses = noisy.means + torch.einsum("kij,nkj->nki", pull, gap)
        return (shares[:, :, None] * guesses).sum(dim=1)

    def score(self, x: torch.Tensor, sigma: float) -> torch.Tensor:
        """∇ log p(x; σ) = (D(x; σ) − x) / σ²."""
        guess = self(x, sigma)
        return (guess - floats(x, "x", torch.float64)) / sigma**2


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
    instances(GaussianMixture, asked=asked, everything=everything)
    fits = everything.d == asked.d
    require(everything=(f"d = {everything.d}", fits, f"a mixture with d = {asked.d}"))
    finite(guidance=guidance)
    counts(n=n)
    generators(generator=generator)
    levels = check_levels(levels)
    with_words, without = ExactDenoiser(asked), ExactDenoiser(everything)

    def guided(x, sigma):
        return guide(with_words(x, sigma), without(x, sigma), guidance)

    noise = torch.randn(n, asked.d, dtype=torch.float64, generator=generator)
    *_, x = heun(guided, math.hypot(levels[0], 1) * noise, levels)
    return guided(x, levels[-1])
