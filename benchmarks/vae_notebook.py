"""The headline numbers of notebook 04 over several seeds.

    python -m benchmarks.vae_notebook --seeds 0-2
    python -m benchmarks.vae_notebook --seeds 0-2 --parts vae

The notebook's own recipes, with other seeds for the first weights and the minibatches:
``vae`` is the model of section 4 (50 latents, 8 epochs), the latents that it uses, the
rarest class of its samples, and the priors of section 7 with what they do to edges;
``plane`` is that of section 5 with its holes; ``codes`` the VQ-VAE and MADE of section
8. About two and a half minutes of one core per seed; ``--epochs`` shortens it. One line
of JSON per seed; the last line is JSON, too: the smallest and the largest of each
number.
"""

import argparse
import json
import math
import time

import torch
from torch.distributions import Normal, kl_divergence

from course_utils.data import load_mnist
from course_utils.scores import digit_scores
from course_utils.training import last, seeded
from course_utils.vae import VAE, binarise, train_vae
from course_utils.vae.code_prior import MADE, train_made
from course_utils.vae.codes import VQVAE, train_vq_vae
from course_utils.vae.prior import (
    MixturePrior,
    bound_with,
    learn_prior,
    split_kl,
    used_latents,
)


@torch.no_grad()
def mean_elbo(model, test) -> float:
    """Over all test digits, one z each."""
    with seeded(0):
        parts = [model.elbo(rows).elbo for rows in test.split(1000)]
    return torch.stack(parts).mean().item()


@torch.no_grad()
def mass_in_holes(model, test) -> float:
    """Prior mass of the places to which p(z) gives more than three times q(z)."""
    ticks, q = torch.linspace(-4.5, 4.5, 91), model.encode(test)
    normal = Normal(q.mean[..., None], q.stddev[..., None])
    first, second = normal.log_prob(ticks).exp().unbind(1)
    side = Normal(0.0, 1.0).log_prob(ticks).exp()
    prior = torch.outer(side, side)
    hole = prior > 3 * (second.T @ first) / len(test)
    return (prior[hole].sum() * 0.1**2).item()


def edge_energy(images) -> float:
    """Mean squared difference of neighbouring pixels, across plus down."""
    images = images.view(-1, 28, 28)
    across, down = images.diff(dim=1).square(), images.diff(dim=2).square()
    return (across.mean() + down.mean()).item()


def digits(seed: int, epochs: int) -> dict:
    """Sections 4, 6 and 7."""
    (grey, labels), test_grey = load_mnist("train"), load_mnist("test")[0]
    train, test = grey.flatten(1), binarise(test_grey, seed=0)
    model = VAE(784, 50, hidden=(500, 500), seed=seed)
    model.begin_at_mean_of(train)
    recipe = {"learning_rate": 5e-3, "kl_warm_up": 0.5, "seed": seed, "n_states": 1}
    last(train_vae(model, train[:59_000], epochs, **recipe))
    with torch.no_grad(), seeded(seed):
        q = model.encode(test)
        z, noise = q.sample(), torch.randn(len(test), 50)
        bits = binarise(grey, seed=3, dtype=torch.bool)
        codes = torch.cat([model.encode(x).sample() for x in bits.split(5000)])
        rebuilt = model.decode(z).mean
    kl = kl_divergence(q, model.prior)
    says, misses = split_kl(q.mean, 2 * q.stddev.log(), z)
    used = used_latents(kl)
    numbers = {
        "elbo": mean_elbo(model, test),
        "latents_used": len(used),
        "kl": kl.sum(dim=1).mean().item(),
        "says": says.mean().item(),
        "misses": misses.mean().item(),
        "edges_real": edge_energy(test_grey.flatten(1) / 255),
        "edges_rebuilt": edge_energy(rebuilt),
        "d2_rebuilt": digit_scores(rebuilt).frechet,
    }
    ways = {
        "normal": lambda: MixturePrior.standard(50),
        "class_1": lambda: learn_prior(codes, 1, labels=labels, used=used),
        "class_10": lambda: learn_prior(codes, 10, labels=labels, used=used),
        "free_100": lambda: learn_prior(codes, 100, used=used),
    }
    few = codes[:20_000]
    for k in (1, 3, 10, 30, 100, 300):
        ways[f"few_{k}"] = lambda k=k: learn_prior(few, k, used=used)
    for name, make in ways.items():
        begin = time.process_time()
        prior = make()
        numbers[f"{name}_seconds"] = time.process_time() - begin
        with torch.no_grad(), seeded(seed):
            drawn = model.decode(prior.sample(10_000)).mean
        scores, bound = digit_scores(drawn), bound_with(model, test, prior, noise)
        numbers[f"{name}_d2"] = scores.frechet
        numbers[f"{name}_clear"] = scores.confident
        numbers[f"{name}_bound"] = bound.mean().item()
        numbers[f"{name}_rarest"] = scores.min_share
        numbers[f"{name}_edges"] = edge_energy(drawn)
    return numbers


def plane(seed: int, epochs: int) -> dict:
    """The two latents of section 5, and their holes (section 6)."""
    train, test = load_mnist("train")[0].flatten(1), load_mnist("test")[0]
    test = binarise(test, seed=0)
    model = VAE(784, 2, hidden=(300, 300), seed=seed)
    model.begin_at_mean_of(train)
    options = {"learning_rate": 3e-3, "seed": seed, "n_states": 1}
    last(train_vae(model, train, max(1, epochs // 2), **options))
    return {
        "plane_elbo": mean_elbo(model, test),
        "plane_holes": mass_in_holes(model, test),
    }


def codes(seed: int, epochs: int) -> dict:
    """Section 8: the bits, and MADE as their prior."""
    grey, test = load_mnist("train")[0], binarise(load_mnist("test")[0], seed=0)
    model = VQVAE(784, 64, 2, 1, hidden=(512, 256), seed=seed)
    train = grey.flatten(1)
    model.begin_with_bits(train)
    recipe = {"dynamic": True, "restart": False, "falling": True, "seed": seed}
    begin = time.process_time()
    last(train_vq_vae(model, train, epochs=3 * epochs / 8, **recipe))
    bits = binarise(grey, seed=3, dtype=torch.bool)
    bits = torch.cat([model.codes(x) for x in bits.split(5000)])
    made = MADE(64, units=8, seed=seed)
    last(train_made(made, bits, epochs=epochs / 2, seed=seed))
    spent = time.process_time() - begin
    with torch.no_grad():
        of_test = [model.codes(x) for x in test.split(1000)]
        pairs = zip(test.split(1000), of_test, strict=True)
        given = torch.cat([model.decode(c).log_prob(x).sum(1) for x, c in pairs])
        learned = made.log_prob(torch.cat(of_test)).mean().item()
        drawn = made.sample(10_000, torch.Generator().manual_seed(seed))
        scores = digit_scores(model.decode(drawn.long()).mean)
    given = given.mean().item()
    return {
        "codes_given": given,
        "codes_learned": learned,
        "codes_bound": given + learned,
        "codes_uniform": given - 64 * math.log(2),
        "codes_d2": scores.frechet,
        "codes_clear": scores.confident,
        "codes_seconds": spent,
    }


PARTS = {"vae": digits, "plane": plane, "codes": codes}


def main() -> None:
    """Measure, print, and end with one line of JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", default="0-2", help="first-last")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--parts", default=",".join(PARTS))
    options = parser.parse_args()
    torch.set_num_threads(1)
    first, final = map(int, options.seeds.split("-"))
    rows = []
    for seed in range(first, final + 1):
        numbers = {}
        for part in options.parts.split(","):
            numbers |= PARTS[part](seed, options.epochs)
        rows.append({name: round(value, 4) for name, value in numbers.items()})
        print(json.dumps({"seed": seed} | rows[-1]), flush=True)
    span = {n: [min(r[n] for r in rows), max(r[n] for r in rows)] for n in rows[0]}
    print(json.dumps(span))


if __name__ == "__main__":
    main()
