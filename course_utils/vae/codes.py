"""VQ-VAE: a codebook in place of the Gaussian (van den Oord et al. 2017; notebook 04).

Each image becomes a few whole numbers, one per position, each naming a row of the
codebook. With a codebook of two rows the code is a list of bits, for which
``code_prior`` has a distribution. Nats per example, sums over dimensions. x holds zeros
and ones, as floats or booleans; anything else is a ``ValueError`` that says what is
wrong.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.distributions import Bernoulli

from course_utils.arguments import (
    check_finite,
    counts,
    floats,
    instances,
    numbers,
    outside,
    positive,
    require,
    seed_of,
    switches,
    unit_of,
)
from course_utils.descent import Run, learning_rate_at
from course_utils.networks import check_trainable, layers, whole_numbers
from course_utils.training import checked, seeded
from course_utils.vae.gate import check_pixels
from course_utils.vae.model import logits_of_mean
from course_utils.vae.training import redraw


class VQVAE(nn.Module):
    """x ``(n, data_dim)`` → ``positions`` codes out of ``n_codes`` → p(x | codes).

    ``hidden`` is the width of one hidden layer, or several widths: those of the
    encoder; the decoder has them in reverse.
    """

    @torch.inference_mode(False)  # weights of that mode could never be trained
    def __init__(
        self,
        data_dim: int = 784,
        positions: int = 16,
        n_codes: int = 64,
        code_dim: int = 2,
        hidden: int | Sequence[int] = 256,
        seed: int = 0,
    ):
        super().__init__()
        sizes = {"data_dim": data_dim, "positions": positions, "n_codes": n_codes}
        sizes |= {"code_dim": code_dim}
        if not isinstance(hidden, Sequence):
            sizes, hidden = sizes | {"hidden": hidden}, [hidden]
        positive(**sizes)
        counts(**sizes)
        hidden = whole_numbers(hidden, "hidden")
        self.data_dim = int(data_dim)
        self.positions, self.code_dim = int(positions), int(code_dim)
        code = positions * code_dim
        with seeded(seed_of(seed)):
            self.encoder = layers([data_dim, *hidden, code], "silu")
            self.decoder = layers([code, *hidden[::-1], data_dim], "silu")
            self.codebook = nn.Parameter(torch.randn(n_codes, code_dim))

    def begin_with_bits(self, x: torch.Tensor) -> None:
        """A codebook of the two rows −1 and 1; p(x | codes) starts at the mean of x.

        For ``n_codes`` = 2 and ``code_dim`` = 1. x is ``(n, data_dim)``, zeros and ones
        or grey levels as uint8.
        """
        shape = tuple(self.codebook.shape)
        require(codebook=(f"of shape {shape}", shape == (2, 1), "of shape (2, 1)"))
        bias = logits_of_mean(x, self.data_dim, self.codebook.dtype)
        with torch.no_grad():
            self.codebook.copy_(torch.tensor([[-1.0], [1.0]]))
            self.decoder[-1].bias.copy_(bias)

    def vectors(self, x: torch.Tensor) -> torch.Tensor:
        """What the encoder says before the choice: ``(n, positions, code_dim)``."""
        x = check_pixels(x, self.data_dim).to(self.codebook.dtype)
        # (n, positions · code_dim), cut into one vector for each position
        return self.encoder(x).view(len(x), self.positions, self.code_dim)

    def nearest(self, e: torch.Tensor) -> torch.Tensor:
        """The number of the codebook row nearest to each vector ``(…, code_dim)``."""
        e = floats(e, "e", self.codebook.dtype)
        got, d = f"shape {tuple(e.shape)}", self.code_dim
        fits = e.shape[-1:] == (d,) and e.numel() > 0
        require(e=(got, fits, f"vectors of shape (…, {d})"))
        check_finite(e, "e")
        return self._nearest(e)

    def _nearest(self, e: torch.Tensor) -> torch.Tensor:
        flat = e.detach().reshape(-1, self.code_dim)  # (n · positions, code_dim)
        rows = self.codebook.detach()
        middle = rows.mean(dim=0)
        width = (rows - middle).abs().amax(dim=0)
        # far from 0 squares lose their digits, and in some units they leave the floats
        usual = (middle.abs() <= 2 * width).all() and 1e-9 < width.amax() < 1e9
        if not bool(usual):
            flat, rows = flat - middle, rows - middle
            unit = unit_of(rows)
            flat, rows = flat / unit, rows / unit
        # −½‖e − c‖² is e·c − ½‖c‖², up to ½‖e‖², which is the same for every row
        scores = flat @ rows.T - 0.5 * rows.square().sum(dim=1)
        return scores.argmax(dim=1).view(e.shape[:-1])

    def codes(self, x: torch.Tensor) -> torch.Tensor:
        """The image as whole numbers: ``(n, positions)``."""
        with torch.no_grad():
            return self._nearest(self.vectors(x))

    def decode(self, codes: torch.Tensor) -> Bernoulli:
        """p(x | codes) for ``(n, positions)`` whole numbers, below ``n_codes``."""
        kind = getattr(codes, "dtype", type(codes).__name__)
        shape = tuple(getattr(codes, "shape", ()))
        fits = isinstance(codes, torch.Tensor) and kind == torch.int64
        if not fits or shape[1:] != (self.positions,) or len(codes) == 0:
            raise ValueError(
                f"codes must be int64 of shape (n, {self.positions}), "
                f"got {kind} of shape {shape}"
            )
        if bool(((codes < 0) | (codes >= len(self.codebook))).any()):
            raise ValueError(
                f"codes must be from 0 to {len(self.codebook) - 1}, "
                f"got {codes.min()} to {codes.max()}"
            )
        return self._decode(self.codebook[outside(codes)])

    def _decode(self, vectors: torch.Tensor) -> Bernoulli:
        logits = self.decoder(vectors.flatten(1))  # (n, data_dim)
        return Bernoulli(logits=logits, validate_args=False)

    def loss(self, x: torch.Tensor, commitment: float = 0.25):
        """−log p(x | codes) and the two pulls between encoder and codebook, nats.

        The gradient jumps over the choice: forward the code, backward the encoder's
        vector (straight through). Equation 3 of the paper.
        """
        numbers(commitment=commitment)
        rule = ">= 0 and finite"
        require(commitment=(commitment, 0 <= commitment < math.inf, rule))
        e = self.vectors(x)
        code = self.codebook[self._nearest(e)]  # both (n, positions, code_dim)
        x = outside(x).to(e.dtype)  # booleans take a quarter of the memory of floats
        # the value is the code, but the gradient goes to e: detach() stops the rest
        straight = e + (code - e).detach()
        reconstruction = self._decode(straight).log_prob(x).sum(dim=1).mean()
        # the codes go to the vectors that chose them, and the vectors to their codes
        book = (code - e.detach()).square().sum(dim=(1, 2)).mean()
        pull = (e - code.detach()).square().sum(dim=(1, 2)).mean()
        return -reconstruction, book + float(commitment) * pull


@dataclass(frozen=True)
class VQState:
    """One epoch of ``train_vq_vae``: nats per example, and how many codes are in use.

    ``perplexity`` is e to the entropy of the code frequencies: n_codes if all are used
    equally often, 1 if a single one is used.
    """

    epoch: int
    reconstruction: float
    codes_used: int
    perplexity: float


@checked
@torch.inference_mode(False)  # gradients are needed, whatever is switched off outside
def train_vq_vae(
    model: VQVAE,
    x: torch.Tensor,
    epochs: float = 3,
    batch_size: int = 128,
    learning_rate: float = 2e-3,
    seed: int = 0,
    *,
    dynamic: bool = False,
    restart: bool = True,
    falling: bool = False,
) -> Iterator[VQState]:
    """Adam on ``model.loss``; yields after each epoch over ``x`` ``(n, data_dim)``.

    With ``dynamic`` x holds grey levels (uint8), binarised anew at every visit. With
    ``restart`` the codebook begins on vectors of the encoder, and codes that an epoch
    never used move onto such vectors, or they would stay unused for ever. With
    ``falling`` the step size falls to almost 0 (half a cosine). The last epoch may be a
    part of one. A loss that is not finite puts the model back to the last state, or to
    its start, and raises ``FloatingPointError``. Raises ``ValueError`` for data or
    settings without sense.
    """
    instances(VQVAE, model=model)
    check_trainable(model)
    switches(dynamic=dynamic, restart=restart, falling=falling)
    check_pixels(x, model.data_dim, grey=dynamic)
    positive(epochs=epochs, batch_size=batch_size, learning_rate=learning_rate)
    counts(batch_size=batch_size)
    seed = seed_of(seed)
    yield
    batch_size, epochs = min(batch_size, len(x)), float(epochs)
    run = Run(model, x, batch_size, float(learning_rate), seed, betas=(0.9, 0.999))
    if restart:  # on what the encoder says: every code counts as unused
        unused = torch.ones(len(model.codebook), dtype=torch.bool)
        _restart(model, x, unused, run.generator)
    steps = math.ceil(len(x) / batch_size)  # of an epoch
    done, epoch = 0.0, 0
    while done < 1:
        epoch, total, seen = epoch + 1, torch.zeros(()), 0
        for _ in range(steps):
            batch = run.batch()
            if batch.dtype == torch.uint8:
                batch = redraw(batch, run.generator)
            reconstruction, pulls = model.loss(batch)
            rate = learning_rate_at(done) if falling else 1.0
            run.descend(reconstruction + pulls, rate)
            total += reconstruction.detach() * len(batch)
            seen += len(batch)
            done = run.step / (steps * epochs)
            if done >= 1:
                break
        uses = _counts(model, x[:2000])
        # entr(p) is −p log p, and 0 for a code that nobody uses
        entropy = torch.special.entr(uses / uses.sum()).sum()
        used = int((uses > 0).sum())
        run.keep()
        yield VQState(epoch, -total.item() / seen, used, entropy.exp().item())
        if restart and done < 1:  # after the last one no step would follow
            _restart(model, x, uses == 0, run.generator)


def _counts(model, x) -> torch.Tensor:
    """How often each code stands in the codes of ``x``: ``(n_codes,)``."""
    x = (x > 127) if x.dtype == torch.uint8 else x  # grey is ink from one half on
    return torch.bincount(model.codes(x).flatten(), minlength=len(model.codebook))


@torch.no_grad()
def _restart(model, x, unused, generator) -> None:
    """Move the codes marked in ``unused`` ``(n_codes,)`` onto the encoder's vectors."""
    rows = x[torch.randint(len(x), (1000,), generator=generator)]
    rows = redraw(rows, generator) if x.dtype == torch.uint8 else rows
    vectors = model.vectors(rows).flatten(0, 1)
    pick = torch.randint(len(vectors), (int(unused.sum()),), generator=generator)
    model.codebook[unused] = vectors[pick]
