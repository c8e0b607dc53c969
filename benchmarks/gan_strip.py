"""The standard GAN on the ring of notebook 05 as a strip over time, over seeds.

    python -m benchmarks.gan_strip                    # about fifteen minutes alone
    python -m benchmarks.gan_strip --settings slide --seeds 0-1

At each moment of a run 2500 samples are drawn from the same noise, and those within 3σ
of each of the eight modes are counted. A run merges its rows into
``build/gan_strip.csv`` or ``--out``: setting, seed, step, and the eight counts. To
publish them, copy the file to ``data/`` and put its SHA-256 into ``course_utils.data``.

``momentum 0.9`` is the notebook's run, ``momentum 0`` changes this number, ``slide``
is a standard GAN in the manner of Metz et al. (2017), whose figure is on the slide (not
each of its numbers could be checked): σ = 0.02, 256 numbers of noise, a D with one
hidden layer of 128, orthogonal first weights times 0.8, the minimax loss, momentum 0.5,
rates of 1e-4, batches of 512.
"""

import argparse
import csv
import time
from pathlib import Path

import torch

from course_utils.coverage import mode_coverage
from course_utils.data import DATA_DIR, ring_of_gaussians
from course_utils.gan import Discriminator, Generator, train_gan
from course_utils.training import seeded

OUT = DATA_DIR.parent / "build" / "gan_strip.csv"
FIELDS = ["setting", "seed", "step", *(f"mode_{i}" for i in range(8))]
SETTINGS = {
    "momentum 0.9": {"steps": 12_000, "betas": (0.9, 0.999)},
    "momentum 0": {"steps": 12_000, "betas": (0.0, 0.999)},
    "slide": {
        "steps": 12_000,
        "betas": (0.5, 0.999),
        "loss": "minimax",
        "learning_rate": 1e-4,
        "batch_size": 512,
    },
}
MOMENTS = 40


def play(setting: str, seed: int):
    """One run: yields (step, counts ``(8,)``) at 40 moments."""
    if setting == "slide":
        modes = ring_of_gaussians(sigma=0.02)
        generator = Generator(256, hidden=(128, 128), seed=seed)
        eyes = {"hidden": (128,), "activation": "relu", "scale": 4.0}
        discriminator = Discriminator(seed=seed + 1, **eyes)
        begin_orthogonally(generator, discriminator, seed)
    else:
        modes = ring_of_gaussians()
        scale = modes.stddev.mean().item()
        generator = Generator(scale=scale, seed=seed)
        discriminator = Discriminator(scale=scale, seed=seed + 1)
    options = SETTINGS[setting] | {"n_states": MOMENTS, "seed": seed}
    run = train_gan(generator, discriminator, modes, snapshots=False, **options)
    for state in run:
        x = generator.sample(2500, seed=0)
        yield state.step, mode_coverage(x, modes.centres, modes.sigma).counts


def begin_orthogonally(generator, discriminator, seed: int) -> None:
    """First weights that keep lengths, times 0.8."""
    with seeded(seed):
        for layer in [*generator.network, *discriminator.network]:
            if isinstance(layer, torch.nn.Linear):
                torch.nn.init.orthogonal_(layer.weight, gain=0.8)
                torch.nn.init.zeros_(layer.bias)


def merge(rows: list[dict], path: Path) -> None:
    """Put ``rows`` into the file, in the place of older ones of the same runs."""
    old = []
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            old = list(csv.DictReader(file))
    runs = {(row["setting"], str(row["seed"])) for row in rows}
    kept = [row for row in old if (row["setting"], row["seed"]) not in runs] + rows
    order = list(SETTINGS)
    kept.sort(key=lambda r: (order.index(r["setting"]), int(r["seed"]), int(r["step"])))
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(kept)


def main() -> None:
    """Play the runs, one after the other, and say where each one ends."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=[*SETTINGS])
    parser.add_argument("--seeds", default="0-4", help="first-last; slide has two")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    torch.set_num_threads(1)
    first, last = map(int, options.seeds.split("-"))
    for seed in range(first, last + 1):
        for setting in options.settings:
            if setting == "slide" and seed > 1 and options.seeds == "0-4":
                continue  # each of these takes as long as two others
            begin, rows = time.process_time(), []
            for step, counts in play(setting, seed):
                row = {"setting": setting, "seed": seed, "step": step}
                row |= {f"mode_{i}": n for i, n in enumerate(counts.tolist())}
                rows.append(row)
            merge(rows, options.out)
            took = time.process_time() - begin
            print(
                f"{setting}, seed {seed}: {counts.tolist()}, {took:.0f} s", flush=True
            )


if __name__ == "__main__":
    main()
