"""A model that writes: a text is a row of choices, and each has a known chance.

The chain rule turns any density over rows of characters into a product,
p(x) = p(x₁) · p(x₂ | x₁) · … · p(x_T | x₁ … x_{T−1}), without an integral and without a
bound. One network gives all factors: it reads the last few characters and returns a
score for each character that may come next (Bengio et al. 2003). What stands further
back is forgotten, and still the product is a density: each factor sums to one.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from course_utils.arguments import (
    counts,
    finite,
    floats,
    generators,
    instances,
    positive,
    require,
    seed_of,
    switches,
)
from course_utils.data import PROSE_ALPHABET
from course_utils.descent import Clock, DescentState, Run, learning_rate_at
from course_utils.networks import SavedModule, check_trainable
from course_utils.training import checked, last, seeded


def numbers(text: str, alphabet: str = PROSE_ALPHABET) -> torch.Tensor:
    """The place of each character in ``alphabet``: ``(T,)`` int64.

    Raises ``ValueError`` that names the characters which are not in it.
    """
    _check_alphabet(alphabet)
    instances(str, text=text)
    strange = sorted(set(text) - set(alphabet))
    require(text=(f"{strange}", not strange, f"written with {alphabet!r} only"))
    place = {character: k for k, character in enumerate(alphabet)}
    return torch.tensor([place[character] for character in text], dtype=torch.int64)


def text_of(x: torch.Tensor, alphabet: str = PROSE_ALPHABET) -> str:
    """The text behind numbers ``(T,)``: the way back from ``numbers``.

    Raises ``ValueError`` for numbers that stand for no character.
    """
    _check_alphabet(alphabet)
    return "".join(alphabet[k] for k in _whole(x, 1, len(alphabet)).tolist())


def _check_alphabet(alphabet: str) -> None:
    instances(str, alphabet=alphabet)
    once = len(set(alphabet)) == len(alphabet) > 0
    require(alphabet=(repr(alphabet), once, "characters, each of them once"))


def _whole(
    x, ndim: int | None, below: float = math.inf, name: str = "x"
) -> torch.Tensor:
    """Whole numbers from 0 to ``below`` − 1 with ``ndim`` axes (or any), as int64."""
    kind = str(getattr(x, "dtype", "numbers"))
    values = floats(x, name, torch.float64)
    shape = tuple(values.shape)
    fits = ndim in (None, values.ndim) and not ("float" in kind or "bool" in kind)
    rule = {None: "(…, T)", 1: "(T,)", 2: "(n, T)"}[ndim] + " whole numbers"
    require(**{name: (f"{shape} of {kind}", fits, rule)})
    odd = values[~((values >= 0) & (values < below) & (values == values.round()))]
    rule = f"whole numbers from 0 to {below - 1}"
    require(**{name: (odd[:1].tolist(), odd.numel() == 0, rule)})
    return values.long()


def chapters(
    x: torch.Tensor, n: int = 10, held_out: float = 0.1
) -> tuple[torch.Tensor, torch.Tensor]:
    """Cut a row of numbers ``(T,)`` into ``n`` equal chapters; hold out their ends.

    Returns the beginnings ``(n, …)``, to learn from, and the ends ``(n, …)``, to test
    on: whole blocks of text, because single characters can be guessed from both sides.
    Up to n − 1 numbers at the end of x are left over.
    """
    x = _whole(x, 1)
    counts(n=n)
    finite(held_out=held_out)
    parts = 2 <= 2 * n <= len(x)
    require(
        n=(n, parts, "at least 1 and at most half of the length of x"),
        held_out=(held_out, 0 < held_out < 1, "between 0 and 1"),
    )
    rows = x[: len(x) // n * n].view(n, -1)
    cut = round((1 - float(held_out)) * rows.shape[1])
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
        counts(2, n_characters=n_characters)
        counts(context=context, features=features, width=width)
        settings = {"n_characters": n_characters, "context": context, "width": width}
        settings |= {"features": features, "seed": seed_of(seed)}
        # plain ints: those of NumPy do not go to a file
        self.settings = {name: int(value) for name, value in settings.items()}
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

        Their ``log_softmax`` is log p(next | before). ``ValueError`` for another number
        of characters, and for numbers that stand for none (nor for ``blank``).
        """
        before = _whole(before, None, self.blank + 1, "before")
        got, rule = tuple(before.shape), f"of shape (…, {self.context})"
        require(before=(got, got[-1:] == (self.context,), rule))
        return self.network(self.embed(before).flatten(-2))

    def before_each(self, x: torch.Tensor) -> torch.Tensor:
        """What stands before each character: ``(n, T)`` to ``(n, T, context)``.

        Place t holds x_{t−context} … x_{t−1}, and ``blank`` before the text began. So
        whatever is computed from it ignores x_t, x_{t+1}, …
        """
        padded = F.pad(self.texts(x), (self.context, 0), value=self.blank)
        return padded[:, :-1].unfold(1, self.context, 1)

    def log_prob(self, x: torch.Tensor) -> torch.Tensor:
        """Exact log p of each row of ``x``, ``(n, T)`` to ``(n,)``, in nats."""
        # one row at a time: a chapter of 12 000 characters has as many contexts
        rows = []
        for row in self.texts(x):
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
        generators(generator=generator)
        begin = torch.empty(0, dtype=torch.int64) if begin is None else begin
        x = _whole(begin, 1, self.n_characters, "begin").expand(n, -1)
        cold = max(temperature, 1e-30)  # a float32 knows nothing below 1e-45
        yield
        for _ in range(length):
            seen = F.pad(x, (self.context, 0), value=self.blank)[:, -self.context :]
            scores = self(seen)
            scores = scores - scores.amax(dim=1, keepdim=True)  # the best stays 0
            log_p = (scores / cold).log_softmax(dim=1)  # (n, n_characters)
            if bool(log_p.isnan().any()):
                raise FloatingPointError("a score of the next character is no number")
            yield x, log_p
            new = torch.multinomial(log_p.exp(), 1, generator=generator)
            x = torch.cat([x, new], dim=1)

    def sample(self, n: int, length: int = 60, temperature: float = 1.0, **options):
        """``n`` texts of ``length`` new characters: ``(n, m + length)``; see ``write``.

        (``write`` yields what stands before each character, so the last one is that
        before character ``length`` + 1.)
        """
        counts(length=length)
        x, _ = last(self.write(n, length + 1, temperature, **options))
        return x

    def texts(self, x) -> torch.Tensor:
        """``x`` as int64 ``(n, T)`` with n, T >= 1, if its characters are known ones.

        Lists and arrays will do; ``ValueError`` for numbers that are none of them.
        """
        x = _whole(x, 2, self.n_characters)
        rule = "a text of one character or more"
        require(x=(tuple(x.shape), x.numel() > 0, rule))
        return x


@checked
@torch.inference_mode(False)  # gradients are needed, whatever is switched off outside
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
    finite(forget=forget)
    require(forget=(forget, 0 <= forget < 1, "at least 0 and less than 1"))
    switches(snapshots=snapshots)
    instances(Writer, writer=writer)
    check_trainable(writer, "writer")
    x, seed = writer.texts(x), seed_of(seed)
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
