"""One match of two players: their networks, their data, their steps, a way back."""

import copy

import torch

from course_utils.arguments import counts, instances, require
from course_utils.gan.losses import LOSSES
from course_utils.gan.networks import Discriminator, Generator
from course_utils.gan.recipes import GANRecipe
from course_utils.quadrature import draw
from course_utils.training import seeded

DRAWN_AT_ONCE = 16_384  # rows asked of a distribution in one call, which is quicker


class Source:
    """Minibatches of real samples, ``(n, d)``, from one random generator.

    ``data`` is a tensor, of which rows are drawn with replacement, or an object with
    ``.sample``, a ``torch.distributions`` object or a model of this course: then every
    batch is new. Grey levels (uint8) are divided by 255, batch by batch. Raises
    ``ValueError`` for what ``generator`` could never learn to draw.
    """

    def __init__(self, data, generator, random: torch.Generator):
        instances(Generator, generator=generator)
        instances(torch.Generator, random=random)
        self.random, self.dtype = random, generator.dtype
        self.fits, self.columns = generator.check, generator.data_dim
        self.sampler = None if isinstance(data, torch.Tensor) else data
        self.pool, self.position = data, 0
        if self.sampler is None:
            self.fits(data, "data")
            self.pool = data.detach()  # a graph behind them is not to be walked
            return
        kind, able = type(data).__name__, hasattr(data, "sample")
        able = able and not isinstance(data, type)  # an object, not its class
        require(data=(kind, able, "a tensor or have .sample"))
        self.refill(1)  # one sample shows whether the columns fit

    def refill(self, n: int) -> None:
        """Draw a new pool of samples, with a seed from the one generator.

        Raises ``ValueError`` if they cannot be data for the generator.
        """
        counts(n=n)
        # torch.distributions take no generator: so the run hands them a seed
        seed = int(torch.randint(2**62, (), generator=self.random))
        with seeded(seed):
            try:
                pool = draw(self.sampler, n, "data")
            except (NotImplementedError, RuntimeError) as error:
                raise ValueError(f"data cannot be sampled: {error}") from error
        kind = type(self.sampler).__name__
        got = f"(1,): {kind} draws single numbers; give it parameters of shape (1,)"
        wanted = f"samples of shape (n, {self.columns})"
        require(data=(got, pool.ndim > 1, f"a source of {wanted}"))
        self.fits(pool, "data")
        # what was made in inference mode knows no gradients, also not those of D
        pool = pool.clone() if pool.is_inference() else pool.detach()
        self.pool, self.position = pool, 0

    def batch(self, n: int) -> torch.Tensor:
        """The next ``n`` real samples, in the dtype of the networks."""
        counts(n=n)
        if self.sampler is None:  # with replacement: no epochs, every batch alike
            rows = torch.randint(len(self.pool), (n,), generator=self.random)
            x = self.pool[rows]
        else:
            if self.position + n > len(self.pool):
                self.refill(max(n, DRAWN_AT_ONCE))
            x = self.pool[self.position : self.position + n]
            self.position += n
        return x.to(self.dtype) / 255 if x.dtype == torch.uint8 else x.to(self.dtype)


class Match:
    """Two players, their optimizers, their data, and where the match stands.

    With ``average`` > 0 a copy of G plays, and ``shown``, the network of the caller,
    follows it: its weights are the running mean of those of the copy. ``rates`` are the
    learning rates of G and of D; a player with rate 0 stands still.
    """

    def __init__(self, generator, discriminator, source, how):
        instances(Generator, generator=generator)
        instances(Discriminator, discriminator=discriminator)
        instances(Source, source=source)
        instances(GANRecipe, how=how)
        # two sets of weights for one G: those that move, and their mean that is shown
        self.shown, self.average = generator, how.average
        self.players = {
            "generator": copy.deepcopy(generator) if how.average else generator,
            "discriminator": discriminator,
        }
        self.generator, self.discriminator = self.players.values()
        self.source, self.random, self.loss = source, source.random, LOSSES[how.loss]
        self.rates = dict(zip(self.players, how.rates, strict=True))
        self.optimizers = {
            name: torch.optim.Adam(player.parameters(), betas=how.momenta, fused=True)
            for name, player in self.players.items()
            if self.rates[name] > 0
        }
        # d_loss, g_loss, D on real, D on fake, since the last state
        self.step, self.sums, self.count = 0, torch.zeros(4), 0
        self.good = self._copies()

    def set_rates(self, factors: tuple[float, float]) -> None:
        """Learning rates of G and D, as shares of what they began with."""
        factor = dict(zip(self.players, factors, strict=True))
        for name, optimizer in self.optimizers.items():
            optimizer.param_groups[0]["lr"] = self.rates[name] * factor[name]

    def noise(self, m: int) -> torch.Tensor:
        """Noise for G, ``(m, noise_dim)``, from the one random generator of the run."""
        return self.generator.noise(m, self.random)

    def partners(self, m: int) -> torch.Tensor | None:
        """Logits of m real samples, for the losses that compare pairs."""
        if not self.loss.pairs:
            return None
        with torch.no_grad():  # G cannot move the real samples
            return self.discriminator(self.source.batch(m))

    def descend(self, name: str, loss: torch.Tensor, gradient=None) -> None:
        """One step of Adam for one player; whole, or not at all.

        ``gradient`` is that of the player's loss in ``loss``, where this is no number.
        """
        if name not in self.optimizers:
            return
        if gradient is None and not bool(torch.isfinite(loss)):
            self.fall_back(f"the loss of the {name} became {loss.item()}")
        self.optimizers[name].zero_grad()  # also what the other player's step left
        # leave the other player alone, and what the reader has frozen
        own = [each for each in self.players[name].parameters() if each.requires_grad]
        loss.backward(gradient, inputs=own)
        self.optimizers[name].step()

    def step_with_gradients(self, d_loss: torch.Tensor, g_loss: torch.Tensor) -> None:
        """One step of Adam for both, whose gradients are already in place."""
        if not bool(torch.isfinite(d_loss + g_loss)):
            self.fall_back(f"the losses became {d_loss.item()} and {g_loss.item()}")
        for optimizer in self.optimizers.values():
            optimizer.step()

    @torch.no_grad()
    def record(self, *numbers: torch.Tensor) -> None:
        """Close a round: count it, sum its four numbers, let ``shown`` follow G."""
        self.sums = self.sums + torch.stack(numbers)
        self.step, self.count = self.step + 1, self.count + 1
        if self.average:
            # early a shorter memory, so that the first weights are soon forgotten
            share = 1 - min(self.average, self.step / (self.step + 9))
            both = self.shown.parameters(), self.generator.parameters()
            for mean, weight in zip(*both, strict=True):
                mean.lerp_(weight, share)

    def means(self) -> list[float]:
        """The means of the recorded numbers since the last call."""
        means = (self.sums / self.count).tolist()
        self.sums, self.count = torch.zeros(4), 0
        return means

    def keep(self) -> dict[str, dict[str, torch.Tensor]]:
        """Make this moment the one to which a failure goes back; copies of both."""
        copies = self._copies()
        # the loss of the last round may be finite, and its step not
        tensors = [tensor for each in copies.values() for tensor in each.values()]
        if not all(bool(tensor.isfinite().all()) for tensor in tensors):
            self.fall_back("a weight became infinite or NaN")
        self.good = copies
        return copies

    def fall_back(self, reason: str) -> None:
        """Put both networks back to the last state, and raise."""
        self.shown.load_state_dict(self.good["generator"])
        self.discriminator.load_state_dict(self.good["discriminator"])
        raise FloatingPointError(
            f"{reason} at step {self.step}; both networks are back at their last good "
            "state: try a smaller learning_rate"
        )

    def _copies(self) -> dict[str, dict[str, torch.Tensor]]:
        # of what the caller sees: with an average, not the G that moves
        both = self.players | {"generator": self.shown}
        return {
            name: {k: v.detach().clone() for k, v in network.state_dict().items()}
            for name, network in both.items()
        }
