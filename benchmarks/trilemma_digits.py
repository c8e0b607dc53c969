"""The trilemma on digits: every prior of the course behind one decoder.

``python -m benchmarks.trilemma --shapes digits`` calls this (or, alone, ``python -m
benchmarks.trilemma_digits --seeds 0 --seconds 15``). One auto-encoder for each seed,
and the codes of the training digits; labels are seen by none. Each prior then has
``--seconds`` of the processor on one thread (N(0, I) and one Gaussian need none), and
so has the GAN of notebook 05, in pixels. Rows hold d² to the test digits, the share of
which the classifier is at least 90 % sure, ``covered`` (each class earns the share of
all samples that are surely of it, but at most its share of the data), the KL of the
class shares to those of the data, the mean distance to the nearest training digit (in
pixels, of 500 samples), the held-out mean of log p(z) on the codes of the test digits,
milliseconds for 1000 digits, decoder included, and training seconds. ``ten flows`` is a
test, not a competitor: a flow for each class, with the labels, in the same time. Two
controls: ``test digits`` are real, ``decoded`` are they after encoder and decoder.
"""

import argparse
import hashlib
import json
import math
import time
from pathlib import Path

import torch

from benchmarks.tables import read, write
from course_utils.beyond.latents import (
    codes_of,
    decode_digits,
    digit_autoencoder,
    train_autoencoder,
)
from course_utils.beyond.priors import (
    Prior,
    diffusion_prior,
    fit_mixture,
    flow_prior,
    gan_prior,
    one_gaussian,
    standard_normal,
    whole,
)
from course_utils.data import DATA_DIR, load_mnist
from course_utils.descent import Clock
from course_utils.gan import Discriminator, Generator, train_gan
from course_utils.gan.recipes import DIGIT_DISCRIMINATOR, DIGIT_GENERATOR, DIGIT_RECIPE
from course_utils.scores import SURE, digit_scores, load_digit_classifier
from course_utils.training import last, seeded

N, NEAREST = 10_000, 500
HEAD = ["model", "seed", "d2", "confident", "covered", "class_kl", "nearest"]
HEAD += ["log_prob", "ms", "seconds"]
PUBLISHED = DATA_DIR / "trilemma_digits.csv"  # pinned by its SHA-256: no run writes it
OUT = DATA_DIR.parent / "build" / "trilemma_digits.csv"


def mixture(z, seconds: float, seed: int) -> Prior:
    """A hundred Gaussians by EM."""
    made = whole(fit_mixture(z, 100, 200, seconds, seed))
    return Prior("mixture", made.sample, made.log_prob, made)


PRIORS = {
    "N(0, I)": lambda z, seconds, seed: standard_normal(z.shape[1]),
    "one Gaussian": lambda z, seconds, seed: one_gaussian(z),
    "mixture": mixture,
    "flow": lambda z, seconds, seed: flow_prior(z, seed=seed, seconds=seconds),
    "GAN": lambda z, seconds, seed: gan_prior(z, seed=seed, seconds=seconds),
    "diffusion": lambda z, seconds, seed: diffusion_prior(
        z, seed=seed, seconds=seconds
    ),
}
MODELS = ("test digits", "decoded", *PRIORS, "GAN in pixels", "ten flows")


def ten_flows(z, labels, seconds: float, seed: int) -> Prior:
    """A flow for each class: it knows the labels, and has to cut nothing."""
    shares = torch.bincount(labels, minlength=10) / len(labels)
    flows = [
        flow_prior(z[labels == c], seed=seed, seconds=seconds / 10) for c in range(10)
    ]

    def sample(n):
        counts = torch.bincount(torch.multinomial(shares, n, True), minlength=10)
        parts = [f.sample(m) for f, m in zip(flows, counts.tolist(), strict=True) if m]
        return torch.cat(parts)[torch.randperm(n)]  # some scores look at the first rows

    def log_prob(z):
        parts = [s.log() + f.log_prob(z) for s, f in zip(shares, flows, strict=True)]
        return torch.stack(parts).logsumexp(dim=0)

    return Prior("ten flows", sample, log_prob, flows)


def pixel_gan(grey, seconds: float, seed: int):
    """The generator of notebook 05, and its image of 784 grey levels."""
    generator = Generator(**DIGIT_GENERATOR, seed=seed)
    generator.begin_at_mean_of(grey)
    judge = Discriminator(**DIGIT_DISCRIMINATOR, seed=seed + 1)
    options = DIGIT_RECIPE | {"seconds": seconds, "seed": seed, "snapshots": False}
    last(train_gan(generator, judge, grey, 10_000, **options))
    return generator.sample


def class_kl(shares: torch.Tensor, labels: torch.Tensor) -> float:
    """KL(shares of the samples ‖ shares of the data), in nats."""
    truth = torch.bincount(labels, minlength=10) / len(labels)
    return torch.special.xlogy(shares, shares / truth).sum().item()


@torch.no_grad()
def covered(images: torch.Tensor, labels: torch.Tensor) -> float:
    """Σ over the classes of min(share of sure samples, share of the data)."""
    model = load_digit_classifier()
    parts = [model(rows).softmax(dim=1).max(dim=1) for rows in images.split(1000)]
    sure, classes = map(torch.cat, zip(*parts, strict=True))
    own = torch.bincount(classes[sure >= SURE], minlength=10) / len(images)
    return (
        torch.minimum(own, torch.bincount(labels, minlength=10) / len(labels))
        .sum()
        .item()
    )


def nearest(images: torch.Tensor, grey: torch.Tensor) -> float:
    """Mean distance of images ``(n, 784)`` in [0, 1] to the nearest training digit."""
    best = torch.full((len(images),), math.inf)
    for rows in grey.split(5000):  # all of them as floats would be 188 MB
        best = torch.minimum(best, torch.cdist(images, rows.float() / 255).amin(1))
    return best.mean().item()


def row_of(model: str, seed: int, draw, grey, labels, seconds: float) -> dict:
    """Draw, look at the clock, score."""
    with seeded(200 + seed), torch.no_grad():
        begin = time.process_time()
        images = draw(N)
        ms = 1000 * (time.process_time() - begin) / (N / 1000)
    found = digit_scores(images)
    return {
        "model": model,
        "seed": seed,
        "d2": found.frechet,
        "confident": found.confident,
        "covered": covered(images[:4000].float(), labels),
        "class_kl": class_kl(found.class_shares, labels),
        "nearest": nearest(images[:NEAREST].float(), grey),
        "log_prob": math.nan,
        "ms": ms,
        "seconds": seconds,
    }


def measure(seed: int, seconds: float, models=MODELS):
    """The rows of one seed, one after the other."""
    (train, labels), (test, _) = load_mnist("train"), load_mnist("test")
    grey, test = train.flatten(1), test.flatten(1)
    model = digit_autoencoder(grey, seed)
    last(train_autoencoder(model, grey, seconds=1.5 * seconds, seed=seed))
    z, z_test = codes_of(model, grey), codes_of(model, test)
    controls = {"test digits": test.float() / 255, "decoded": None}
    controls["decoded"] = decode_digits(model, z_test)
    for name in [name for name in controls if name in models]:
        images = controls[name]
        row = row_of(name, seed, lambda n, x=images: x, grey, labels, 0.0)
        yield row | {"ms": math.nan}
    # last, because it sees labels: what a flow gains when it has to cut nothing
    makes = PRIORS | {"ten flows": lambda *rest: ten_flows(z, labels, *rest[1:])}
    for name in [name for name in makes if name in models]:
        make = makes[name]
        begin = time.process_time()
        prior = make(z, seconds, seed)
        spent = time.process_time() - begin

        def draw(n, prior=prior):
            return decode_digits(model, prior.sample(n))

        row = row_of(name, seed, draw, grey, labels, spent)
        if prior.log_prob is not None:
            row["log_prob"] = prior.log_prob(z_test).mean().item()
        yield row
    if "GAN in pixels" not in models:
        return
    begin = time.process_time()
    draw = pixel_gan(grey, seconds, seed)
    spent = time.process_time() - begin
    yield row_of("GAN in pixels", seed, draw, grey, labels, spent)


def place(row: dict) -> tuple:
    """Where a row stands: by model, then seed."""
    return MODELS.index(row["model"]), int(row["seed"])


def report(rows: list[dict]) -> list[dict]:
    """The ranges over the seeds, printed as a table and returned."""
    ranges = []
    print(f"{'':14}" + "".join(f"{key:>18}" for key in HEAD[2:]))
    for model in dict.fromkeys(row["model"] for row in rows):
        own = [row for row in rows if row["model"] == model]
        entry = {"model": model, "seeds": len(own)}
        for key in HEAD[2:]:
            values = sorted(float(row[key]) for row in own)
            entry[key] = None if math.isnan(values[0]) else (values[0], values[-1])
        ranges.append(entry)
        cells = ("–" if v is None else f"{v[0]:.3g} – {v[1]:.3g}"
                 for k, v in entry.items() if k in HEAD[2:])  # fmt: skip
        print(f"{model:14}" + "".join(f"{cell:>18}" for cell in cells))
    return ranges


def run(
    seeds,
    seconds: float = 15.0,
    out: Path | None = None,
    only_read=False,
    models=MODELS,
):
    """Measure and merge into the file (or only read it); print the table and JSON."""
    torch.set_num_threads(1)
    out = out or (PUBLISHED if only_read else OUT)
    rows = read(out) if only_read or out.exists() else []
    if not only_read:
        Clock.now = staticmethod(time.process_time)  # other programs cost us nothing
        out.parent.mkdir(parents=True, exist_ok=True)
        for seed in seeds:
            for row in measure(seed, seconds, models):
                key = (row["model"], str(seed))
                rows = [r for r in rows if (r["model"], str(r["seed"])) != key] + [row]
                write(out, rows, HEAD, place)
                print(json.dumps(row), flush=True)
        rows = read(out)
        print(f"{out}: SHA-256 {hashlib.sha256(out.read_bytes()).hexdigest()}")
    print(json.dumps(report(rows)))


def main() -> None:
    """The digits alone."""
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=as_written)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=[*MODELS])
    parser.add_argument("--report", action="store_true")
    parser.add_argument("--out", type=Path, help="default: build/trilemma_digits.csv")
    options = parser.parse_args()
    run(options.seeds, options.seconds, options.out, options.report, options.models)


if __name__ == "__main__":
    main()
