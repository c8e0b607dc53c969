"""The generative learning trilemma, measured on two shapes in the plane.

    python -m benchmarks.trilemma                    all, three seeds: 15 to 30 minutes
    python -m benchmarks.trilemma --shapes ring --seeds 0 --models flow diffusion
    python -m benchmarks.trilemma --effort 0.05      a quick look at all of it
    python -m benchmarks.trilemma --report           train nothing, read the file
    python -m benchmarks.trilemma --shapes digits    on digits: see trilemma_digits

A run merges its rows into ``build/trilemma.csv``, or ``--out``; ``--report`` reads
``data/trilemma.csv``, or ``--out``. To publish a run, copy its file to ``data/`` and
put the SHA-256 that it prints into ``course_utils/data.py``.

Seven models of the course learn from 20 000 points; each has the number of steps that
takes about 20 s on one free core (the Gaussian and the mixture need far less). Scores
are those of 10 000 samples: the share of high quality (within 3σ of a mode of the ring,
in a black square of the board), ``covered`` (each mode earns the share of its samples,
but at most a fair share), modes with at least a fifth of their fair share, the KL of
the shares of the modes to even shares in both orders (nats), the spread within each
mode over the true one (least and mean), and milliseconds to draw 10 000 (the best of
five). ``log_likelihood`` is the mean over 2000 new points, in nats: exact where there
is a density, up to the 64 steps of its walk for the diffusion model, a lower bound for
the VAE (IWAE, 500 samples), none for the GANs; ``missing_nats`` is what it lacks to
that of the true density. Two controls, ``data`` and ``even``: real samples, and an even
circle (on the board, even noise), which reaches every mode without knowing of any. The
published file is older: it lacks ``covered`` and ``even``. Seconds are processor time.
Printed are the SHA-256 of the file, a table of ranges over the seeds, and a last line
of JSON.
"""

import argparse
import hashlib
import json
import math
import time
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import torch

from benchmarks.tables import read, write
from benchmarks.trilemma_shapes import SHAPES, score
from course_utils.beyond import Denoiser, Flow, train_diffusion, train_flow
from course_utils.data import DATA_DIR
from course_utils.gan import (
    SIGHTED,
    SIGHTED_DISCRIMINATOR,
    Discriminator,
    Generator,
    train_gan,
)
from course_utils.gaussian import fit_gaussian
from course_utils.mixture import restarts
from course_utils.training import last, progress, seeded
from course_utils.vae import VAE, train_vae

N_TRAIN, N_TEST, N_DRAWN = 20_000, 2_000, 10_000
CONTROLS = ("data", "even")
STEPS = {"vae": 12_000, "gan": 8_000, "flow": 2_400, "diffusion": 15_000}
PUBLISHED = DATA_DIR / "trilemma.csv"  # pinned by its SHA-256: no run writes it
OUT = DATA_DIR.parent / "build" / "trilemma.csv"
HEAD = ["shape", "model", "seed", "quality", "strict", "forward_kl", "reverse_kl"]
HEAD += ["spread_least", "spread_mean", "ms", "log_likelihood", "missing_nats"]
HEAD += ["seconds", "steps", "covered"]


class OneGaussian:
    """Maximum likelihood in closed form (notebook 01)."""

    def __init__(self, x):
        self.fit = fit_gaussian(x)
        self.log_prob = self.fit.log_prob

    def sample(self, n):
        """New x ``(n, 2)``."""
        return self.fit.sample((n,))


def gaussian(x, seed, effort):
    """One Gaussian; there are no steps."""
    return OneGaussian(x), 0


def mixture(x, seed, effort):
    """Eight Gaussians by EM, the best of five starts (notebook 02)."""
    random = torch.Generator().manual_seed(seed)
    best = restarts(x, 8, 5, generator=random)[0]
    return best.mixture, best.iteration


def vae(x, seed, effort):
    """Encoder and decoder with two layers of 64, a Gaussian decoder (notebook 04)."""
    model = VAE(2, 2, hidden=(64, 64), likelihood="normal", seed=seed)
    epochs = max(1, effort * STEPS["vae"]) * 256 / len(x)
    options = {"learning_rate": 4e-3, "kl_warm_up": 0.5, "bf16": False}
    return run(model, train_vae(model, x, epochs, seed=seed, **options))


def gan(x, seed, effort):
    """Algorithm 1 with −log D for the generator (notebook 05)."""
    players = Generator(seed=seed), Discriminator(seed=seed + 1)
    return run(players[0], train_gan(*players, x, steps("gan", effort), seed=seed))


def cured(x, seed, effort):
    """The GAN that covers all modes in notebook 05."""
    scale = x.std().item()
    eyes = SIGHTED_DISCRIMINATOR | {"scale": scale, "seed": seed + 1}
    players = Generator(scale=scale, seed=seed), Discriminator(**eyes)
    options = SIGHTED | {"seed": seed}
    return run(players[0], train_gan(*players, x, steps("gan", effort), **options))


def flow(x, seed, effort):
    """Four spline couplings, 64 + 64 units, 16 bins (notebook 07)."""
    model = Flow(seed=seed)
    return run(model, train_flow(model, x, steps("flow", effort), seed=seed))


def diffusion(x, seed, effort):
    """A denoiser with three layers of 64; 32 steps to draw (notebook 07)."""
    model, n = Denoiser(seed=seed), steps("diffusion", effort)
    return run(model, train_diffusion(model, x, n, seed=seed))


MODELS = {
    "one Gaussian": gaussian,
    "mixture": mixture,
    "VAE": vae,
    "plain GAN": gan,
    "cured GAN": cured,
    "flow": flow,
    "diffusion": diffusion,
}


def steps(name: str, effort: float) -> int:
    """The step budget of a model."""
    return max(1, round(effort * STEPS[name]))


def run(model, states):
    """Train to the end; returns the model and the number of its steps."""
    return model, last(progress(states, describe=str)).step


def log_likelihood(model, x) -> float:
    """Mean log p(x), or a bound below it, in nats; NaN where a model has neither."""
    with torch.no_grad(), seeded(3):
        if hasattr(model, "log_prob"):
            return model.log_prob(x).mean().item()
        return model.iwae(x, 500).mean().item() if hasattr(model, "iwae") else math.nan


def draw(model, n: int):
    """Samples, and the least milliseconds of five calls."""
    times = []
    for _ in range(5):
        begin = time.process_time()
        x = model.sample(n)
        times.append(1000 * (time.process_time() - begin))
    return x, min(times)


def measure(shape_name: str, model_name: str, seed: int, effort: float) -> dict:
    """One row of the file; ``"data"`` and ``"even"`` are controls, not models."""
    shape = SHAPES[shape_name]
    with seeded(100 + seed):
        train, test = shape.sample(N_TRAIN), shape.sample(N_TEST)
    begin = time.process_time()
    control = shape if model_name == "data" else SimpleNamespace(sample=shape.even)
    make = MODELS.get(model_name, lambda *_: (control, 0))
    model, n_steps = make(train, seed, effort)
    seconds = time.process_time() - begin
    with seeded(200 + seed):
        drawn, ms = draw(model, N_DRAWN)
    row = {"shape": shape_name, "model": model_name, "seed": seed}
    row |= score(shape, drawn) | {"ms": ms, "seconds": seconds, "steps": n_steps}
    nats = log_likelihood(model, test)
    best = shape.log_prob(test).mean().item()
    return row | {"log_likelihood": nats, "missing_nats": best - nats}


def place(row: dict) -> tuple:
    """Where a row stands: by shape, then model, then seed."""
    order = {name: i for i, name in enumerate([*SHAPES, *CONTROLS, *MODELS])}
    return order[row["shape"]], order[row["model"]], int(row["seed"])


def report(rows: list[dict]) -> list[dict]:
    """The ranges over the seeds, printed as a table and returned."""
    ranges = []
    names = dict.fromkeys((row["shape"], row["model"]) for row in rows)
    for shape, model in names:
        own = [r for r in rows if (r["shape"], r["model"]) == (shape, model)]
        entry = {"shape": shape, "model": model, "seeds": len(own)}
        for key in HEAD[3:]:
            values = sorted(float(row.get(key) or math.nan) for row in own)
            entry[key] = None if math.isnan(values[0]) else (values[0], values[-1])
        ranges.append(entry)
    print("".join(f"{key:>16}" for key in ["shape", "model", *HEAD[3:]]))
    for entry in ranges:
        cells = [entry["shape"], entry["model"]]
        cells += [_range(entry[key]) for key in HEAD[3:]]
        print("".join(f"{cell:>16}" for cell in cells))
    return ranges


def _range(pair) -> str:
    if pair is None:
        return "–"
    low, high = (format(value, ".3g") for value in pair)
    return low if low == high else f"{low} – {high}"


def main() -> None:
    """Train, measure, merge into the file, print."""
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=as_written)
    shapes = [*SHAPES, "digits"]
    parser.add_argument("--shapes", nargs="+", choices=shapes, default=[*SHAPES])
    known = [*CONTROLS, *MODELS]
    parser.add_argument("--models", nargs="+", choices=known, default=known)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--effort", type=float, default=1.0)
    parser.add_argument("--report", action="store_true")
    parser.add_argument("--out", type=Path, help="default: build/trilemma.csv")
    options = parser.parse_args()
    if "digits" in options.shapes:
        if options.shapes != ["digits"]:
            parser.error("--shapes digits stands alone: it has another file")
        from benchmarks import trilemma_digits  # it imports what only digits need

        seconds = 15 * options.effort  # of the processor, for each model
        trilemma_digits.run(options.seeds, seconds, options.out, options.report)
        return
    torch.set_num_threads(1)
    out = options.out or (PUBLISHED if options.report else OUT)
    rows = read(out) if options.report or out.exists() else []
    if not options.report:
        out.parent.mkdir(parents=True, exist_ok=True)
        for key in product(options.shapes, options.models, options.seeds):
            new, names = measure(*key, options.effort), [*map(str, key)]
            rows = [r for r in rows if [str(r[k]) for k in HEAD[:3]] != names] + [new]
            write(out, rows, HEAD, place)
        rows = read(out)
        print(f"{out}: SHA-256 {hashlib.sha256(out.read_bytes()).hexdigest()}")
    print(json.dumps(report(rows)).replace("Infinity", '"inf"'))


if __name__ == "__main__":
    main()
