"""GANs on the ring of eight, on the 5 × 5 grid and on digits, by published protocols.

    python -m benchmarks.gan --data ring --loss sighted --seconds 30 --seed 0
    python -m benchmarks.gan --data grid --loss non_saturating --steps 5000 --seeds 0-4
    python -m benchmarks.gan --data mnist --loss sighted --steps 6000 --seed 0
    python -m benchmarks.gan --data mnist --steps 5000 --keep  # the full run of 05

``--loss`` is a name in ``course_utils.gan.LOSSES``, ``packing`` (non-saturating, packs
of two) or ``sighted`` (the notebook's recipe; for mnist its recipe for digits). In the
plane, ``relativistic`` is that recipe with a blind D and a constant penalty, and
``wasserstein`` takes 5 steps of D; the others take the defaults of ``train_gan``. Ring
and grid as in PacGAN (Lin et al. 2018): ring of radius 1 with standard deviation 0.01,
grid {−4, −2, 0, 2, 4}² with 0.05; modes and quality from 2500 samples. The spread in a
mode is over the true one, from 20 000 samples, like ``rkl_20000``: from 2500 a perfect
sampler has a reverse KL of about (modes − 1) / 5000, 0.0014 and 0.0048. For mnist
10 000 samples are scored by the small classifier of the course, beside the test digits;
``floor`` is the distance of 10 000 training digits. ``--seconds`` is wall time of
training on one thread, ``--steps`` counts rounds of the algorithm. The last line is
JSON: a dictionary for one seed, a list for several.

``--keep`` (mnist only) rounds the weights of G to 16 bits, scores what was rounded, and
writes it with recipe, steps, seed and scores to ``build/gan_digits.safetensors``. To
publish it, copy the file to ``data/`` and put its SHA-256 into ``course_utils.data``.
"""

import argparse
import hashlib
import json
import time
from pathlib import Path

import torch

from course_utils.coverage import mode_coverage
from course_utils.data import (
    DATA_DIR,
    grid_of_gaussians,
    load_mnist,
    ring_of_gaussians,
)
from course_utils.files import write_model
from course_utils.gan import (
    DIGIT_DISCRIMINATOR,
    DIGIT_GENERATOR,
    DIGIT_RECIPE,
    LOSSES,
    SIGHTED,
    SIGHTED_DISCRIMINATOR,
    Discriminator,
    Generator,
    train_gan,
)
from course_utils.gan.recipes import FULL_RUN
from course_utils.scores import digit_scores, frechet_floor
from course_utils.vae.training import has_fast_bf16

OUT = DATA_DIR.parent / "build" / FULL_RUN
NAMES = (*LOSSES, "packing", "sighted")
RECIPES = {
    "packing": {"loss": "non_saturating"},
    "relativistic": SIGHTED | {"penalty": 0.03, "decay": True},
    "sighted": SIGHTED,
    "wasserstein": {"loss": "wasserstein", "k": 5},
}


def mixture(name: str):
    """The ring or the grid of PacGAN."""
    if name == "ring":
        return ring_of_gaussians(n_modes=8, radius=1.0, sigma=0.01)
    return grid_of_gaussians(n=5, spacing=2.0, sigma=0.05)


def toy(options, seed: int) -> dict:
    """Train on a mixture in the plane, and count modes."""
    data = mixture(options.data)
    scale = data.stddev.mean().item()
    eyes = SIGHTED_DISCRIMINATOR if options.loss == "sighted" else {}
    pack = 2 if options.loss == "packing" else 1
    generator = Generator(scale=scale, seed=seed)
    discriminator = Discriminator(scale=scale, pack=pack, seed=seed + 1, **eyes)
    recipe = RECIPES.get(options.loss, {"loss": options.loss})
    last = train(generator, discriminator, data, options, recipe, seed)
    measure = (data.centres, data.sigma)
    found = mode_coverage(generator.sample(2500, seed), *measure)
    many = mode_coverage(generator.sample(20_000, seed + 1), *measure)
    known = many.spread[~many.spread.isnan()]
    return last | {
        "modes": found.modes,
        "strict": found.strict,
        "hq": round(found.high_quality, 4),
        "rkl": round(found.reverse_kl, 4),
        "rkl_20000": round(many.reverse_kl, 4),
        "spread_min": round(known.min().item(), 3) if len(known) else None,
        "spread_mean": round(known.mean().item(), 3) if len(known) else None,
        "spread_max": round(known.max().item(), 3) if len(known) else None,
    }


def digits(options, seed: int) -> dict:
    """Train on MNIST, and score 10 000 digits."""
    images = load_mnist("train")[0].flatten(1)
    generator = Generator(**DIGIT_GENERATOR, seed=seed)
    generator.begin_at_mean_of(images)
    discriminator = Discriminator(**DIGIT_DISCRIMINATOR, seed=seed + 1)
    plain = {"loss": options.loss, "learning_rate": 2e-4, "betas": (0.5, 0.999)}
    recipe = DIGIT_RECIPE if options.loss == "sighted" else plain
    recipe = recipe | {"bf16": has_fast_bf16()}
    last = train(generator, discriminator, images, options, recipe, seed)
    if options.keep:
        generator.half().float()
    scores = digit_scores(generator.sample(10_000, seed))
    last |= {
        "classes": scores.classes,
        "min_share": round(scores.min_share, 4),
        "confident": round(scores.confident, 4),
        "frechet": round(scores.frechet, 2),
        "floor": round(frechet_floor(), 2),
    }
    if options.keep:
        keep(generator, {"recipe": recipe, **last}, options.out)
    return last


def keep(generator, notes: dict, path) -> None:
    """Write G in 16 bits, with what it was made by."""
    path.parent.mkdir(exist_ok=True)
    settings = {"generator": generator.settings, "notes": notes}
    halves = {name: value.half() for name, value in generator.state_dict().items()}
    write_model(path, settings, halves)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    print(f"{path.name}: {path.stat().st_size} bytes, SHA-256 {digest}")


def train(generator, discriminator, data, options, recipe: dict, seed: int) -> dict:
    """Run to the end; what it took."""
    budget = {"steps": options.steps or 1, "seconds": options.seconds, "seed": seed}
    begin = time.process_time()
    states = train_gan(
        generator, discriminator, data, n_states=4, snapshots=False, **budget, **recipe
    )
    last = list(states)[-1]
    return {
        "data": options.data,
        "loss": options.loss,
        "seed": seed,
        "steps": last.step,
        "train_seconds": round(last.seconds, 1),
        "cpu_seconds": round(time.process_time() - begin, 1),
    }


def main() -> None:
    """Measure, print, and end with one line of JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", choices=("ring", "grid", "mnist"), required=True)
    parser.add_argument("--loss", choices=NAMES, default="sighted")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seeds", help="first-last, such as 0-9, instead of --seed")
    parser.add_argument("--keep", action="store_true", help="write G of mnist, 16 bits")
    parser.add_argument("--out", type=Path, default=OUT, help="where --keep writes it")
    options = parser.parse_args()
    if options.keep and (options.data != "mnist" or options.seeds):
        parser.error("--keep is for --data mnist and one seed")
    if (options.steps is None) == (options.seconds is None):
        parser.error("give either --steps or --seconds")
    torch.set_num_threads(1)
    seeds = [options.seed]
    if options.seeds:
        first, last = map(int, options.seeds.split("-"))
        seeds = range(first, last + 1)
    results = []
    for seed in seeds:
        results.append((digits if options.data == "mnist" else toy)(options, seed))
        if options.seeds:
            print(json.dumps(results[-1]), flush=True)
    print(json.dumps(results if options.seeds else results[0]))


if __name__ == "__main__":
    main()
