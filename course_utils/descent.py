"""Gradient descent on minibatches as an iterator of states: one loop for any model.

The flow and the diffusion model of notebook 06 differ in their loss alone; the VAE of
notebook 04 has its own loop around the same ``Run``. All the randomness of a run comes
from one generator, so that it repeats, and a stopped run goes on as if it had not
stopped.
"""

import copy
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from torch import nn

from course_utils.arguments import check_data


@dataclass(frozen=True)
class DescentState:
    """One moment of a training run.

    ``loss`` is the mean over the steps since the last state, ``seconds`` counts the
    training only, ``parameters`` is a copy, if snapshots were asked for, for
    ``model.load_state_dict``. ``resume`` is what a later call with ``resume=state``
    needs; all states of a run share it.
    """

    step: int
    seconds: float
    loss: float
    parameters: dict[str, torch.Tensor] | None = None
    resume: dict = field(default_factory=dict, repr=False)

    def __str__(self):
        return f"step {self.step}, loss {self.loss:.3f}"


def learning_rate_at(progress: float, warm_up: float = 0.05) -> float:
    """A factor from 0 to 1: linear rise, then half a cosine down to 0.01."""
    if progress < warm_up:
        return max(progress, 0.001) / warm_up
    fall = min(1.0, (progress - warm_up) / (1 - warm_up))
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * fall))


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
    resume: DescentState | None = None,
    kind: type = DescentState,
) -> Iterator:
    """Lower ``loss(batch, generator)`` by Adam; yields about ``n_states`` states.

    ``x`` is ``(n, d)`` with d = ``model.data_dim``. The run ends after ``steps`` steps,
    or after ``seconds`` of training if these are given. ``kind`` is the class of the
    states. ``model`` changes in place. An interrupt leaves it at its last whole step; a
    loss or a gradient that is not finite puts it back to the last state and raises
    ``FloatingPointError``. ``resume=state``, with any state of a stopped run, goes on
    after its last one, with the numbers of a run that was not stopped, if the other
    arguments are the same. Raises ``ValueError`` for data or settings without sense.
    """
    check_data(x, model.data_dim)
    settings = {"steps": steps, "batch_size": batch_size, "n_states": n_states}
    settings |= {"learning_rate": learning_rate, "seconds": seconds}
    for name, value in settings.items():
        if value is not None and not 0 < value < math.inf:
            raise ValueError(f"{name} must be positive, got {value}")
    run = Run(
        model, x.to(next(model.parameters()).dtype), batch_size, learning_rate, seed
    )
    run.clip = 10.0
    if resume is not None:
        run.load(resume)
    states = n_states if seconds else min(n_states, steps)
    reached = run.seconds / seconds if seconds else run.step / steps
    while reached < 1:
        begin = time.perf_counter()
        run.descend(loss(run.batch(), run.generator), learning_rate_at(reached))
        run.seconds += time.perf_counter() - begin
        reached = run.seconds / seconds if seconds else run.step / steps
        if reached >= (run.states + 1) / states or reached >= 1:
            run.states = math.floor(reached * states + 1e-9)
            mean, good = run.means().item(), run.keep()
            copies = good["parameters"] if snapshots else None
            yield kind(run.step, run.seconds, mean, copies, good)


class Run:
    """The moving parts of one training run: minibatches, Adam, sums, a way back.

    ``clip``, if it is set, limits the norm of the gradient.
    """

    clip: float | None = None

    def __init__(self, model, x, batch_size, learning_rate, seed):
        self.model, self.x, self.batch_size = model, x, batch_size
        self.learning_rate = learning_rate
        self.generator = torch.Generator().manual_seed(seed)
        self.step, self.seconds, self.states = 0, 0.0, 0
        self.order = torch.empty(0, dtype=torch.int64)
        self.sums, self.count = torch.zeros(()), 0
        options = {"betas": (0.9, 0.99), "fused": True}
        self.optimizer = torch.optim.Adam(
            model.parameters(), lr=learning_rate, **options
        )
        self.good = {"parameters": self._parameters()}

    def batch(self) -> torch.Tensor:
        """The next rows of x, in a new random order for each pass."""
        if self.order.numel() == 0:
            self.order = torch.randperm(len(self.x), generator=self.generator)
        rows = self.order[: self.batch_size]
        self.order = self.order[self.batch_size :]
        return self.x[rows]

    def descend(self, loss: torch.Tensor, rate: float, parts=None) -> None:
        """One step of Adam, whole or not at all; ``parts`` or the loss are summed."""
        self._insist(loss, "the loss")
        self.optimizer.zero_grad()
        loss.backward()
        if self.clip is not None:
            parameters = self.model.parameters()
            norm = nn.utils.clip_grad_norm_(parameters, self.clip)
            self._insist(norm, "the norm of its gradient")
        self.optimizer.param_groups[0]["lr"] = self.learning_rate * rate
        self.optimizer.step()
        self.step += 1
        self.sums = self.sums + (loss.detach() if parts is None else parts)
        self.count += 1

    def _insist(self, number: torch.Tensor, name: str) -> None:
        if not bool(torch.isfinite(number)):
            self.model.load_state_dict(self.good["parameters"])
            raise FloatingPointError(
                f"{name} became {number.item()} at step {self.step}; the model is back "
                "at its last good state: try a smaller learning_rate"
            )

    def means(self) -> torch.Tensor:
        """The means of what ``descend`` has summed since the last call."""
        means = self.sums / max(1, self.count)
        self.sums, self.count = torch.zeros(()), 0
        return means

    def keep(self) -> dict:
        """Make this moment the one to which a failure, or ``load``, goes back."""
        for weights in self.model.parameters():
            self._insist(weights.detach().abs().max(), "a weight")
        self.good.update(
            parameters=self._parameters(),
            optimizer=copy.deepcopy(self.optimizer.state_dict()),
            generator=self.generator.get_state(),
            order=self.order,
            step=self.step,
            seconds=self.seconds,
            states=self.states,
        )
        return self.good

    def load(self, state) -> None:
        """Go back to the last state of the run that ``state`` belongs to."""
        saved = state.resume
        self.model.load_state_dict(saved["parameters"])
        self.optimizer.load_state_dict(copy.deepcopy(saved["optimizer"]))
        self.generator.set_state(saved["generator"])
        self.order = saved["order"]
        self.step, self.seconds = saved["step"], saved["seconds"]
        self.states, self.good = saved["states"], saved

    def _parameters(self):
        return {k: v.detach().clone() for k, v in self.model.state_dict().items()}
