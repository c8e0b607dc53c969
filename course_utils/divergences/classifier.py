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

from course_utils.arguments import check_finite, counts, floats, positive, require
from course_utils.training import checked


@dataclass(frozen=True)
class DiscriminatorState:
    """A moment of the training: the bound on the samples before that step, in nats."""

    step: int
    bound: float

    def __str__(self):
        return f"step {self.step}, JSD at least {self.bound:.3f} nats"


def js_bound(logits_p: torch.Tensor, logits_q: torch.Tensor) -> torch.Tensor:
    """The bound in nats, from the logits of D at samples of p and at samples of q.

    ``(n,)`` and ``(m,)``, or ``(n, 1)`` and ``(m, 1)``, as a network gives them.
    """
    logits_p, logits_q = floats(logits_p, "logits_p"), floats(logits_q, "logits_q")
    for name, logits in (("logits_p", logits_p), ("logits_q", logits_q)):
        got, n = tuple(logits.shape), logits.numel()
        fits = n > 0 and got in {(n,), (n, 1)}
        require(
            **{name: (f"shape {got}", fits, "one logit for each row, (n,) or (n, 1)")}
        )
    # log D = log σ(l), and log (1 − D) = log σ(−l): nothing overflows
    value = logsigmoid(logits_p).mean() + logsigmoid(-logits_q).mean()
    return math.log(2) + value / 2


@checked
def train_discriminator(
    discriminator: torch.nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    steps: int,
    learning_rate: float = 0.01,
) -> Iterator[DiscriminatorState]:
    """Climb the bound on x ``(n, d)`` from p and y ``(m, d)`` from q, all at once.

    ``discriminator`` gives one logit for each row. Raises ``ValueError`` at the call
    for samples that do not fit, and for steps or a learning rate that are not positive;
    ``FloatingPointError`` when the bound is no number any more.
    """
    counts(steps=steps)
    positive(learning_rate=learning_rate)
    is_network = isinstance(discriminator, torch.nn.Module)
    weights = list(discriminator.parameters()) if is_network else []
    kind, rule = type(discriminator).__name__, "a torch.nn.Module with parameters"
    require(discriminator=(kind, bool(weights), rule))
    made_there = any(each.is_inference() for each in weights)
    rule = "a network made outside of inference mode"
    require(discriminator=("such a one", not made_there, rule))
    x, y = _rows("x", x, weights[0].dtype), _rows("y", y, weights[0].dtype)
    same = x.shape[1] == y.shape[1]
    require(y=(f"{y.shape[1]} columns", same, f"as wide as x, {x.shape[1]} columns"))
    yield
    optimizer = torch.optim.Adam(weights, learning_rate)
    good = [w.detach().clone() for w in weights]
    for step in range(1, steps + 1):
        # whatever the caller's next() stands in: this step needs gradients
        with torch.inference_mode(False), torch.enable_grad():
            at_x = _one_each("x", discriminator(x), len(x))
            bound = js_bound(at_x, _one_each("y", discriminator(y), len(y)))
            if not bool(bound.isfinite()):
                with torch.no_grad():
                    torch._foreach_copy_(weights, good)
                raise FloatingPointError(
                    f"the bound became {bound.item()} at step {step}; the network "
                    "is back where it was one step before: try a smaller learning_rate"
                )
            good = [w.detach().clone() for w in weights]
            optimizer.zero_grad()
            (-bound).backward()  # Adam goes down, so minus the bound
            optimizer.step()
        yield DiscriminatorState(step, bound.item())


def _rows(name: str, rows, kind: torch.dtype) -> torch.Tensor:
    """``(n, d)`` in the type of the network; finite, and fit for gradients."""
    rows = floats(rows, name)
    got = tuple(rows.shape)
    require(**{name: (got, rows.ndim == 2 and rows.numel() > 0, "of shape (n, d)")})
    rows = rows.to(kind)
    check_finite(rows, name)
    with torch.inference_mode(False):  # what came from there knows no gradients
        return rows.clone() if rows.is_inference() else rows.detach()


def _one_each(name: str, logits: torch.Tensor, n: int) -> torch.Tensor:
    got = tuple(logits.shape)
    rule = f"one logit for each row of {name}, ({n},) or ({n}, 1)"
    require(discriminator=(f"shape {got}", got in {(n,), (n, 1)}, rule))
    return logits
