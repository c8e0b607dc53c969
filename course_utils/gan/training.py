"""Training a GAN as an iterator of states: Algorithm 1 of Goodfellow et al. 2014.

``algorithm_1`` is the printed algorithm, line for line. Around it stands what every run
needs: one random generator, so that runs repeat; a state now and then; a last good
point to fall back to (``Match``).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch

from course_utils.arguments import counts, finite, require, seed_of, switches
from course_utils.descent import Clock
from course_utils.gan.fast import AtOnceByHand, can_do_by_hand
from course_utils.gan.losses import LOSSES, penalty_of
from course_utils.gan.match import Match, Source
from course_utils.gan.networks import Discriminator, Generator
from course_utils.gan.recipes import GANRecipe
from course_utils.networks import check_trainable
from course_utils.training import checked


@dataclass(frozen=True)
class GANState:
    """One moment of ``train_gan``.

    ``d_loss`` (without penalty), ``g_loss``, and ``d_real`` and ``d_fake``, the mean of
    D on real and generated samples, are means over the steps since the last state.
    ``seconds`` counts the training only. ``generator`` and ``discriminator`` are copies
    of the parameters, for ``generator.at(state.generator)``, if snapshots were asked
    for.
    """

    step: int
    seconds: float
    d_loss: float
    g_loss: float
    d_real: float
    d_fake: float
    generator: dict[str, torch.Tensor] | None = field(default=None, repr=False)
    discriminator: dict[str, torch.Tensor] | None = field(default=None, repr=False)

    def __str__(self):
        losses = f"loss of D {self.d_loss:.3f}, of G {self.g_loss:.3f}"
        return f"step {self.step}, {losses}"


def algorithm_1(match, k: int, m: int, weight: float) -> None:
    """One round of the printed algorithm; ascending V is descending D's loss, −V."""
    for _ in range(k):  # for k steps do
        z = match.noise(m)  # sample minibatch of m noise samples
        x = match.source.batch(m)  # sample minibatch of m examples
        fake = match.generator(z).detach()  # (no gradient of this loss reaches G)
        d_real, d_fake = match.discriminator(x), match.discriminator(fake)
        d_loss = match.loss.discriminator(d_real, d_fake)
        price = penalty(match, x, fake, weight)  # (the paper has none: 0)
        match.descend("discriminator", d_loss + price)  # update D by its gradient
    z = match.noise(m)  # sample minibatch of m noise samples
    d_fake = match.discriminator(match.generator(z))
    g_loss = match.loss.generator(d_fake, match.partners(m))
    match.descend("generator", g_loss)  # update G by its gradient
    match.record(d_loss, g_loss, d_real.sigmoid().mean(), d_fake.sigmoid().mean())


def penalty(match, x: torch.Tensor, fake: torch.Tensor, weight: float):
    """The gradient penalty of the match's loss, times its weight."""
    if weight == 0:
        return 0.0
    # one share per pair, (m, 1): where between real and fake the slope is measured
    mix = torch.rand(len(x), 1, generator=match.random, dtype=x.dtype)
    return weight * penalty_of(match.discriminator, x, fake, match.loss, mix)


def at_once(match, k: int, m: int, weight: float) -> None:
    """Both players move from one batch: ∇ₓD on the fakes serves penalty and G alike.

    By the chain rule, G's gradient is (∂loss/∂l) · ∇ₓD · ∂G/∂θ, and the penalty R2 has
    computed ∇ₓD already. G then answers the D of before this step.
    """
    x, z = match.source.batch(m), match.noise(m)
    fake = match.generator(z)
    both = torch.cat([x, fake.detach()]).requires_grad_(True)  # (2m, data_dim)
    logits = match.discriminator(both)
    (slope,) = torch.autograd.grad(logits.sum(), both, create_graph=True)  # ∇ₓD
    d_real, d_fake = logits.chunk(2)
    d_loss = match.loss.discriminator(d_real, d_fake)
    squares = match.discriminator.scale**2 * slope.square().sum(dim=1)
    match.descend("discriminator", d_loss + weight * squares.mean())  # ½ (R1 + R2)
    l_fake = d_fake.detach().requires_grad_(True)
    g_loss = match.loss.generator(l_fake, d_real.detach())
    (push,) = torch.autograd.grad(g_loss, l_fake)  # ∂loss/∂l, (m,)
    match.descend("generator", fake, push[:, None] * slope[m:].detach())
    match.record(d_loss, g_loss, d_real.sigmoid().mean(), d_fake.sigmoid().mean())


@checked
@torch.inference_mode(False)  # gradients are needed, whatever is switched off outside
def train_gan(
    generator,
    discriminator,
    data,
    steps: int = 1000,
    *,
    seconds: float | None = None,
    n_states: int = 20,
    snapshots: bool = True,
    bf16: bool = False,
    seed: int = 0,
    **recipe,
) -> Iterator[GANState]:
    """Play the game on ``data``; yields about ``n_states`` ``GANState``s.

    ``data`` is a tensor ``(n, d)`` or an object with ``sample``. The run ends
    after ``steps`` rounds, each ``k`` steps of D and one of G, or after ``seconds`` of
    training if these are given. ``bf16`` multiplies in 16-bit floats: for large
    networks, where the processor has them in hardware. All other settings are those of
    ``GANRecipe``: ``train_gan(g, d, x, loss="minimax")``, or ``**SIGHTED``.

    Both networks change in place. An interrupt leaves each at its last whole step; a
    loss that is not finite puts both back to the last state and raises
    ``FloatingPointError``. Raises ``ValueError`` for data, players or settings without
    sense, at the call.
    """
    how = GANRecipe(**recipe)
    _check_players(generator, discriminator, how)
    counts(-math.inf, steps=steps, n_states=n_states)  # how many is below
    finite(seconds=1 if seconds is None else seconds)
    require(
        steps=(steps, steps >= 1, ">= 1"),
        seconds=(seconds, seconds is None or seconds > 0, "None or > 0"),
        n_states=(n_states, n_states >= 1, ">= 1"),
    )
    switches(snapshots=snapshots, bf16=bf16)
    source = Source(data, generator, torch.Generator().manual_seed(seed_of(seed)))
    yield
    match = Match(generator, discriminator, source, how)
    play, by_hand = algorithm_1, False
    if how.simultaneous:
        by_hand = can_do_by_hand(generator, discriminator)
        play = AtOnceByHand(match, bf16) if by_hand else at_once
    clock = Clock(steps, seconds, n_states)
    for done in clock:
        match.set_rates(rates_at(done, how.ends))
        weight = penalty_at(done, how.weights, how.anneal)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16 and not by_hand):
            play(match, how.k, how.batch_size, weight)
        if clock.due():
            copies = match.keep()
            moment = clock.step, clock.seconds, *match.means()
            yield GANState(*moment, **(copies if snapshots else {}))


def rates_at(progress: float, ends: tuple[float, float]) -> tuple[float, float]:
    """Factors of the learning rates of G and D; G's falls by a squared half cosine.

    ``progress`` counts from 0; after 1 the factors stay at ``ends``. ``ValueError`` or
    ``TypeError`` for what are no numbers.
    """
    _check_progress(progress)
    _check_pair(ends=ends)
    fall = 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))  # from 1 to 0
    return ends[0] + (1 - ends[0]) * fall**2, ends[1] + (1 - ends[1]) * fall


def penalty_at(progress, weights: tuple[float, float], anneal) -> float:
    """From the first weight to the second, geometrically, within ``anneal``.

    ``ValueError`` for weights that have no ratio, and for an ``anneal`` that does not
    grow; ``TypeError`` for what are no numbers.
    """
    _check_progress(progress)
    _check_pair(weights=weights, anneal=anneal)
    start, end = weights
    fits = min(start, end) > 0 or start == end == 0
    require(
        weights=(weights, fits, "> 0, or 0 throughout"),
        anneal=(anneal, anneal[0] < anneal[1], "(a, b) with a < b"),
    )
    if start == end:  # also where both are 0, which has no ratio
        return start
    share = (progress - anneal[0]) / (anneal[1] - anneal[0])
    return start * (end / start) ** min(1.0, max(0.0, share))


def _check_progress(progress) -> None:
    finite(progress=progress)
    require(progress=(progress, progress >= 0, ">= 0"))


def _check_pair(**pairs) -> None:
    for name, pair in pairs.items():
        two = isinstance(pair, tuple | list) and len(pair) == 2
        require(**{name: (f"{pair!r:.60}", two, "a pair")})
        finite(**{f"{name}[0]": pair[0], f"{name}[1]": pair[1]})


def _check_players(generator, discriminator, how: GANRecipe) -> None:
    kinds = [f"a {type(each).__name__}" for each in (generator, discriminator)]
    require(generator=(kinds[0], isinstance(generator, Generator), "a Generator"))
    fits = isinstance(discriminator, Discriminator)
    require(discriminator=(kinds[1], fits, "a Discriminator"))
    for rate, name, each in zip(
        how.rates,
        ("generator", "discriminator"),
        (generator, discriminator),
        strict=True,
    ):
        if rate > 0:  # else it stands still, and may be frozen
            check_trainable(each, name)
    columns, pack = discriminator.data_dim, discriminator.pack
    rule = f"for {generator.data_dim} columns, like the generator"
    require(discriminator=(columns, columns == generator.data_dim, rule))
    size, rule = how.batch_size, f"a multiple of pack = {pack}"
    require(batch_size=(size, size % pack == 0, rule))
    # ∇ₓD of the same batch must serve both: so one step each, and no mixed samples
    shared = how.k == 1 and pack == 1 and LOSSES[how.loss].slope is None
    alone = "False, except for k = 1, no packs, and a penalty R1 + R2"
    require(simultaneous=(how.simultaneous, shared or not how.simultaneous, alone))
