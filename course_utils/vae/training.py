"""Training a VAE as an iterator of states.

One loop serves all: it draws a minibatch, binarises grey digits anew, draws the noise ε
of z = μ + σ ε, and takes one step of Adam up the bound. All its randomness comes from
one generator, so a run repeats, and a stopped run goes on as if it had not stopped.
"""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch

from course_utils.descent import Run, learning_rate_at
from course_utils.vae.pixels import check_data, redraw


@dataclass(frozen=True)
class VAEState:
    """One moment of ``train_vae``.

    ``elbo``, ``reconstruction`` and ``kl`` are means over the steps since the last
    state, nats per example; ``held_out_elbo`` is that of the held-out data (NaN without
    them); ``kl_per_dimension`` ``(latent_dim,)`` is of the last batch. A run with k > 1
    climbs a bound without these two parts: then ``elbo`` is the bound of ``k`` samples,
    and ``reconstruction``, ``kl`` and ``kl_per_dimension`` are NaN; ``held_out_elbo``
    is the ELBO for every k. ``epoch`` is ``step`` · batch size / n, where a batch is at
    most n. ``seconds`` counts the training only. ``parameters`` is a copy, if snapshots
    were asked for. ``resume`` is what ``train_vae(resume=…)`` needs; all states of a
    run share it.
    """

    step: int
    epoch: float
    seconds: float
    elbo: float
    reconstruction: float
    kl: float
    held_out_elbo: float
    kl_per_dimension: torch.Tensor
    k: int = 1
    parameters: dict[str, torch.Tensor] | None = None
    resume: dict = field(default_factory=dict, repr=False)

    def __str__(self):
        name = "ELBO" if self.k == 1 else f"bound of {self.k} samples"
        score = f"{name} {self.elbo:.2f}"
        if not math.isnan(self.held_out_elbo):
            score = f"ELBO held out {self.held_out_elbo:.2f}"
        return f"epoch {self.epoch:.1f}, {score} nats"


def has_fast_bf16() -> bool:
    """Does this processor multiply 16-bit floats (bfloat16) in hardware?

    Where it does, autocast trains two to three times faster; elsewhere it would be
    slower than float32.
    """
    probe = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(probe and probe())


def train_vae(
    model,
    x: torch.Tensor,
    epochs: float = 10,
    *,
    seconds: float | None = None,
    held_out: torch.Tensor | None = None,
    batch_size: int = 256,
    learning_rate: float = 3e-3,
    beta: float = 1.0,
    kl_warm_up: float = 0.0,
    k: int = 1,
    n_states: int = 20,
    snapshots: bool = False,
    bf16: bool | None = None,
    seed: int = 0,
    resume: VAEState | None = None,
) -> Iterator[VAEState]:
    """Climb the ELBO of ``model`` on ``x``; yields about ``n_states`` ``VAEState``s.

    ``x`` is ``(n, data_dim)``: floats are used as they are, uint8 grey levels are
    binarised anew at every visit (dynamic binarisation). The run ends after ``epochs``
    · n / ``batch_size`` steps (a batch is at most n), or after ``seconds`` of training
    if these are given. The KL term counts ``beta`` times, and rises to it during the
    first share ``kl_warm_up`` of the run. With ``k`` > 1 the objective is the IWAE
    bound of k samples instead (Burda et al. 2016), which has no KL term to weigh.
    ``bf16`` is by default what ``has_fast_bf16`` says (float64 models never).

    ``model`` changes in place. An interrupt leaves it at its last whole step; a loss
    that is not finite puts it back to the last state and raises ``FloatingPointError``.
    ``resume=state``, with any state of a stopped run, goes on after its last one, with
    the same numbers as a run that was not stopped, if the other arguments are the same;
    after a finished run, nothing is left to do. Raises ``ValueError`` for data or
    settings without sense.
    """
    _check_numbers(
        epochs=(epochs, 0 < epochs < math.inf, "> 0 and finite"),
        seconds=(seconds, seconds is None or seconds > 0, "None or > 0"),
        batch_size=(batch_size, batch_size >= 1, ">= 1"),
        learning_rate=(learning_rate, 0 < learning_rate < math.inf, "> 0 and finite"),
        beta=(beta, 0 <= beta < math.inf, ">= 0 and finite"),
        kl_warm_up=(kl_warm_up, 0 <= kl_warm_up <= 1, "from 0 to 1"),
        k=(k, k >= 1, ">= 1"),
        n_states=(n_states, n_states >= 1, ">= 1"),
    )
    _check(model, x, held_out, k, beta, kl_warm_up)
    batch_size = min(batch_size, len(x))
    run = _Run(model, x, batch_size, learning_rate, seed)
    run.k = k
    if resume is not None:
        run.load(resume)
    fast = has_fast_bf16() if bf16 is None else bf16
    fast = fast and model.prior.mean.dtype == torch.float32
    n_steps = max(1, round(epochs * len(x) / batch_size))
    states = n_states if seconds else min(n_states, n_steps)
    reached = run.seconds / seconds if seconds else run.step / n_steps
    while reached < 1:
        begin = time.perf_counter()
        share = beta * min(1.0, 0.1 + reached / kl_warm_up if kl_warm_up else 1.0)
        run.advance(share, learning_rate_at(reached), fast)
        run.seconds += time.perf_counter() - begin
        reached = run.seconds / seconds if seconds else run.step / n_steps
        if reached >= (run.states + 1) / states or reached >= 1:
            run.states = math.floor(reached * states + 1e-9)
            yield run.state(held_out, snapshots)


def _check_numbers(**numbers) -> None:
    for name, (value, fits, rule) in numbers.items():
        if not fits:
            raise ValueError(f"{name} must be {rule}, got {value}")


def _check(model, x, held_out, k, beta, kl_warm_up) -> None:
    if k > 1 and (beta != 1 or kl_warm_up > 0):
        raise ValueError(
            "the bound of k > 1 samples has no KL term to weigh: it needs beta = 1 and "
            f"kl_warm_up = 0, got k = {k}, beta = {beta}, kl_warm_up = {kl_warm_up}"
        )
    check_data(x, model, grey=True)
    if held_out is not None:
        check_data(held_out, model, "held_out")


class _Run(Run):
    """A run of descent on −ELBO, or on minus the bound of k samples."""

    k = 1

    def advance(self, share, rate, fast) -> None:
        """One step of Adam; whole, or not at all."""
        batch, k = self.batch(), self.k
        if batch.dtype == torch.uint8:
            batch = redraw(batch, self.generator)
        shape = (len(batch), self.model.latent_dim)
        dtype = self.model.prior.mean.dtype
        noise = torch.randn(
            (k, *shape) if k > 1 else shape, generator=self.generator, dtype=dtype
        )
        with torch.autocast("cpu", torch.bfloat16, enabled=fast):
            if k > 1:
                weights = self.model.log_weights(batch, k, noise)
                objective = (weights.logsumexp(dim=0) - math.log(k)).mean()
                parts = torch.stack([objective, torch.zeros_like(objective)])
                self.kl_per_dimension = torch.full((self.model.latent_dim,), math.nan)
            else:
                log_p, kl = self.model.terms(batch, noise)
                parts = torch.stack([log_p.mean(), kl.sum(dim=1).mean()])
                objective = parts[0] - share * parts[1]
                self.kl_per_dimension = kl.detach().mean(dim=0)
        self.descend(-objective, rate, parts.detach())

    def state(self, held_out, snapshots) -> VAEState:
        """What the iterator yields; also the point to which a failure falls back."""
        means, good = self.means(), self.keep()
        return VAEState(
            step=self.step,
            epoch=self.step * self.batch_size / len(self.x),
            seconds=self.seconds,
            elbo=(means[0] - means[1]).item(),
            reconstruction=means[0].item() if self.k == 1 else math.nan,
            kl=means[1].item() if self.k == 1 else math.nan,
            held_out_elbo=math.nan if held_out is None else self._score(held_out),
            kl_per_dimension=self.kl_per_dimension,
            k=self.k,
            parameters=good["parameters"] if snapshots else None,
            resume=good,
        )

    def _score(self, held_out) -> float:
        with torch.no_grad():
            total = 0.0
            generator = torch.Generator().manual_seed(0)
            for rows in held_out.split(1000):
                shape = (len(rows), self.model.latent_dim)
                dtype = self.model.prior.mean.dtype
                noise = torch.randn(shape, generator=generator, dtype=dtype)
                log_p, kl = self.model.terms(rows, noise)
                total += (log_p - kl.sum(dim=1)).sum().item()
        return total / len(held_out)
