"""Bits per character of models that write, in the same time: for notebook 07.

    python -m benchmarks.language               three seeds, about six minutes
    python -m benchmarks.language --seconds 10

On the course's own prose, ten chapters, the last tenth of each held out. Counted:
single characters and pairs. Trained, ``--seconds`` of processor time each, on one
thread: the network of the notebook (the last 24 characters; with and without blanks in
what it reads), one twice as wide, and a recurrent network (GRU, 192 units) that reads
everything. The last line is JSON.
"""

import argparse
import json
import math
import time
from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional as F

from course_utils.beyond.language import Writer, chapters, numbers, train_writer
from course_utils.data import PROSE_ALPHABET, load_prose
from course_utils.descent import learning_rate_at
from course_utils.training import last, seeded

V = len(PROSE_ALPHABET)


class Recurrent(nn.Module):
    """A GRU: its state carries what it has read; scores for all places at once."""

    def __init__(self, features: int = 32, width: int = 192):
        super().__init__()
        self.embed = nn.Embedding(V + 1, features)
        self.reader = nn.GRU(features, width, batch_first=True)
        self.scores = nn.Linear(width, V)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x ``(n, T)`` to the scores of each character, from those before it."""
        before = F.pad(x, (1, 0), value=V)[:, :-1]
        return self.scores(self.reader(self.embed(before))[0])

    def log_prob(self, x: torch.Tensor) -> torch.Tensor:
        """log p of each row of x, in nats."""
        log_p = self(x).log_softmax(dim=2)
        return log_p.gather(2, x[:, :, None])[:, :, 0].sum(dim=1)


def train_recurrent(model, x, steps, forget=0.1, seed=0, rows=32, length=64) -> None:
    """One step of Adam for each batch of random pieces of the text."""
    generator = torch.Generator().manual_seed(seed)
    adam = torch.optim.Adam(model.parameters(), lr=5e-3, betas=(0.9, 0.99), fused=True)
    pieces = x.unfold(1, length, 1).flatten(0, 1)
    for step in range(steps):
        batch = pieces[torch.randint(len(pieces), (rows,), generator=generator)]
        seen = F.pad(batch, (1, 0), value=V)[:, :-1]
        hidden = torch.rand(seen.shape, generator=generator) < forget
        read, _ = model.reader(model.embed(seen.masked_fill(hidden, V)))
        loss = F.cross_entropy(model.scores(read).flatten(0, 1), batch.flatten())
        adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adam.param_groups[0]["lr"] = 5e-3 * learning_rate_at(step / steps)
        adam.step()


def bits(log_p: torch.Tensor, x: torch.Tensor) -> float:
    """Bits per character of rows with this log p, in nats."""
    return -log_p.sum().item() / x.numel() / math.log(2)


def counted(train: torch.Tensor, held: torch.Tensor, extra: float = 0.1) -> dict:
    """Bits of single characters and of pairs, counted in the training text."""
    single = (torch.bincount(train.flatten(), minlength=V) + extra).log()
    single = single - single.logsumexp(dim=0)
    codes = V * train[:, :-1] + train[:, 1:]
    pairs = torch.bincount(codes.flatten(), minlength=V * V).view(V, V) + extra
    pairs = pairs.log().log_softmax(dim=1)
    first = single[held[:, 0]]
    rest = pairs[held[:, :-1], held[:, 1:]].sum(dim=1)
    return {
        "uniform": math.log2(V),
        "single": bits(single[held].sum(dim=1), held),
        "pairs": bits(first + rest, held),
    }


def steps_in(seconds: float, train: Callable, probe: int = 40) -> int:
    """How many steps take this processor time; ``train(steps)`` is tried first."""
    train(5)  # the first ones take longer
    begin = time.process_time()
    train(probe)
    return max(1, round(seconds * probe / (time.process_time() - begin)))


def writer_of(seconds: float, width: int = 256, forget: float = 0.1) -> Callable:
    """A run of the notebook's network: (seed, train, held) → (bits, steps)."""

    def run(seed, train, held):
        def trained(steps):
            model = Writer(width=width, seed=seed)
            last(train_writer(model, train, steps, forget=forget, seed=seed))
            return model

        steps = steps_in(seconds, trained)
        return bits(trained(steps).log_prob(held).detach(), held), steps

    return run


def recurrent_of(seconds: float) -> Callable:
    """A run of the recurrent network."""

    def run(seed, train, held):
        def trained(steps):
            with seeded(seed):
                model = Recurrent()
            train_recurrent(model, train, steps, seed=seed)
            return model

        steps = steps_in(seconds, trained)
        return bits(trained(steps).log_prob(held).detach(), held), steps

    return run


def main() -> None:
    """Measure, print, and end with one line of JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    train, held = chapters(numbers(load_prose()))
    result = counted(train, held)
    for name, value in result.items():
        print(f"{name:20} {value:.3f} bits per character")
    for name, run in {
        "writer": writer_of(options.seconds),
        "writer, no blanks": writer_of(options.seconds, forget=0.0),
        "writer, 512 units": writer_of(options.seconds, width=512),
        "recurrent": recurrent_of(options.seconds),
    }.items():
        found = [run(seed, train, held) for seed in range(options.seeds)]
        result[name] = [round(value, 4) for value, _ in found]
        shown = ", ".join(f"{value:.3f} ({steps} steps)" for value, steps in found)
        print(f"{name:20} {shown}", flush=True)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
