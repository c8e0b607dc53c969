"""A normalizing flow: a density that is exact because the map is invertible.

z ~ N(0, I) goes through maps that can be undone, so that
log p(x) = log N(z; 0, I) + log |det ∂z/∂x| with z = f⁻¹(x): no bound, no integral. Each
*coupling layer* leaves one half of the coordinates as it is and moves each coordinate
of the other half by an increasing function, which a network chooses from the first half
(Dinh et al. 2017). The function here is a spline of ratios of quadratics (Durkan et al.
2019, section 3), or a line.
"""

import math
from collections.abc import Iterator, Sequence

import torch
from torch import nn
from torch.distributions import Normal
from torch.nn import functional as F

from course_utils import networks
from course_utils.arguments import (
    check_data,
    check_finite,
    counts,
    floats,
    instances,
    one_of,
    positive,
    require,
    seed_of,
    switches,
)
from course_utils.descent import DescentState, descend
from course_utils.training import seeded

COUPLINGS = ("spline", "affine")
LEAST = 1e-3  # least share of a bin, least slope of a knot: so maps can be undone
UNIT = math.log(math.expm1(1 - LEAST))  # a network that says 0 gives slope 1


def spline(x, widths, heights, slopes, bound: float, inverse: bool = False):
    """An increasing spline from [−bound, bound] onto itself, the identity outside.

    ``x`` is ``(…)``; ``widths`` and ``heights`` ``(…, k)``, ``slopes`` ``(…, k − 1)``:
    any numbers, made positive here. Returns y and log dy/dx, both ``(…)``; with
    ``inverse`` the x of a given y, and log dx/dy, computed in float64: where the spline
    is flat, rounding of y is a large error of x. Durkan et al. 2019, section 3.1.
    ``ValueError`` for other shapes, for x that is not finite, and for a bound that is
    not positive.
    """
    x, widths, heights, slopes = _numbers(x, widths, heights, slopes)
    switches(inverse=inverse)
    check_finite(x)
    bound = _check_bound(bound)
    inside = (x > -bound) & (x < bound)
    t = x.clamp(-bound, bound)
    knots = _knots(torch.stack([widths, heights], dim=-2), bound)  # (…, 2, k + 1)
    # slope 1 at both ends, so that curve and line outside meet without a corner
    slopes = F.pad(F.softplus(slopes + UNIT) + LEAST, (1, 1), value=1.0)
    # number of the bin that t lies in: how many inner knots are to its left
    inner = knots[..., 1 if inverse else 0, 1:-1]
    bin_ = (t[..., None] >= inner).sum(-1)[..., None, None]
    # x, y and slope at each knot: (…, 3, k + 1)
    ends = torch.cat([knots, slopes[..., None, :]], dim=-2)
    index = bin_ + torch.arange(2)  # the two ends of this bin
    found = ends.gather(-1, index.expand(*ends.shape[:-1], 2))
    found = found.double() if inverse else found
    (x0, x1), (y0, y1), (d0, d1) = (p.unbind(-1) for p in found.unbind(-2))
    width, height = x1 - x0, y1 - y0
    slope = height / width
    bend = d0 + d1 - 2 * slope
    # ξ, the share of the bin that lies to the left of x: from 0 to 1
    share = _root(t - y0, height, slope, d0, bend) if inverse else (t - x0) / width
    mixed = share * (1 - share)
    below = slope + bend * mixed
    forward = y0 + height * (slope * share.square() + d0 * mixed) / below  # eq. 4
    result = x0 + share * width if inverse else forward
    # dy/dx (eq. 5), as a logarithm
    above = d1 * share.square() + 2 * slope * mixed + d0 * (1 - share).square()
    log_slope = 2 * slope.log() + above.log() - 2 * below.log()
    log_slope = -log_slope if inverse else log_slope
    # outside, t was clamped: also what where() drops must be finite, or gradients
    # would be 0 · NaN
    result, log_slope = result.to(x.dtype), log_slope.to(x.dtype)
    return torch.where(inside, result, x), torch.where(inside, log_slope, 0.0)


def _root(rise, height, slope, d0, bend) -> torch.Tensor:
    """ξ with a ξ² + b ξ + c = 0 (eqs. 6 to 8), from 0 to 1.

    Each of the two forms of the root is taken where it has no difference of nearly
    equal numbers: by the sign of b.
    """
    up = rise / height  # the share of the bin that lies below y
    a, b, c = slope - d0 + up * bend, d0 - up * bend, -slope * up
    root = (b.square() - 4 * a * c).clamp(min=0).sqrt()
    rising = b > 0
    # the denominator that is not used must not be 0, or gradients would be 0 · NaN
    first = 2 * c / torch.where(rising, -b - root, -1.0)
    second = (root - b) / torch.where(rising | (a == 0), 1.0, 2 * a)
    return torch.where(rising, first, second).clamp(0, 1)


def _numbers(x, widths, heights, slopes) -> list[torch.Tensor]:
    """All four as floats of one type, after a look at their shapes."""
    named = {"x": x, "widths": widths, "heights": heights, "slopes": slopes}
    tensors = {name: floats(value, name) for name, value in named.items()}
    own, k = tuple(tensors["x"].shape), tensors["widths"].shape[-1:].numel()
    for name, value in tensors.items():
        shape = own if name == "x" else (*own, k - (name == "slopes"))
        got = tuple(value.shape)
        require(**{name: (f"shape {got}", got == shape, f"of shape {shape}")})
    require(widths=(f"k = {k}", k >= 2, "of two bins or more"))
    kind = max(tensors.values(), key=lambda value: value.dtype.itemsize).dtype
    return [value.to(kind) for value in tensors.values()]


def _check_bound(bound) -> float:
    positive(bound=bound)
    fits = 1e-18 <= bound <= 1e18  # whose powers are numbers in float32, too
    require(bound=(bound, fits, "from 1e-18 to 1e18"))
    return float(bound)


def _knots(raw: torch.Tensor, bound: float) -> torch.Tensor:
    """Increasing positions ``(…, k + 1)`` from −bound to bound, both exact."""
    # softmax: positive shares with sum 1; none may be so small that rounding eats it
    shares = LEAST + (1 - LEAST * raw.shape[-1]) * raw.softmax(dim=-1)
    knots = F.pad(bound * (2 * shares.cumsum(dim=-1) - 1), (1, -1), value=-bound)
    return F.pad(knots, (0, 1), value=bound)


class Coupling(nn.Module):
    """One layer: the coordinates of one parity stay, those of the other move."""

    def __init__(self, data_dim, parity, hidden, bins, bound, kind):
        super().__init__()
        self.parity, self.bins, self.bound, self.kind = parity, bins, bound, kind
        stay = (data_dim + 1 - parity) // 2
        # for each moved coordinate: widths, heights, inner slopes; or scale and shift
        self.numbers = 3 * bins - 1 if kind == "spline" else 2
        widths = [stay, *hidden, (data_dim - stay) * self.numbers]
        self.network = networks.layers(widths, "silu")
        for last in self.network[-1].parameters():
            nn.init.zeros_(last)  # so the layer begins as the identity

    def forward(self, x: torch.Tensor, inverse: bool = False):
        """``(n, d)`` to the moved ``(n, d)`` and log |det| ``(n,)``."""
        stay, move = x[:, self.parity :: 2], x[:, 1 - self.parity :: 2]
        # (n, moved coordinates, numbers): the network never sees what it moves, so
        # the inverse can ask it again, and the Jacobian is triangular
        chosen = self.network(stay).unflatten(1, (move.shape[1], self.numbers))
        if self.kind == "spline":
            parts = chosen.split([self.bins, self.bins, self.bins - 1], dim=-1)
            moved, log_slope = spline(move, *parts, self.bound, inverse)
        else:  # y = e^a x + b, with |a| < 3 so that no step of training explodes
            log_slope, shift = 3 * torch.tanh(chosen[..., 0] / 3), chosen[..., 1]
            if inverse:
                log_slope = -log_slope
                moved = (move - shift) * log_slope.exp()
            else:
                moved = move * log_slope.exp() + shift
        y = torch.empty_like(x)
        y[:, self.parity :: 2], y[:, 1 - self.parity :: 2] = stay, moved
        return y, log_slope.sum(dim=1)  # log |det| of a triangle: sum of its diagonal


class Flow(nn.Module):
    """x = f(z), z ~ N(0, I), with f made of ``layers`` coupling layers.

    A ``"spline"`` coupling bends the square [−bound, bound]ᵈ and leaves the rest as it
    is, so data belong inside it; ``"affine"`` only scales and shifts. The start, which
    is f(z) = z, depends on ``seed`` through the hidden layers only. x is
    ``(n, data_dim)``, d ≥ 2.
    """

    def __init__(
        self,
        data_dim: int = 2,
        layers: int = 4,
        hidden: Sequence[int] = (64, 64),
        bins: int = 16,
        bound: float = 4.0,
        coupling: str = "spline",
        seed: int = 0,
    ):
        super().__init__()
        most = int(0.5 / LEAST)  # else their least widths would fill over half
        counts(2, data_dim=data_dim)
        counts(layers=layers, bins=bins)
        require(bins=(bins, 2 <= bins <= most, f"from 2 to {most}"))
        one_of(COUPLINGS, coupling=coupling)
        bound = _check_bound(bound)
        hidden, seed = networks.whole_numbers(hidden, "hidden"), seed_of(seed)
        self.data_dim = data_dim
        self.bound = bound if coupling == "spline" else math.inf
        with seeded(seed):
            self.layers = nn.ModuleList(  # even and odd coordinates move in turn
                Coupling(data_dim, layer % 2, hidden, bins, bound, coupling)
                for layer in range(layers)
            )

    @property
    def base(self) -> Normal:
        """N(0, I), with ``(data_dim,)`` means."""
        zeros = self.layers[0].network[0].weight.new_zeros(self.data_dim)
        return Normal(zeros, zeros + 1, validate_args=False)

    def inverse(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """z = f⁻¹(x) ``(n, d)`` and log |det ∂z/∂x| ``(n,)``."""
        return self._through(self.layers, self._rows(x, "x"))

    def forward_map(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """x = f(z) ``(n, d)`` and log |det ∂x/∂z| ``(n,)``."""
        return self._through(reversed(self.layers), self._rows(z, "z"), inverse=True)

    def _rows(self, x, name: str) -> torch.Tensor:
        """Lists, arrays or tensors ``(n, d)`` as what the weights are."""
        return check_data(floats(x, name, self.base.mean.dtype), self.data_dim, name)

    def _through(self, layers, x, inverse=False):
        total = x.new_zeros(len(x))
        for layer in layers:
            x, log_det = layer(x, inverse)
            total = total + log_det  # the determinant of a chain is a product
        return x, total

    def log_prob(self, x: torch.Tensor) -> torch.Tensor:
        """log p(x), exact: ``(n, d)`` to ``(n,)``, in nats."""
        z, log_det = self.inverse(x)
        return self.base.log_prob(z).sum(dim=1) + log_det  # change of variables

    @torch.no_grad()
    def sample(self, n: int) -> torch.Tensor:
        """New x ``(n, d)``: z from N(0, I), then f."""
        counts(n=n)
        return self.forward_map(self.base.sample((n,)))[0]

    @torch.no_grad()
    def encode(self, x: torch.Tensor) -> torch.Tensor:
        """The one z ``(n, d)`` that f maps to x: no distribution, no doubt."""
        return self.inverse(x)[0]


class FlowState(DescentState):
    """One moment of ``train_flow``; ``loss`` is −log p(x), nats per example."""

    def __str__(self):
        return f"step {self.step}, log p(x) {-self.loss:.3f} nats"


def train_flow(
    flow: Flow, x: torch.Tensor, steps: int = 2000, **options
) -> Iterator[FlowState]:
    """Maximum likelihood: climb the mean of log p(x) over ``x`` ``(n, d)``.

    ``options`` are those of ``descend``: ``seconds``, ``batch_size``,
    ``learning_rate``, ``n_states``, ``snapshots``, ``seed``. Raises ``ValueError`` if
    most numbers of x lie outside of [−bound, bound], where splines change nothing.
    """
    instances(Flow, flow=flow)
    x = check_data(floats(x), flow.data_dim)
    outside = (x.abs() > flow.bound).double().mean().item()
    if outside > 0.5:
        raise ValueError(
            f"x must lie mostly in [-bound, bound] with bound = {flow.bound:g}, but "
            f"{100 * outside:.0f} % of its numbers are outside: scale the data, or "
            "make a Flow with a larger bound"
        )

    def loss(batch, generator):
        return -flow.log_prob(batch).mean()

    states = descend(flow, x, loss, steps, **options)
    return (FlowState(**vars(state)) for state in states)
