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
from course_utils.arguments import check_data, check_shape, positive, require
from course_utils.descent import DescentState, descend
from course_utils.training import checked, seeded


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
        low, high = sigma_range
        ordered = 0 < low < high < math.inf
        require(
            sigma_range=(sigma_range, ordered, "0 < low < high"),
            data_dim=(data_dim, data_dim >= 1, "at least 1"),
            extra=(extra, extra >= 0, "0 or more"),
        )
        positive(sigma_data=sigma_data)
        spread = 1.0 if log_sigma is None else log_sigma[1]
        rule = "None, or a mean and a positive deviation"
        require(log_sigma=(log_sigma, 0 < spread < math.inf, rule))
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

    def forward(self, x: torch.Tensor, sigma, told=None) -> torch.Tensor:
        """D(x; σ): x ``(n, d)`` and σ, a number or ``(n, 1)``, to ``(n, d)``.

        A part of x plus a part of what the network says, in such shares that the
        network sees and makes numbers of size one (Karras et al. 2022, table 1). Raises
        ``ValueError`` for other shapes, and for a σ that is not positive and finite.
        ``told`` ``(n, extra)`` is what else the network should know; None is nothing.
        """
        sigma = self._noise(x, sigma)
        told = x.new_zeros(len(x), self.extra) if told is None else told
        low, high = map(math.log, self.sigma_range)
        level = 2 * (sigma.log() - low) / (high - low) - 1  # from −1 to 1
        width = (sigma.square() + self.sigma_data**2).sqrt()  # of noisy data
        made = self.network(torch.cat([x / width, level, told], dim=1))
        # little noise: keep x; much noise: the network makes nearly all of the guess
        keep, add = (self.sigma_data / width) ** 2, sigma * self.sigma_data / width
        return keep * x + add * made

    def score(self, x: torch.Tensor, sigma) -> torch.Tensor:
        """∇ log p(x; σ), the gradient of the log-density of noisy data: ``(n, d)``."""
        self._noise(x, sigma)
        return (self(x, sigma) - x) / torch.as_tensor(sigma).square()

    def _noise(self, x: torch.Tensor, sigma) -> torch.Tensor:
        """σ as ``(n, 1)``, after a look at it and at the shape of x."""
        check_shape(x, self.data_dim)
        sigma = torch.as_tensor(sigma, dtype=x.dtype)
        known = sigma.numel() == 1 or sigma.shape == (len(x), 1)
        shape = f"a number or have shape ({len(x)}, 1)"
        require(sigma=(f"shape {tuple(sigma.shape)}", known, shape))
        low, high = sigma.min().item(), sigma.max().item()
        values = f"values from {low:g} to {high:g}"
        require(sigma=(values, 0 < low <= high < math.inf, "positive and finite"))
        return sigma.expand(len(x), 1)

    def loss(self, x0: torch.Tensor, generator=None, told=None) -> torch.Tensor:
        """Mean of w(σ) ‖D(x₀ + σ ε; σ) − x₀‖² over the batch ``(n, d)``, ε and σ.

        With w = 1/σ² + 1/σ_data² all σ count alike: the least possible loss is d if the
        data are N(0, σ_data² I).
        """
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
        require(steps=(steps, steps >= 1, "at least 1"))
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
        x = check_data(x, self.data_dim).to(self.start.mean.dtype)
        states = heun(self, x, levels)
        yield
        yield from states

    @torch.no_grad()
    def sample(self, n: int, steps: int = 32) -> torch.Tensor:
        """New x ``(n, d)``: noise, a walk down to the least σ, and a last clean-up.

        The more ``steps``, the nearer to the exact walk; each asks the network twice.
        """
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
        require(steps=(steps, steps >= 2, "at least 2"))
        return self.levels(steps)[::-1]

    def _divergence(self, x: torch.Tensor, sigma: float) -> torch.Tensor:
        """∇·(x − D(x; σ)) for each row, the divergence of dx/d log σ."""
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            # the rows do not see each other: one gradient of a sum serves all n
            rest = (x - self(x, sigma)).sum(dim=0)  # (d,)
            rows = [
                torch.autograd.grad(part, x, retain_graph=True)[0][:, i]
                for i, part in enumerate(rest)
            ]
        return torch.stack(rows).sum(dim=0)  # the trace of each row's Jacobian


@checked
def heun(denoise, x: torch.Tensor, levels: Sequence[float]) -> Iterator[torch.Tensor]:
    """The walk of any ``denoise(x, σ)`` from each level to the next; x comes first."""
    fit = len(levels) > 0 and all(0 < sigma < math.inf for sigma in levels)
    rule = "a list of one σ or more, all positive and finite"
    require(levels=(levels, fit, rule))
    yield
    yield x
    for here, there in pairwise(levels):
        slope = (x - denoise(x, here)) / here  # dx/dσ
        guess = x + (there - here) * slope  # where Euler's method would stop
        slope = (slope + (guess - denoise(guess, there)) / there) / 2
        x = x + (there - here) * slope
        yield x


class DiffusionState(DescentState):
    """One moment of ``train_diffusion``; ``loss`` is that of ``Denoiser.loss``."""


def train_diffusion(
    denoiser: Denoiser, x: torch.Tensor, steps: int = 5000, **options
) -> Iterator[DiffusionState]:
    """Teach ``denoiser`` to clean the rows of ``x`` ``(n, d)``.

    ``options`` are those of ``descend``: ``seconds``, ``batch_size``,
    ``learning_rate``, ``n_states``, ``snapshots``, ``seed``.
    """
    options = {"learning_rate": 5e-3} | options
    states = descend(denoiser, x, denoiser.loss, steps, **options)
    return (DiffusionState(**vars(state)) for state in states)
