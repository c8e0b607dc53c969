"""A model that writes: a text is a row of choices, and each has a known chance.

The chain rule turns any density over rows of characters into a product,
p(x) = p(x₁) · p(x₂ | x₁) · … · p(x_T | x₁ … x_{T−1}), without an integral and without a
bound. One network gives all factors: it reads the last few characters and returns a
score for each character that may come next (Bengio et al. 2003). What stands further
back is forgotten, and still the product is a density: each factor sums to one.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from course_utils.arguments import counts, positive, require
from course_utils.data import PROSE_ALPHABET
from course_utils.descent import Clock, DescentState, Run, learning_rate_at
from course_utils.networks import SavedModule
from course_utils.training import checked, last, seeded


def numbers(text: str, alphabet: str = PROSE_ALPHABET) -> torch.Tensor:
    """The place of each character in ``alphabet``: ``(T,)`` int64.

    Raises ``ValueError`` that names the characters which are not in it.
    """
    strange = sorted(set(text) - set(alphabet))
    require(text=(f"{strange}", not strange, f"written with {alphabet!r} only"))
    place = {character: k for k, character in enumerate(alphabet)}
    return torch.tensor([place[character] for character in text], dtype=torch.int64)


def text_of(x: torch.Tensor, alphabet: str = PROSE_ALPHABET) -> str:
    """The text behind numbers ``(T,)``: the way back from ``numbers``."""
    return "".join(alphabet[k] for k in x.tolist())


def chapters(
    x: torch.Tensor, n: int = 10, held_out: float = 0.1
) -> tuple[torch.Tensor, torch.Tensor]:
    """Cut a row of numbers ``(T,)`` into ``n`` equal chapters; hold out their ends.

    Returns the beginnings ``(n, …)``, to learn from, and the ends ``(n, …)``, to test
    on: whole blocks of text, because single characters can be guessed from both sides.
    Up to n − 1 numbers at the end of x are left over.
    """
    parts = 2 <= 2 * n <= len(x)
    require(
        n=(n, parts, "at least 1 and at most half of the length of x"),
        held_out=(held_out, 0 < held_out < 1, "between 0 and 1"),
    )
    rows = x[: len(x) // n * n].view(n, -1)
    cut = round((1 - held_out) * rows.shape[1])
    cut = min(max(cut, 1), rows.shape[1] - 1)
    return rows[:, :cut], rows[:, cut:]


@dataclass(frozen=True)
class WriterState(DescentState):
    """One moment of ``train_writer``; ``loss`` is in nats per character."""

    def __str__(self):
        return f"step {self.step}, {self.loss:.3f} nats per character"


class Writer(SavedModule):
    """p(next character | the last ``context`` characters), and so p of any text.

    Characters are numbers from 0 to ``n_characters`` − 1; the number ``blank`` =
    ``n_characters`` stands for one that is not known, as before the text began. The
    start of the weights depends on ``seed`` only.
    """

    def __init__(
        self,
        n_characters: int = len(PROSE_ALPHABET),
        context: int = 24,
        features: int = 16,
        width: int = 256,
        seed: int = 0,
    ):
        super().__init__()
        require(n_characters=(n_characters, n_characters >= 2, "at least 2"))
        counts(context=context, features=features, width=width)
        self.settings = {"n_characters": n_characters, "context": context}
        self.settings |= {"features": features, "width": width, "seed": seed}
        self.n_characters, self.context, self.blank = (
            n_characters,
            context,
            n_characters,
        )
        with seeded(seed):
            # a row of the table for each character: numbers that are learned
            self.embed = nn.Embedding(n_characters + 1, features)
            self.network = nn.Sequential(
                nn.Linear(context * features, width),
                nn.SiLU(),
                nn.Linear(width, n_characters),
            )

    def forward(self, before: torch.Tensor) -> torch.Tensor:
        """Scores of the next character: ``(…, context)`` to ``(…, n_characters)``.

        Their ``log_softmax`` is log p(next | before).
        """
        return self.network(self.embed(before).flatten(-2))

    def before_each(self, x: torch.Tensor) -> torch.Tensor:
        """What stands before each character: ``(n, T)`` to ``(n, T, context)``.

        Place t holds x_{t−context} … x_{t−1}, and ``blank`` before the text began. So
        whatever is computed from it ignores x_t, x_{t+1}, …
        """
        padded = F.pad(self._checked(x), (self.context, 0), value=self.blank)
        return padded[:, :-1].unfold(1, self.context, 1)

    def log_prob(self, x: torch.Tensor) -> torch.Tensor:
        """Exact log p of each row of ``x``, ``(n, T)`` to ``(n,)``, in nats."""
        # one row at a time: a chapter of 12 000 characters has as many contexts
        rows = []
        for row in self._checked(x):
            log_p = self(self.before_each(row[None])[0]).log_softmax(dim=-1)  # (T, V)
            rows.append(log_p.gather(1, row[:, None]).sum())
        return torch.stack(rows)

    @checked
    @torch.no_grad()
    def write(
        self,
        n: int,
        length: int,
        temperature: float = 1.0,
        begin: torch.Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Write ``n`` texts in order; yields (x so far, log p of the next character).

        x is ``(n, t)``, t = 0 … ``length`` − 1 after ``begin`` ``(m,)``, and log p
        ``(n, n_characters)``. Each character is drawn from p^(1/temperature), made to
        sum to one again: 1 is the model itself, near 0 always the most probable.
        """
        counts(n=n, length=length)
        positive(temperature=temperature)
        begin = torch.empty(0, dtype=torch.int64) if begin is None else begin
        x = self._checked(begin.expand(n, -1))
        yield
        for _ in range(length):
            seen = F.pad(x, (self.context, 0), value=self.blank)[:, -self.context :]
            log_p = (self(seen) / temperature).log_softmax(dim=1)  # (n, n_characters)
            yield x, log_p
            new = torch.multinomial(log_p.exp(), 1, generator=generator)
            x = torch.cat([x, new], dim=1)

    def sample(self, n: int, length: int = 60, temperature: float = 1.0, **options):
        """``n`` texts of ``length`` new characters: ``(n, m + length)``; see ``write``.

        (``write`` yields what stands before each character, so the last one is that
        before character ``length`` + 1.)
        """
        x, _ = last(self.write(n, length + 1, temperature, **options))
        return x

    def _checked(self, x: torch.Tensor) -> torch.Tensor:
        whole = not (x.is_floating_point() or x.is_complex() or x.dtype == torch.bool)
        require(
            x=(f"{tuple(x.shape)} of {x.dtype}", x.ndim == 2 and whole, "(n, T) whole")
        )
        fits = x.numel() == 0 or bool((x >= 0).all() and (x < self.n_characters).all())
        require(x=("others", fits, f"numbers from 0 to {self.n_characters - 1}"))
        return x


@checked
def train_writer(
    writer: Writer,
    x: torch.Tensor,
    steps: int = 4000,
    *,
    seconds: float | None = None,
    batch_size: int = 256,
    learning_rate: float = 3e-3,
    forget: float = 0.1,
    n_states: int = 20,
    snapshots: bool = False,
    seed: int = 0,
) -> Iterator[WriterState]:
    """Raise log p of the characters of ``x`` ``(n, T)``; yields ``WriterState``s.

    A batch is ``batch_size`` characters from anywhere, each with its context, of which
    a share ``forget`` is blanked out, anew each time: the network cannot learn the text
    by heart, and must not rely on any single character. The run ends after ``steps``
    steps, or after ``seconds`` of training if these are given. ``writer`` changes in
    place. Raises ``ValueError`` for data or settings without sense, and
    ``FloatingPointError`` where the loss is no number.
    """
    counts(steps=steps, batch_size=batch_size, n_states=n_states)
    positive(learning_rate=learning_rate, seconds=1 if seconds is None else seconds)
    require(
        forget=(forget, 0 <= forget < 1, "at least 0 and less than 1"),
        x=(tuple(x.shape), x.numel() > 0, "a text of one character or more"),
    )
    yield
    before = writer.before_each(x).flatten(0, 1)  # (n · T, context)
    rows = torch.cat([before, x.reshape(-1, 1)], dim=1)  # context and next character
    run = Run(writer, rows, batch_size, learning_rate, seed)
    clock = Clock(steps, seconds, n_states)
    for done in clock:
        batch = run.batch()
        before, new = batch[:, :-1], batch[:, -1]
        hidden = torch.rand(before.shape, generator=run.generator) < forget
        before = before.masked_fill(hidden, writer.blank)
        # −log p(next | before), the mean over the batch
        run.descend(F.cross_entropy(writer(before), new), learning_rate_at(done))
        if clock.due():
            mean, good = run.means().item(), run.keep()
            kept = good if snapshots else None
            yield WriterState(run.step, clock.seconds, mean, kept)
