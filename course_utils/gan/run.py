"""The moving parts of one training run of a GAN, and the states that it yields."""

import copy
from dataclasses import dataclass, field

import torch

PLAYERS = ("generator", "discriminator")


@dataclass(frozen=True)
class GANState:
    """One moment of ``train_gan``.

    ``d_loss`` (without penalty), ``g_loss``, and ``d_real`` and ``d_fake``, the mean of
    D on real and generated samples, are means over the steps since the last state.
    ``seconds`` counts the training only. ``generator`` and ``discriminator`` are copies
    of the parameters, for ``generator.at(state.generator)``, if snapshots were asked
    for. ``resume`` is what ``train_gan(resume=…)`` needs; a run's states share it.
    """

    step: int
    seconds: float
    d_loss: float
    g_loss: float
    d_real: float
    d_fake: float
    generator: dict[str, torch.Tensor] | None = field(default=None, repr=False)
    discriminator: dict[str, torch.Tensor] | None = field(default=None, repr=False)
    resume: dict = field(default_factory=dict, repr=False)

    def __str__(self):
        losses = f"loss of D {self.d_loss:.3f}, of G {self.g_loss:.3f}"
        return f"step {self.step}, {losses}"


class Run:
    """Two networks, their optimizers, the data, and where the run stands."""

    def __init__(self, generator, discriminator, data, loss, rates, betas, average):
        self.generator, self.discriminator = generator, discriminator
        self.data, self.loss, self.random = data, loss, data.random
        self.rates, self.average = dict(zip(PLAYERS, rates, strict=True)), average
        self.step, self.seconds, self.states = 0, 0.0, 0
        self.sums, self.count = torch.zeros(4), 0
        self.optimizers = {
            name: torch.optim.Adam(
                self.player(name).parameters(), lr=rate, betas=betas, fused=True
            )
            for name, rate in self.rates.items()
            if rate > 0
        }
        self.mean, self.moving = _weights(generator), None
        self.good = {name: _copy(self.player(name)) for name in PLAYERS}
        self.good["moving"] = _weights(generator)

    def player(self, name: str):
        """The network called ``name``."""
        return getattr(self, name)

    def share_done(self, steps: int, seconds: float | None) -> float:
        """How much of the run is over, from 0 to 1 (a little more at the end)."""
        return self.seconds / seconds if seconds else self.step / steps

    def noise(self, n: int) -> torch.Tensor:
        """Noise for the generator, from the one random generator of this run."""
        return self.generator.noise(n, self.random)

    def partners(self, m: int) -> torch.Tensor | None:
        """Logits of m real samples, for the losses that compare pairs."""
        if not self.loss.pairs:
            return None
        with torch.no_grad():
            return self.discriminator(self.data.batch(m))

    def descend(self, name: str, loss: torch.Tensor, gradient=None) -> None:
        """One step of Adam for one player; whole, or not at all.

        ``gradient`` is that of the player's loss in ``loss``, where this is no number.
        """
        if name not in self.optimizers:  # a rate of 0: this player stands still
            return
        if gradient is None and not bool(torch.isfinite(loss)):
            self.fall_back(f"the loss of the {name} became {loss.item()}")
        self.optimizers[name].zero_grad()
        inputs = list(self.player(name).parameters())  # leave the other player alone
        loss.backward(gradient, inputs=inputs)
        self.optimizers[name].step()

    def step_with_gradients(self, d_loss: torch.Tensor, g_loss: torch.Tensor) -> None:
        """One step of Adam for both, whose gradients are already in place."""
        if not bool(torch.isfinite(d_loss + g_loss)):
            self.fall_back(f"the losses became {d_loss.item()} and {g_loss.item()}")
        for optimizer in self.optimizers.values():
            optimizer.step()

    def set_rates(self, factors: tuple[float, float]) -> None:
        """Learning rates of G and D, as shares of what they began with."""
        factor = dict(zip(PLAYERS, factors, strict=True))
        for name, optimizer in self.optimizers.items():
            optimizer.param_groups[0]["lr"] = self.rates[name] * factor[name]

    def record(self, *numbers: torch.Tensor) -> None:
        """Close a round: count it, and follow G with the running mean."""
        self.sums, self.count = (
            self.sums + torch.stack(numbers).detach(),
            self.count + 1,
        )
        self.step += 1
        if self.average:
            share = 1 - min(self.average, self.step / (self.step + 9))
            weights = [p.detach() for p in self.generator.parameters()]
            torch._foreach_lerp_(self.mean, weights, share)

    def fall_back(self, reason: str):
        """Put both networks back to the last state, and raise."""
        for name in PLAYERS:
            self.player(name).load_state_dict(self.good[name])
        self.moving = self.good["moving"]  # G shows its mean weights already
        raise FloatingPointError(
            f"{reason} at step {self.step}; both networks are back at their last good "
            "state: try a smaller learning_rate"
        )

    def show_mean(self) -> None:
        """Let G hold the running mean of its weights, for those who look at it."""
        if self.average and self.moving is None:
            self.moving = _weights(self.generator)
            _put(self.generator, self.mean)

    def go_on(self) -> None:
        """Give G the weights back with which it moves."""
        if self.moving is not None:
            _put(self.generator, self.moving)
            self.moving = None

    def state(self, snapshots: bool) -> GANState:
        """What the iterator yields; also the point to which a failure falls back."""
        self.show_mean()
        networks = {name: _copy(self.player(name)) for name in PLAYERS}
        if not all(
            bool(v.isfinite().all()) for n in networks.values() for v in n.values()
        ):
            self.fall_back("a weight became infinite or NaN")
        d_loss, g_loss, d_real, d_fake = (self.sums / max(1, self.count)).tolist()
        self.sums, self.count = torch.zeros(4), 0
        self.good.update(
            networks,
            moving=self.moving,
            mean=[m.clone() for m in self.mean],
            optimizers=copy.deepcopy(
                {name: each.state_dict() for name, each in self.optimizers.items()}
            ),
            random=self.random.get_state(),
            data=self.data.state(),
            step=self.step,
            seconds=self.seconds,
            states=self.states,
        )
        return GANState(
            step=self.step,
            seconds=self.seconds,
            d_loss=d_loss,
            g_loss=g_loss,
            d_real=d_real,
            d_fake=d_fake,
            generator=networks["generator"] if snapshots else None,
            discriminator=networks["discriminator"] if snapshots else None,
            resume=self.good,
        )

    def load(self, state: GANState) -> None:
        """Go back to the last state of the run that ``state`` belongs to."""
        saved = state.resume
        for name in PLAYERS:
            self.player(name).load_state_dict(saved[name])
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(copy.deepcopy(saved["optimizers"][name]))
        self.moving = saved["moving"]
        self.mean = [m.clone() for m in saved["mean"]]
        self.random.set_state(saved["random"])
        self.data.load(saved["data"])
        self.step, self.seconds = saved["step"], saved["seconds"]
        self.states, self.good = saved["states"], saved
        self.go_on()


def _copy(network) -> dict[str, torch.Tensor]:
    return {k: v.detach().clone() for k, v in network.state_dict().items()}


def _weights(network) -> list[torch.Tensor]:
    return [p.detach().clone() for p in network.parameters()]


@torch.no_grad()
def _put(network, weights: list[torch.Tensor]) -> None:
    for parameter, weight in zip(network.parameters(), weights, strict=True):
        parameter.copy_(weight)
