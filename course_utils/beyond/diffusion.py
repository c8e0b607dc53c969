"""A diffusion model: learn to remove noise, then make something out of noise.

Data x₀ become x = x₀ + σ ε with ε ~ N(0, I). A network D(x; σ) is trained to guess x₀;
the best guess is the mean E[x₀ | x], and it gives the score of the noisy density,
∇ log p(x; σ) = (D(x; σ) − x) / σ² (Vincent 2011). Sampling starts with noise alone and
walks down in σ along dx/dσ = (x − D(x; σ)) / σ (Song et al. 2021; in this form Karras
et al. 2022). The walk can be undone, so it also gives a code and a density.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.distributions import Normal

from course_utils import networks
from course_utils.arguments import (
    check_data,
    check_finite,
    counts,
    floats,
    functions,
    generators,
    instances,
    positive,
    require,
    returned,
    seed_of,
)
from course_utils.descent import DescentState, descend
from course_utils.training import checked, seeded

FAR = 1 / 5  # of the most noise: the walk would lose a fifth of the data's width
WIDEST, NARROWEST = 5.0, 0.1  # times σ_data: what the network still sees as its own
LEAST, MOST = 1e-15, 1e15  # σ whose squares are numbers in float32, too


class Denoiser(nn.Module):
    """D(x; σ), the guess of the clean x₀ from x = x₀ + σ ε.

    ``sigma_range`` are the least and the most noise: the least far below the finest
    detail of the data, the most far above their width. ``sigma_data`` is the rough
    width of the data, and their centre should be near 0: the walk begins at N(0, …),
    and a centre m leaves an error of about m · width / the most noise. ``log_sigma``
    says which σ training meets: None for all alike (log σ uniform over the range), or
    mean and deviation of log σ (Karras et al. 2022, table 1). x is ``(n, data_dim)``;
    ``extra`` counts the numbers that the network is told beside x and σ (words, in
    ``guidance``). The start of the weights depends on ``seed`` only.
    """

    def __init__(
        self,
        data_dim: int = 2,
        hidden: Sequence[int] = (64, 64, 64),
        sigma_range: tuple[float, float] = (0.005, 10.0),
        sigma_data: float = 1.0,
        log_sigma: tuple[float, float] | None = None,
        extra: int = 0,
        seed: int = 0,
    ):
        super().__init__()
        low, high = _pair("sigma_range", sigma_range)
        ordered = 0 < low < high < math.inf
        require(sigma_range=(sigma_range, ordered, "0 < low < high"))
        counts(data_dim=data_dim)
        counts(0, extra=extra)
        positive(sigma_data=sigma_data)
        for name, value in (("sigma_range", low), ("sigma_range", high)):
            _check_size(name, value)
        _check_size("sigma_data", sigma_data)
        if log_sigma is not None:
            log_sigma = _pair("log_sigma", log_sigma)
            fits = math.isfinite(log_sigma[0]) and 0 < log_sigma[1] < math.inf
            rule = "None, or a mean and a positive deviation"
            require(log_sigma=(log_sigma, fits, rule))
        hidden, seed = networks.whole_numbers(hidden, "hidden"), seed_of(seed)
        self.data_dim, self.sigma_data, self.extra = data_dim, sigma_data, extra
        self.sigma_range, self.log_sigma = (low, high), log_sigma
        # one more number goes in than comes out: the level of σ
        widths = [data_dim + 1 + extra, *hidden, data_dim]
        with seeded(seed):
            self.network = networks.layers(widths, "relu")

    @property
    def start(self) -> Normal:
        """What is left of data under the most noise: N(0, σ² + σ_data²)."""
        zeros = self.network[0].weight.new_zeros(self.data_dim)
        most = math.hypot(self.sigma_range[1], self.sigma_data)
        return Normal(zeros, zeros + most, validate_args=False)

    @property
    def dtype(self) -> torch.dtype:
        """Of the weights, in which everything is computed."""
        return self.network[0].weight.dtype

    def forward(self, x: torch.Tensor, sigma, told=None) -> torch.Tensor:
        """D(x; σ): x ``(n, d)`` and σ, a number or ``(n, 1)``, to ``(n, d)``.

        A part of x plus a part of what the network says, in such shares that the
        network sees and makes numbers of size one (Karras et al. 2022, table 1). Raises
        ``ValueError`` for other shapes, and for a σ that is not positive and finite.
        ``told`` ``(n, extra)`` is what else the network should know; None is nothing.
        All may be lists or arrays, too.
        """
        x, sigma = self._noise(x, sigma)
        told = self._told(told, len(x))
        low, high = map(math.log, self.sigma_range)
        level = 2 * (sigma.log() - low) / (high - low) - 1  # from −1 to 1
        width = (sigma.square() + self.sigma_data**2).sqrt()  # of noisy data
        made = self.network(torch.cat([x / width, level, told], dim=1))
        # little noise: keep x; much noise: the network makes nearly all of the guess
        keep, add = (self.sigma_data / width) ** 2, sigma * self.sigma_data / width
        return keep * x + add * made

    def score(self, x: torch.Tensor, sigma) -> torch.Tensor:
        """∇ log p(x; σ), the gradient of the log-density of noisy data: ``(n, d)``."""
        x, sigma = self._noise(x, sigma)
        return (self(x, sigma) - x) / sigma.square()

    def _noise(self, x, sigma) -> tuple[torch.Tensor, torch.Tensor]:
        """x ``(n, d)`` and σ ``(n, 1)`` in the type of the weights."""
        x = check_data(floats(x, "x", self.dtype), self.data_dim)
        sigma = floats(sigma, "sigma", self.dtype)
        known = sigma.numel() == 1 or sigma.shape == (len(x), 1)
        shape = f"a number or have shape ({len(x)}, 1)"
        require(sigma=(f"shape {tuple(sigma.shape)}", known, shape))
        low, high = sigma.min().item(), sigma.max().item()
        values = f"values from {low:g} to {high:g}"
        require(sigma=(values, 0 < low <= high < math.inf, "positive and finite"))
        for value in (low, high):
            _check_size("sigma", value)
        return x, sigma.reshape(-1, 1).expand(len(x), 1)

    def _told(self, told, n: int) -> torch.Tensor:
        if told is None:
            return torch.zeros(n, self.extra, dtype=self.dtype)
        told, shape = floats(told, "told", self.dtype), (n, self.extra)
        got = f"shape {tuple(told.shape)}"
        require(told=(got, told.shape == shape, f"of shape {shape}"))
        check_finite(told, "told")
        return told

    def loss(self, x0: torch.Tensor, generator=None, told=None) -> torch.Tensor:
        """Mean of w(σ) ‖D(x₀ + σ ε; σ) − x₀‖² over the batch ``(n, d)``, ε and σ.

        With w = 1/σ² + 1/σ_data² all σ count alike: the least possible loss is d if the
        data are N(0, σ_data² I).
        """
        generators(generator=generator)
        x0 = check_data(floats(x0, "x0", self.dtype), self.data_dim, "x0")
        options = {"generator": generator, "dtype": x0.dtype}
        sigma = self._draw_sigma(len(x0), options)  # (n, 1)
        # the noise is drawn anew in every step, so the network never sees it twice
        x = x0 + sigma * torch.randn(x0.shape, **options)
        weight = 1 / sigma.square() + 1 / self.sigma_data**2
        guess = self(x, sigma) if told is None else self(x, sigma, told)
        return (weight * (guess - x0).square()).sum(dim=1).mean()

    def _draw_sigma(self, n: int, options) -> torch.Tensor:
        low, high = map(math.log, self.sigma_range)
        if self.log_sigma is None:
            return (low + (high - low) * torch.rand(n, 1, **options)).exp()
        mean, spread = self.log_sigma
        return (mean + spread * torch.randn(n, 1, **options)).clamp(low, high).exp()

    def levels(self, steps: int) -> list[float]:
        """``steps`` values of σ that fall from the most noise to the least.

        Even in σ^(1/7), so most of them are small (Karras et al. 2022, eq. 5).
        """
        counts(steps=steps)
        low, high = (sigma ** (1 / 7) for sigma in self.sigma_range)
        roots = torch.linspace(high, low, steps, dtype=torch.float64)
        return (roots**7).tolist()

    @checked
    @torch.no_grad()
    def walk(self, x: torch.Tensor, levels: Sequence[float]) -> Iterator[torch.Tensor]:
        """Move x ``(n, d)`` from each σ to the next; yields all of them, x first.

        Each step is Heun's: the mean of the slopes at both of its ends (Karras et al.
        2022, algorithm 1). Raises ``ValueError`` unless all σ are positive and finite.
        """
        x = check_data(floats(x, "x", self.dtype), self.data_dim)
        states = heun(self, x, levels)
        yield
        yield from states

    @torch.no_grad()
    def sample(self, n: int, steps: int = 32) -> torch.Tensor:
        """New x ``(n, d)``: noise, a walk down to the least σ, and a last clean-up.

        The more ``steps``, the nearer to the exact walk; each asks the network twice.
        """
        counts(n=n)
        levels = self.levels(steps)
        *_, x = self.walk(self.start.sample((n,)), levels)
        return self(x, levels[-1])  # the best guess of x₀: takes the last σ away

    def encode(self, x: torch.Tensor, steps: int = 32) -> torch.Tensor:
        """The noise ``(n, d)`` from which the walk comes to x, scaled to N(0, I)."""
        *_, noise = self.walk(x, self._rising(steps))
        return noise / self.start.stddev

    def log_prob(self, x: torch.Tensor, steps: int = 64) -> torch.Tensor:
        """log p(x) ``(n,)`` of the walk, in nats, up to the error of its ``steps``.

        log p changes along the walk by −∇·(dx/dσ) (Song et al. 2021, section 4.3); the
        divergence is exact here, which takes d gradients for each step. The density is
        that before the last clean-up, at the least σ.
        """
        levels = self._rising(steps)
        path = list(self.walk(x, levels))
        slopes = [self._divergence(*at) for at in zip(path, levels, strict=True)]
        total = self.start.log_prob(path[-1]).sum(dim=1)
        # ∫ ∇·(dx/d log σ) d log σ from the data up to the noise, by trapezoids
        steps_up = pairwise(zip(levels, slopes, strict=True))
        for (here, a), (there, b) in steps_up:
            total = total + math.log(there / here) * (a + b) / 2
        return total

    def _rising(self, steps: int) -> list[float]:
        counts(2, steps=steps)
        return self.levels(steps)[::-1]

    def _divergence(self, x: torch.Tensor, sigma: float) -> torch.Tensor:
        """∇·(x − D(x; σ)) for each row, the divergence of dx/d log σ."""
        with torch.inference_mode(False), torch.enable_grad():
            x = x.detach().clone().requires_grad_()
            # the rows do not see each other: one gradient of a sum serves all n
            rest = (x - self(x, sigma)).sum(dim=0)  # (d,)
            rows = [
                torch.autograd.grad(part, x, retain_graph=True)[0][:, i]
                for i, part in enumerate(rest)
            ]
        return torch.stack(rows).sum(dim=0)  # the trace of each row's Jacobian


def _pair(name: str, value) -> tuple[float, float]:
    """Two numbers, as floats."""
    pair = floats(value, name, torch.float64)
    got = f"shape {tuple(pair.shape)}"
    require(**{name: (got, pair.shape == (2,), "two numbers")})
    first, second = pair.tolist()
    return first, second


def _check_size(name: str, value: float) -> None:
    rule = f"from {LEAST:g} to {MOST:g}: scale the data"
    require(**{name: (value, LEAST <= value <= MOST, rule)})


def check_levels(levels) -> list[float]:
    """``levels`` as a list, if they are positive and finite, and at least one."""
    levels = floats(levels, "levels", torch.float64)
    fit = levels.ndim == 1 and len(levels) > 0
    fit = fit and bool(((levels > 0) & (levels < math.inf)).all())
    rule = "a list of one σ or more, all positive and finite"
    levels = levels.tolist()
    require(levels=(levels, fit, rule))
    return levels


@checked
def heun(denoise, x: torch.Tensor, levels: Sequence[float]) -> Iterator[torch.Tensor]:
    """The walk of any ``denoise(x, σ)`` from each level to the next; x comes first.

    Raises ``ValueError`` or ``TypeError`` for levels that are no list of σ > 0, and for
    a ``denoise`` that returns another shape than x has; ``FloatingPointError`` where
    its guess is NaN or infinite.
    """
    functions(denoise=denoise)
    x = floats(x)
    check_finite(x)
    levels = check_levels(levels)
    yield
    yield x

    def slope(x, sigma):  # dx/dσ
        guess = returned(denoise(x, sigma), x.shape, "denoise")
        if not bool(torch.isfinite(guess).all()):
            raise FloatingPointError(f"the guess of x₀ is no number at σ = {sigma:g}")
        return (x - guess) / sigma

    for here, there in pairwise(levels):
        first = slope(x, here)
        arrived = x + (there - here) * first  # where Euler's method would stop
        x = x + (there - here) * ((first + slope(arrived, there)) / 2)
        yield x


class DiffusionState(DescentState):
    """One moment of ``train_diffusion``; ``loss`` is that of ``Denoiser.loss``."""


def train_diffusion(
    denoiser: Denoiser, x: torch.Tensor, steps: int = 5000, **options
) -> Iterator[DiffusionState]:
    """Teach ``denoiser`` to clean the rows of ``x`` ``(n, d)``.

    ``options`` are those of ``descend``: ``seconds``, ``batch_size``,
    ``learning_rate``, ``n_states``, ``snapshots``, ``seed``. Raises ``ValueError`` for
    data that do not lie as ``denoiser`` expects them, see ``check_scale``.
    """
    instances(Denoiser, denoiser=denoiser)
    x = check_data(floats(x), denoiser.data_dim)
    check_scale(denoiser, x)
    states = descend(denoiser, x, denoiser.loss, steps, **options)
    return (DiffusionState(**vars(state)) for state in states)


def check_scale(
    denoiser: Denoiser, x: torch.Tensor, name: str = "x", narrow: bool = False
) -> None:
    """Raise a ``ValueError`` for data far from 0, or of another width than σ_data.

    The walk begins at N(0, …), so a centre m leaves an error of about m · width / the
    most noise in each sample; and the network sees all numbers over σ_data. Columns
    without any spread are let through: there is nothing to learn; with ``narrow`` all
    columns that spread less than is expected.
    """
    x = x.detach().double()
    means, widths = x.mean(dim=0), x.std(dim=0, correction=0)
    least, most = denoiser.sigma_range
    low = 0.0 if narrow else max(NARROWEST * denoiser.sigma_data, 2 * least)
    high = min(WIDEST * denoiser.sigma_data, most / 2)
    ends = widths.where(widths > 0, low)
    bad = (means.abs() > FAR * most) | (ends < low) | (ends > high)
    if not bool(bad.any()):
        return
    column = int(bad.int().argmax())
    raise ValueError(
        f"{name} must be centred and scaled as the denoiser expects: means within "
        f"{FAR * most:g} of 0 and deviations from {low:g} to {high:g}, but column "
        f"{column} has mean {means[column]:.4g} and deviation {widths[column]:.4g}. "
        f"Train on ({name} - {name}.mean(0)) / {name}.std(0), and undo that on the "
        "samples; or make a Denoiser with another sigma_data and sigma_range"
    )
