"""Training a VAE as an iterator of states, and the zeros and ones that it trains on.

One loop serves all: it draws a minibatch, binarises grey digits anew, draws the noise ε
of z = μ + σ ε, and takes one step of Adam up the bound. All its randomness comes from
one generator, so that a run repeats.
"""

import functools
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from course_utils.arguments import (
    check_dense,
    counts,
    generators,
    instances,
    numbers,
    positive,
    require,
    seed_of,
    switches,
)
from course_utils.descent import Clock, Run, learning_rate_at
from course_utils.networks import check_trainable
from course_utils.training import checked
from course_utils.vae.gate import check_levels
from course_utils.vae.model import VAE


def binarise(
    images: torch.Tensor, seed: int = 0, dtype: torch.dtype = torch.float32
) -> torch.Tensor:
    """Static binarisation: each pixel is 1 with probability grey / 255, drawn once.

    ``images`` is uint8 ``(n, …)``; the result is 0/1 ``(n, pixels)`` in ``dtype``
    (``torch.bool`` takes a quarter of the memory; else floats). The same ``seed`` gives
    the same zeros and ones, so that log-likelihoods can be compared.
    """
    _check_grey(images, "images")
    shape = tuple(images.shape)
    fits = images.ndim > 1 and images.numel() > 0
    require(images=(f"shape {shape}", fits, "of shape (n, …) with n >= 1"))
    check_levels(images, "images")
    fits = isinstance(dtype, torch.dtype) and (
        dtype.is_floating_point or dtype == torch.bool
    )
    require(dtype=(f"{dtype!r:.60}", fits, "torch.bool or one of floats"))
    generator = torch.Generator().manual_seed(seed_of(seed))
    bits = torch.empty(images.flatten(1).shape, dtype=dtype)
    # in pieces, for the sake of memory: 60 000 digits as floats are 188 MB
    for rows, grey in zip(bits.split(2000), images.flatten(1).split(2000), strict=True):
        rows.copy_(torch.bernoulli(grey.float() / 255, generator=generator))
    return bits


def redraw(grey: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Dynamic binarisation of one batch of uint8 ``(b, pixels)``: new zeros and ones.

    A random byte r is drawn per pixel, and the pixel is 1 if grey > r: probability
    grey / 256, eight times quicker than ``torch.bernoulli``. (The true grey / 255 is at
    most 0.4 % larger; tests and bounds use ``binarise``, which is exact.)
    """
    _check_grey(grey, "grey")
    generators(generator=generator)
    # one draw of 64 bits serves eight pixels
    words = torch.empty(-(-grey.numel() // 8), dtype=torch.int64)
    words.random_(-(2**63), None, generator=generator)  # all 2⁶⁴ values, each equally
    r = words.view(torch.uint8)[: grey.numel()].view(grey.shape)
    return (grey > r).float()


def _check_grey(images, name: str) -> None:
    kind = getattr(images, "dtype", type(images).__name__)
    fits = isinstance(images, torch.Tensor) and kind == torch.uint8
    require(**{name: (kind, fits, "uint8 grey levels")})
    check_dense(images, name)


@dataclass(frozen=True)
class VAEState:
    """One moment of ``train_vae``.

    ``elbo``, ``reconstruction`` and ``kl`` are means over the steps since the last
    state, nats per example; ``held_out_elbo`` is that of the held-out data (NaN without
    them). A run with k > 1 climbs a bound without these two parts: then ``elbo`` is the
    bound of ``k`` samples, and ``reconstruction`` and ``kl`` are NaN; ``held_out_elbo``
    is the ELBO for every k. ``epoch`` is ``step`` · batch size / n, where a batch is at
    most n. ``seconds`` counts the training only. ``parameters`` is a copy, if snapshots
    were asked for, for ``model.at``.
    """

    step: int
    epoch: float
    seconds: float
    elbo: float
    reconstruction: float
    kl: float
    held_out_elbo: float
    k: int = 1
    parameters: dict[str, torch.Tensor] | None = None

    def __str__(self):
        name = "ELBO" if self.k == 1 else f"bound of {self.k} samples"
        score = f"{name} {self.elbo:.2f}"
        if not math.isnan(self.held_out_elbo):
            score = f"ELBO held out {self.held_out_elbo:.2f}"
        return f"epoch {self.epoch:.1f}, {score} nats"


@functools.cache
def has_fast_bf16() -> bool:
    """Does this processor multiply 16-bit floats (bfloat16) quicker than float32?

    Where it does, autocast trains in about two thirds of the time; elsewhere bfloat16
    is imitated, and training takes several times as long as in float32. The processor
    must name the instructions, and one product is timed: settings of the libraries,
    such as ``ONEDNN_MAX_CPU_ISA``, may forbid what the processor can do.
    """
    can = getattr(torch.cpu, "get_capabilities", dict)()  # torch 2.9 cannot say
    if not (can.get("avx512_bf16") or can.get("amx_bf16")):
        return False
    # on one thread, in turns, and the quickest of many: other programs may run, too
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    times = [(_product(torch.bfloat16), _product(torch.float32)) for _ in range(10)]
    torch.set_num_threads(threads)
    bf16, float32 = map(min, zip(*times, strict=True))
    return bf16 < float32


def _product(dtype: torch.dtype) -> float:
    """Seconds of a product of the kind that a layer of 512 units makes."""
    rows, weights = torch.ones(128, 512, dtype=dtype), torch.ones(512, 512, dtype=dtype)
    begin = time.perf_counter()
    rows @ weights
    return time.perf_counter() - begin


@dataclass(frozen=True)
class VAERecipe:
    """What decides a training of a VAE beside its model, its data and its length.

    Adam takes ``batch_size`` examples a step, at ``learning_rate`` (which rises, then
    falls: ``learning_rate_at``). The KL term counts ``beta`` times, and rises to it
    during the first share ``kl_warm_up`` of the run. With ``k`` > 1 the objective is
    the IWAE bound of k samples instead (Burda et al. 2016), which has no KL term to
    weigh. Raises ``ValueError`` for settings without sense.
    """

    batch_size: int = 256
    learning_rate: float = 3e-3
    beta: float = 1.0
    kl_warm_up: float = 0.0
    k: int = 1

    def __post_init__(self):
        positive(batch_size=self.batch_size, learning_rate=self.learning_rate, k=self.k)
        counts(batch_size=self.batch_size, k=self.k)
        beta, kl_warm_up = self.beta, self.kl_warm_up
        numbers(beta=beta, kl_warm_up=kl_warm_up)
        require(
            beta=(beta, 0 <= beta < math.inf, ">= 0 and finite"),
            kl_warm_up=(kl_warm_up, 0 <= kl_warm_up <= 1, "from 0 to 1"),
        )
        if self.k > 1 and (beta != 1 or kl_warm_up > 0):
            raise ValueError(
                "the bound of k > 1 samples has no KL term to weigh: it needs beta = 1 "
                f"and kl_warm_up = 0, got k = {self.k}, beta = {beta}, "
                f"kl_warm_up = {kl_warm_up}"
            )
        for name in ("learning_rate", "beta", "kl_warm_up"):  # of tensors, too
            object.__setattr__(self, name, float(getattr(self, name)))

    def weight_at(self, done: float) -> float:
        """KL warm-up: from a tenth of β to all of it; ``done`` is a share of a run."""
        numbers(done=done)
        require(done=(done, 0 <= done <= 1, "from 0 to 1"))
        rise = 0.1 + done / self.kl_warm_up if self.kl_warm_up else 1.0
        return self.beta * min(1.0, rise)


def steps_of(epochs: float, n: int, batch_size: int) -> int:
    """How many batches ``epochs`` visits of ``n`` examples are, at least one."""
    positive(epochs=epochs)
    counts(n=n, batch_size=batch_size)
    steps = float(epochs) * n / batch_size
    require(epochs=(epochs, steps < math.inf, f"few visits of {n} examples"))
    return max(1, round(steps))


@checked
@torch.inference_mode(False)  # gradients are needed, whatever is switched off outside
def train_vae(
    model: VAE,
    x: torch.Tensor,
    epochs: float = 10,
    *,
    seconds: float | None = None,
    held_out: torch.Tensor | None = None,
    n_states: int = 20,
    snapshots: bool = False,
    bf16: bool | None = None,
    seed: int = 0,
    **recipe,
) -> Iterator[VAEState]:
    """Climb the ELBO of ``model`` on ``x``; yields about ``n_states`` ``VAEState``s.

    ``x`` is ``(n, data_dim)``: floats are used as they are, uint8 grey levels are
    binarised anew at every visit (dynamic binarisation). The run ends after ``epochs``
    · n / batch size steps (a batch is at most n), or after ``seconds`` of training if
    these are given. ``bf16`` is by default what ``has_fast_bf16`` says (float64 models
    never). All other settings are those of ``VAERecipe``:
    ``train_vae(model, x, beta=0.5)``.

    ``model`` changes in place. An interrupt leaves it at its last whole step; a loss
    that is not finite puts it back to the last state and raises ``FloatingPointError``.
    Raises ``ValueError`` for data or settings without sense, at the call.
    """
    how = VAERecipe(**recipe)
    instances(VAE, model=model)
    check_trainable(model)
    positive(seconds=1 if seconds is None else seconds, n_states=n_states)
    counts(n_states=n_states)
    switches(snapshots=snapshots, bf16=bf16 is None or bf16)
    seed = seed_of(seed)
    model.check(x, grey=True)
    if held_out is not None:
        model.check(held_out, "held_out")
    batch_size = min(how.batch_size, len(x))
    steps = steps_of(epochs, len(x), batch_size)
    yield
    bf16 = has_fast_bf16() if bf16 is None else bf16
    fast = bf16 and model.dtype == torch.float32
    run = Run(model, x, batch_size, how.learning_rate, seed)
    # the clock counts steps, or seconds if they are given
    clock = Clock(steps, seconds, n_states)
    for done in clock:
        batch = run.batch()
        if batch.dtype == torch.uint8:
            batch = redraw(batch, run.generator)
        # autocast makes the products of the layers in 16 bits; weights, noise and sums
        # keep 32
        weight = how.weight_at(done)
        with torch.autocast("cpu", torch.bfloat16, enabled=fast):
            bound, parts = _bound(model, batch, how.k, weight, run.generator)
        # to climb the bound is to descend on its negative
        run.descend(-bound, learning_rate_at(done), parts.detach())
        if clock.due():
            # a failure of a later step brings the model back to what is kept here
            means, good = run.means(), run.keep()
            # (what the caller gets he may change)
            good = {k: v.clone() for k, v in good.items()} if snapshots else None
            yield VAEState(
                step=run.step,
                epoch=run.step * batch_size / len(x),
                seconds=clock.seconds,
                elbo=(means[0] - means[1]).item(),
                reconstruction=means[0].item() if how.k == 1 else math.nan,
                kl=means[1].item() if how.k == 1 else math.nan,
                held_out_elbo=math.nan if held_out is None else _score(model, held_out),
                k=how.k,
                parameters=good,
            )


def _bound(model, batch, k: int, weight: float, generator):
    """What a step climbs, and its two parts ``(2,)``: for k > 1 all of it, and 0."""
    shape = (len(batch), model.latent_dim)
    if k > 1:
        noise = _noise(model, (k, *shape), generator)
        weights = model.log_weights(batch, k, noise, checked=True)
        # log (1/k) Σ_j p(x, z_j) / q(z_j | x), then the mean over the batch
        bound = (weights.logsumexp(dim=0) - math.log(k)).mean()
        return bound, torch.stack([bound, torch.zeros_like(bound)])
    noise = _noise(model, shape, generator)
    log_p, kl = model.terms(batch, noise, checked=True)
    # (n,) and (n, latent_dim): sum over the dimensions, mean over the batch
    parts = torch.stack([log_p.mean(), kl.sum(dim=1).mean()])
    return parts[0] - weight * parts[1], parts


def _noise(model, shape, generator) -> torch.Tensor:
    return torch.randn(shape, generator=generator, dtype=model.dtype)


@torch.no_grad()
def _score(model, held_out) -> float:
    """The ELBO of held-out data, with the same noise at each call, in full floats."""
    total, generator = 0.0, torch.Generator().manual_seed(0)
    for rows in held_out.split(1000):  # in pieces, so that memory stays small
        noise = _noise(model, (len(rows), model.latent_dim), generator)
        log_p, kl = model.terms(rows, noise, checked=True)
        total += (log_p - kl.sum(dim=1)).sum().item()
    return total / len(held_out)
