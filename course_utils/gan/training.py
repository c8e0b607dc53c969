"""Training a GAN as an iterator of states: Algorithm 1 of Goodfellow et al. 2014.

``algorithm_1`` is the printed algorithm, line for line. Around it stands what every run
needs: one random generator, so that runs repeat; a state now and then; a last good
point to fall back to; a way to go on after a stop.
"""

import math
import time
from collections.abc import Iterator

import torch

from course_utils.gan.fast import AtOnceByHand, can_do_by_hand
from course_utils.gan.losses import LOSSES, gradient_penalty
from course_utils.gan.run import GANState, Run
from course_utils.gan.sources import Source


def algorithm_1(run, k: int, m: int, weight: float) -> None:
    """One round of the printed algorithm; ascending V is descending D's loss, −V."""
    for _ in range(k):  # for k steps do
        z = run.noise(m)  # sample minibatch of m noise samples
        x = run.data.batch(m)  # sample minibatch of m examples
        fake = run.generator(z).detach()  # (no gradient of this loss reaches G)
        d_real, d_fake = run.discriminator(x), run.discriminator(fake)
        d_loss = run.loss.discriminator(d_real, d_fake)
        d_loss_and_more = d_loss + penalty(run, x, fake, weight)
        run.descend("discriminator", d_loss_and_more)  # update D by its gradient
    z = run.noise(m)  # sample minibatch of m noise samples
    d_fake = run.discriminator(run.generator(z))
    g_loss = run.loss.generator(d_fake, run.partners(m))
    run.descend("generator", g_loss)  # update G by its gradient
    run.record(d_loss, g_loss, d_real.sigmoid().mean(), d_fake.sigmoid().mean())


def penalty(run, x: torch.Tensor, fake: torch.Tensor, weight: float):
    """The gradient penalty of the run's loss, times its weight."""
    if weight == 0:
        return 0.0
    mix = torch.rand(len(x), 1, generator=run.random, dtype=x.dtype)
    return weight * gradient_penalty(run.discriminator, x, fake, run.loss, mix)


def at_once(run, k: int, m: int, weight: float) -> None:
    """Both players move from one batch: ∇ₓD on the fakes serves penalty and G alike.

    By the chain rule, G's gradient is (∂loss/∂l) · ∇ₓD · ∂G/∂θ, and the penalty R2 has
    computed ∇ₓD already. G then answers the D of before this step.
    """
    x, z = run.data.batch(m), run.noise(m)
    fake = run.generator(z)
    both = torch.cat([x, fake.detach()]).requires_grad_(True)
    logits = run.discriminator(both)
    (slope,) = torch.autograd.grad(logits.sum(), both, create_graph=True)
    d_real, d_fake = logits.chunk(2)
    d_loss = run.loss.discriminator(d_real, d_fake)
    squares = run.discriminator.scale**2 * slope.square().sum(dim=1)
    run.descend("discriminator", d_loss + weight * squares.mean())
    l_fake = d_fake.detach().requires_grad_(True)
    g_loss = run.loss.generator(l_fake, d_real.detach())
    (push,) = torch.autograd.grad(g_loss, l_fake)
    run.descend("generator", fake, push[:, None] * slope[m:].detach())
    run.record(d_loss, g_loss, d_real.sigmoid().mean(), d_fake.sigmoid().mean())


def train_gan(
    generator,
    discriminator,
    data,
    steps: int = 1000,
    *,
    loss: str = "non_saturating",
    k: int = 1,
    batch_size: int = 256,
    learning_rate: float | tuple[float, float] = 1e-3,
    betas: tuple[float, float] = (0.5, 0.9),
    penalty: float | tuple[float, float] | None = None,
    anneal: tuple[float, float] = (0.35, 0.85),
    average: float = 0.0,
    decay: bool | tuple[float, float] = False,
    simultaneous: bool = False,
    n_states: int = 20,
    snapshots: bool = True,
    bf16: bool = False,
    seed: int = 0,
    seconds: float | None = None,
    resume: GANState | None = None,
) -> Iterator[GANState]:
    """Play the game on ``data``; yields about ``n_states`` ``GANState``s.

    ``data`` is a tensor ``(n, d)`` or an object with ``sample``. The run ends
    after ``steps`` rounds, each ``k`` steps of D and one of G, or after ``seconds`` of
    training if these are given. ``loss`` is a name in ``LOSSES``. ``learning_rate`` is
    one number or (of G, of D), for Adam with ``betas``; a rate of 0 freezes a player.

    ``penalty`` weighs the gradient penalty of the loss (None: its usual weight), or
    (start, end): falling geometrically over the ``anneal`` part of the run. ``average``
    is the decay of a running mean of G's weights, which then is what ``generator``
    holds whenever this iterator hands over. ``decay`` lets the rates fall: True for
    both to 3 %, or (of G, of D) as the last share, G's by a squared half cosine.
    ``simultaneous`` moves both players from the same batch (``at_once``), which is
    quicker where R1 + R2 is used. ``bf16`` multiplies in 16-bit floats: for large
    networks, where the processor has them in hardware.

    Both networks change in place. An interrupt leaves each at its last whole step; a
    loss that is not finite puts both back to the last state and raises
    ``FloatingPointError``. ``resume=state``, with any state of a stopped run, goes on
    after its last one, with the same numbers as a run that was not stopped, if the
    other arguments are the same. Raises ``ValueError`` for data, players or settings
    without sense.
    """
    random = torch.Generator().manual_seed(seed)
    rates, betas = _pair("learning_rate", learning_rate), _pair("betas", betas)
    chosen = _chosen_loss(loss)
    weights = _pair("penalty", chosen.penalty if penalty is None else penalty)
    window, ends = _pair("anneal", anneal, "a pair"), _ends(decay)
    _check(generator, discriminator, simultaneous, chosen, batch_size, k)
    _check_numbers(
        steps=(steps, steps >= 1, ">= 1"),
        seconds=(seconds, seconds is None or seconds > 0, "None or > 0"),
        k=(k, k >= 1, ">= 1"),
        batch_size=(batch_size, batch_size >= 1, ">= 1"),
        learning_rate=(learning_rate, _finite(rates), ">= 0 and finite"),
        betas=(betas, _finite(betas) and max(betas) < 1, "two numbers >= 0 and < 1"),
        penalty=(
            penalty,
            _finite(weights) and (min(weights) > 0 or max(weights) == 0),
            "> 0 and finite, or 0 throughout",
        ),
        anneal=(anneal, 0 <= window[0] < window[1] <= 1, "(a, b), 0 <= a < b <= 1"),
        average=(average, 0 <= average < 1, ">= 0 and < 1"),
        decay=(decay, min(ends) > 0 and max(ends) <= 1, "two numbers > 0 and <= 1"),
        n_states=(n_states, n_states >= 1, ">= 1"),
    )
    source = Source(data, generator, random)
    run = Run(generator, discriminator, source, chosen, rates, betas, average)
    if resume is not None:
        run.load(resume)
    play, by_hand = algorithm_1, False
    if simultaneous:
        by_hand = can_do_by_hand(generator, discriminator)
        play = AtOnceByHand(generator, discriminator, bf16) if by_hand else at_once
    n_states = n_states if seconds else min(n_states, steps)
    reached = run.share_done(steps, seconds)
    try:
        while reached < 1:
            begin = time.perf_counter()
            run.set_rates(rates_at(reached, ends))
            weight = penalty_at(reached, weights, window)
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16 and not by_hand):
                play(run, k, batch_size, weight)
            run.seconds += time.perf_counter() - begin
            reached = run.share_done(steps, seconds)
            if reached >= (run.states + 1) / n_states or reached >= 1:
                run.states = math.floor(reached * n_states + 1e-9)
                yield run.state(snapshots)
                run.go_on()
    finally:
        run.show_mean()


def rates_at(progress: float, ends: tuple[float, float]) -> tuple[float, float]:
    """Factors of the learning rates of G and D; G's falls by a squared half cosine."""
    fall = 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
    return ends[0] + (1 - ends[0]) * fall**2, ends[1] + (1 - ends[1]) * fall


def penalty_at(progress, weights: tuple[float, float], anneal) -> float:
    """From the first weight to the second, geometrically, within ``anneal``."""
    start, end = weights
    if start == end:
        return start
    share = (progress - anneal[0]) / (anneal[1] - anneal[0])
    return start * (end / start) ** min(1.0, max(0.0, share))


def _pair(name: str, value, rule="a number or a pair") -> tuple[float, float]:
    try:
        first, second = value if isinstance(value, tuple | list) else (value, value)
        return float(first), float(second)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be {rule}, got {value!r}") from None


def _ends(decay) -> tuple[float, float]:
    if isinstance(decay, bool):
        return (0.03, 0.03) if decay else (1.0, 1.0)
    rule = "True, False or a pair"
    if not isinstance(decay, tuple | list):
        raise ValueError(f"decay must be {rule}, got {decay!r}")
    return _pair("decay", decay, rule)


def _finite(numbers: tuple[float, float]) -> bool:
    return all(0 <= number < math.inf for number in numbers)


def _chosen_loss(name: str):
    if name not in LOSSES:
        raise ValueError(f"loss must be one of {tuple(LOSSES)}, got {name!r}")
    return LOSSES[name]


def _check(generator, discriminator, simultaneous, loss, batch_size, k) -> None:
    for name, player, part in (
        ("generator", generator, "noise"),
        ("discriminator", discriminator, "pack"),
    ):
        if not hasattr(player, part):
            kind = type(player).__name__
            raise ValueError(f"{name} must be a {name.capitalize()}, got a {kind}")
    if discriminator.data_dim != generator.data_dim:
        raise ValueError(
            f"discriminator takes {discriminator.data_dim} columns, but the generator "
            f"makes {generator.data_dim}"
        )
    if batch_size % discriminator.pack:
        raise ValueError(
            f"batch_size must be a multiple of pack = {discriminator.pack}, "
            f"got {batch_size}"
        )
    if simultaneous and (loss.slope is not None or k > 1 or discriminator.pack > 1):
        raise ValueError("simultaneous needs k = 1, no packs, and a penalty R1 + R2")


def _check_numbers(**numbers) -> None:
    for name, (value, fits, rule) in numbers.items():
        if not fits:
            raise ValueError(f"{name} must be {rule}, got {value}")
