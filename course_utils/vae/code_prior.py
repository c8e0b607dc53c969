"""A prior for codes of bits: one network that reads the bits before each bit.

The chain rule makes any distribution a product, p(c) = Π_j p(c_j | c_1 … c_{j−1}). One
network can give all factors at once, if its output j cannot see the inputs j, j + 1, …:
weights that would look there are held at 0 by a mask. This is the masked auto-encoder
for distribution estimation, MADE (Germain et al. 2015); notebook 07 has more of its
family.
"""

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from course_utils.arguments import (
    check_binary,
    check_finite,
    check_shape,
    counts,
    floats,
    generators,
    instances,
    positive,
    seed_of,
)
from course_utils.descent import DescentState, descend
from course_utils.networks import SavedModule
from course_utils.training import seeded
from course_utils.vae.training import steps_of


class MADE(SavedModule):
    """log p(c) for c ``(n, n_bits)`` of zeros and ones, exact; and samples of c.

    Each hidden layer has ``units`` units for every bit. The units of bit j see the bits
    1 … j, and the output j sees the units of the bits 1 … j − 1: so the first output is
    a constant.
    """

    @torch.inference_mode(False)  # weights of that mode could never be trained
    def __init__(self, n_bits: int = 64, units: int = 8, depth: int = 2, seed: int = 0):
        super().__init__()
        sizes = {"n_bits": n_bits, "units": units, "depth": depth}
        positive(**sizes)
        counts(**sizes)
        self.settings = {name: int(size) for name, size in sizes.items()}
        n_bits, units, depth = self.settings.values()
        self.n_bits, self.data_dim, self.units = n_bits, n_bits, units
        bits, wide = torch.arange(n_bits), n_bits * units
        groups = bits.repeat_interleave(units)  # to which bit a hidden unit belongs
        belongs = [bits, *[groups] * depth, bits]
        with seeded(seed_of(seed)):
            widths = [n_bits, *[wide] * depth, n_bits]
            self.layers = nn.ModuleList(nn.Linear(*pair) for pair in pairwise(widths))
        for index, layer in enumerate(self.layers):
            below, above = belongs[index], belongs[index + 1]
            last = index == depth
            # (out, in): hidden units may see their own bit, the output may not
            mask = above[:, None] > below if last else above[:, None] >= below
            own = mask.to(layer.weight)  # in its dtype
            self.register_buffer(f"mask{index}", own, persistent=False)
            with torch.no_grad():  # a masked row has fewer inputs: larger weights
                share = mask.float().mean(dim=1, keepdim=True).clamp_min(1 / wide)
                layer.weight.div_(share.sqrt())

    def _weight(self, index: int) -> torch.Tensor:
        return self.layers[index].weight * getattr(self, f"mask{index}")

    def forward(self, bits: torch.Tensor) -> torch.Tensor:
        """The logit of p(c_j = 1 | c_1 … c_{j−1}) for each j: ``(n, n_bits)``."""
        return self._logits(self.check(bits))

    def check(self, bits) -> torch.Tensor:
        """``bits`` as floats ``(n, n_bits)``; ``ValueError`` unless zeros and ones."""
        bits = floats(bits, "bits", self.dtype)
        check_shape(bits, self.n_bits, "bits")
        check_finite(bits, "bits")
        check_binary(bits, "bits")
        return bits

    def _logits(self, bits: torch.Tensor) -> torch.Tensor:
        h = 2 * bits - 1  # −1 and 1: a 0 would say nothing to a weight
        for index, layer in enumerate(self.layers):
            h = F.linear(h, self._weight(index), layer.bias)
            h = F.silu(h) if index < len(self.layers) - 1 else h
        return h

    def log_prob(self, bits: torch.Tensor) -> torch.Tensor:
        """log p(c) = Σ_j log p(c_j | c_1 … c_{j−1}): ``(n,)``, in nats."""
        bits = self.check(bits)
        logits = self._logits(bits)
        each = F.binary_cross_entropy_with_logits(logits, bits, reduction="none")
        return -each.sum(dim=1)

    @torch.no_grad()
    def sample(self, n: int, generator=None) -> torch.Tensor:
        """``n`` new codes ``(n, n_bits)``, bit by bit, as floats 0 and 1.

        The units of a bit see no later bit, so each is computed once: all bits together
        cost what one call of the network costs.
        """
        positive(n=n)
        counts(n=n)
        generators(generator=generator)
        signs = torch.zeros(n, self.n_bits, dtype=self.dtype)
        last = len(self.layers) - 1
        hidden = [signs.new_zeros(n, self.n_bits * self.units) for _ in range(last)]
        weights = [self._weight(index) for index in range(last + 1)]
        for j in range(self.n_bits):
            row = slice(j, j + 1)
            chance = F.linear(
                hidden[-1], weights[last][row], self.layers[last].bias[row]
            )
            drawn = torch.bernoulli(chance.sigmoid(), generator=generator)  # (n, 1)
            signs[:, row] = 2 * drawn - 1
            rows, below = slice(j * self.units, (j + 1) * self.units), signs
            for index, h in enumerate(hidden):
                h[:, rows] = F.silu(
                    F.linear(below, weights[index][rows], self.layers[index].bias[rows])
                )
                below = h
        return (signs + 1) / 2


def train_made(
    model: MADE,
    bits: torch.Tensor,
    epochs: float = 4,
    *,
    seconds: float | None = None,
    batch_size: int = 256,
    learning_rate: float = 3e-3,
    n_states: int = 20,
    seed: int = 0,
) -> Iterator[DescentState]:
    """Climb the mean log p(c) of codes ``(n, n_bits)``; yields ``DescentState``s.

    The run ends after ``epochs``, or after ``seconds`` of training if these are given.
    ``loss`` is −log p(c), nats per code. ``model`` changes in place; ``ValueError`` for
    data or settings without sense.
    """
    instances(MADE, model=model)
    positive(batch_size=batch_size)
    counts(batch_size=batch_size)
    bits = model.check(bits)
    size = min(batch_size, len(bits))
    options = {"seconds": seconds, "batch_size": size, "learning_rate": learning_rate}
    options |= {"n_states": n_states, "seed": seed_of(seed)}
    steps = steps_of(epochs, len(bits), size)
    return descend(
        model, bits, lambda c, _: -model.log_prob(c).mean(), steps, **options
    )
