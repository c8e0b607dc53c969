"""The JSD from samples: a discriminator gives a lower bound (notebook 06, section 6).

Let D(x) be the probability that x comes from p, with logit l = log D − log (1 − D). For
every D

    JSD(p, q) ≥ log 2 + ½ (E_p[log D(x)] + E_q[log (1 − D(y))]),

and the best D, p / (p + q), makes it equal (Goodfellow et al. 2014, theorem 1). On the
samples that D has learned from, the mean on the right may lie above the JSD: judge it
on new ones.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch.nn.functional import logsigmoid

from course_utils.arguments import check_finite, positive, require


@dataclass(frozen=True)
class DiscriminatorState:
    """A moment of the training: the bound on the samples before that step, in nats."""

    step: int
    bound: float

    def __str__(self):
        return f"step {self.step}, JSD at least {self.bound:.3f} nats"


def js_bound(logits_p: torch.Tensor, logits_q: torch.Tensor) -> torch.Tensor:
    """The bound in nats, from the logits of D at samples of p and at samples of q."""
    # log D = log σ(l), and log (1 − D) = log σ(−l): nothing overflows
    value = logsigmoid(logits_p).mean() + logsigmoid(-logits_q).mean()
    return math.log(2) + value / 2


def train_discriminator(
    discriminator: torch.nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    steps: int,
    learning_rate: float = 0.01,
) -> Iterator[DiscriminatorState]:
    """Climb the bound on x ``(n, d)`` from p and y ``(m, d)`` from q, all at once.

    ``discriminator`` gives one logit for each row. Raises ``ValueError`` at the call
    for samples that do not fit, and for steps or a learning rate that are not positive.
    """
    positive(steps=steps, learning_rate=learning_rate)
    for name, rows in (("x", x), ("y", y)):
        got = tuple(rows.shape)
        require(**{name: (got, rows.ndim == 2 and len(rows) > 0, "of shape (n, d)")})
        check_finite(rows, name)
    same = x.shape[1] == y.shape[1]
    require(y=(f"{y.shape[1]} columns", same, f"as wide as x, {x.shape[1]} columns"))
    return _climb(discriminator, x, y, steps, learning_rate)


def _climb(discriminator, x, y, steps, learning_rate):
    optimizer = torch.optim.Adam(discriminator.parameters(), learning_rate)
    for step in range(1, steps + 1):
        bound = js_bound(discriminator(x), discriminator(y))
        optimizer.zero_grad()
        (-bound).backward()  # Adam goes down, so minus the bound
        optimizer.step()
        yield DiscriminatorState(step, bound.item())
