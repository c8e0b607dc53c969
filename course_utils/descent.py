"""Gradient descent on minibatches as an iterator of states: one loop for any model.

``Clock`` knows how far a run is, ``Run`` takes the steps. The flow and the diffusion
model of notebook 06 differ in their loss alone and use ``descend``; the VAE of notebook
04 has its own loop around the same two. All the randomness of a run comes from one
generator, so that it repeats.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import nn

from course_utils.arguments import (
    check_data,
    counts,
    finite,
    functions,
    positive,
    require,
    returned,
    seed_of,
    switches,
)
from course_utils.networks import check_trainable
from course_utils.training import checked


@dataclass(frozen=True)
class DescentState:
    """One moment of a training run.

    ``loss`` is the mean over the steps since the last state, ``seconds`` counts the
    training only, ``parameters`` is a copy, if snapshots were asked for, for
    ``model.load_state_dict``.
    """

    step: int
    seconds: float
    loss: float
    parameters: dict[str, torch.Tensor] | None = None

    def __str__(self):
        return f"step {self.step}, loss {self.loss:.3f}"


def learning_rate_at(progress: float, warm_up: float = 0.05) -> float:
    """A factor from 0 to 1: linear rise, then half a cosine down to 0.01.

    ``progress`` counts from 0; after 1 the factor stays. Raises ``ValueError`` for a
    ``warm_up`` that is not in [0, 1).
    """
    finite(progress=progress, warm_up=warm_up)
    require(
        progress=(progress, progress >= 0, ">= 0"),
        warm_up=(warm_up, 0 <= warm_up < 1, ">= 0 and < 1"),
    )
    if progress < warm_up:  # Adam knows nothing yet: its first steps are small
        return min(1.0, max(progress, 0.001) / warm_up)
    fall = min(1.0, (progress - warm_up) / (1 - warm_up))
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * fall))


class Clock:
    """How far a run is: ``for done in clock`` gives the share done, from 0 to 1.

    It ends after ``steps`` steps, or after ``seconds`` of training if these are given.
    The body takes one step and then asks ``due()``: is it time for a state? (There are
    about ``n_states`` of them.) What happens after that costs the run no seconds.
    ``now`` is what seconds are: on the wall; benchmarks set it to the processor's.
    Raises ``ValueError`` for settings that are no whole numbers, or no time.
    """

    @staticmethod
    def now() -> float:
        """Seconds, from any beginning."""
        return time.perf_counter()

    def __init__(self, steps: int, seconds: float | None = None, n_states: int = 20):
        counts(steps=steps, n_states=n_states)
        positive(seconds=1 if seconds is None else seconds)
        self.steps, self.limit = steps, seconds
        # with a budget of steps there cannot be more states than steps
        self.n_states = n_states if seconds else min(n_states, steps)
        self.step, self.seconds, self.states, self.done = 0, 0.0, 0, 0.0

    def __iter__(self) -> Iterator[float]:
        while self.done < 1:
            self.begin = self.now()
            yield self.done

    def due(self) -> bool:
        """Count the step; whether a state is due after it."""
        self.seconds += self.now() - self.begin
        self.step += 1
        done = self.seconds / self.limit if self.limit else self.step / self.steps
        self.done = min(1.0, done)
        if self.done < 1 and self.done < (self.states + 1) / self.n_states:
            return False
        # one long step may pass several marks: they are skipped, not made up for
        self.states = math.floor(self.done * self.n_states + 1e-9)
        return True


class Run:
    """The moving parts of one training run: minibatches, Adam, sums, a way back.

    ``clip``, if it is set, limits the norm of the gradient. Raises ``ValueError`` or
    ``TypeError`` for a model without weights that can move, and for settings without
    sense.
    """

    clip: float | None = None

    def __init__(self, model, x, batch_size, learning_rate, seed, betas=(0.9, 0.99)):
        check_trainable(model)
        counts(batch_size=batch_size)
        positive(learning_rate=learning_rate)
        self.model, self.x, self.batch_size = model, x, batch_size
        self.learning_rate = learning_rate
        seed = seed_of(seed)
        self.generator = torch.Generator().manual_seed(seed)  # all that is random here
        self.step = 0
        self.order = torch.empty(0, dtype=torch.int64)
        self.sums, self.count = torch.zeros(()), 0
        # β₂ below the usual 0.999: these runs are short, old gradients soon mislead
        self.optimizer = torch.optim.Adam(
            model.parameters(), lr=learning_rate, betas=betas, fused=True
        )
        self.good = self._parameters()

    def batch(self) -> torch.Tensor:
        """The next rows of x, in a new random order for each pass."""
        if self.order.numel() == 0:  # every row has been seen: shuffle again
            self.order = torch.randperm(len(self.x), generator=self.generator)
        rows = self.order[: self.batch_size]
        self.order = self.order[self.batch_size :]
        return self.x[rows]  # (batch_size, …); the last one of a pass may be smaller

    def descend(self, loss: torch.Tensor, rate: float = 1.0, parts=None) -> None:
        """One step of Adam, whole or not at all; ``parts`` or the loss are summed.

        Raises ``ValueError`` for a loss that is not one number, or that does not
        depend on the weights, and ``FloatingPointError`` for one that is not finite.
        """
        returned(loss, (), "loss")
        require(loss=("one without", loss.requires_grad, "a number with a gradient"))
        self._insist(loss, "the loss")  # before it can reach a weight
        self.optimizer.zero_grad()
        loss.backward()
        if self.clip is not None:
            parameters = self.model.parameters()
            norm = nn.utils.clip_grad_norm_(parameters, self.clip)
            self._insist(norm, "the norm of its gradient")
        self.optimizer.param_groups[0]["lr"] = self.learning_rate * rate
        self.optimizer.step()
        self.step += 1
        # (not +=: the first number decides whether this is () or one entry per part)
        self.sums = self.sums + (loss.detach() if parts is None else parts)
        self.count += 1

    def _insist(self, number: torch.Tensor, name: str) -> None:
        if not bool(torch.isfinite(number)):
            self.model.load_state_dict(self.good)
            raise FloatingPointError(
                f"{name} became {number.item()} at step {self.step}; the model is back "
                "at its last good state: try a smaller learning_rate"
            )

    def means(self) -> torch.Tensor:
        """The means of what ``descend`` has summed since the last call."""
        means = self.sums / max(1, self.count)
        self.sums, self.count = torch.zeros(()), 0
        return means

    def keep(self) -> dict[str, torch.Tensor]:
        """Make this moment the one to which a failure goes back; a copy of it."""
        for weights in self.model.parameters():  # max is NaN if any weight is
            self._insist(weights.detach().abs().max(), "a weight")
        self.good = self._parameters()
        return self.good

    def _parameters(self):
        return {k: v.detach().clone() for k, v in self.model.state_dict().items()}


@checked
@torch.inference_mode(False)  # gradients are needed, whatever is switched off outside
def descend(
    model: nn.Module,
    x: torch.Tensor,
    loss: Callable,
    steps: int,
    *,
    seconds: float | None = None,
    batch_size: int = 256,
    learning_rate: float = 3e-3,
    n_states: int = 20,
    snapshots: bool = False,
    seed: int = 0,
) -> Iterator[DescentState]:
    """Lower ``loss(batch, generator)`` by Adam; yields about ``n_states`` states.

    ``x`` is ``(n, d)`` with d = ``model.data_dim``. The run ends after ``steps`` steps,
    or after ``seconds`` of training if these are given. ``model`` changes in place. An
    interrupt leaves it at its last whole step; a loss or a gradient that is not finite
    puts it back to the last state and raises ``FloatingPointError``. Raises
    ``ValueError`` for data or settings without sense, at the call.
    """
    check_trainable(model)
    functions(loss=loss)
    width = getattr(model, "data_dim", None)
    require(model=("none", isinstance(width, int), "a model with a data_dim"))
    check_data(x, width)
    positive(steps=steps, batch_size=batch_size, n_states=n_states)
    positive(learning_rate=learning_rate, seconds=1 if seconds is None else seconds)
    counts(steps=steps, batch_size=batch_size, n_states=n_states)
    switches(snapshots=snapshots)
    seed = seed_of(seed)
    yield
    x = x.to(next(model.parameters()).dtype)
    run = Run(model, x, batch_size, learning_rate, seed)
    run.clip = 10.0  # one rare batch must not throw the model far away
    clock = Clock(steps, seconds, n_states)
    for done in clock:
        run.descend(loss(run.batch(), run.generator), learning_rate_at(done))
        if clock.due():
            mean, good = run.means().item(), run.keep()
            yield DescentState(
                run.step, clock.seconds, mean, good if snapshots else None
            )
