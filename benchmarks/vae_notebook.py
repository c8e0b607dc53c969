"""The headline numbers of notebook 04 over several seeds.

    python -m benchmarks.vae_notebook --seeds 0-2

The notebook's own recipes, with other seeds for the first weights and the minibatches:
the VAE of section 4 (50 latents, 12 epochs) with its linear probe, the latents that it
uses and the rarest class of its samples; the plane of section 5 with its holes; the
ring of section 6; the VQ-VAE of section 9. About three minutes of one core per seed;
``--epochs`` shortens it. One line of JSON per seed; the last line is JSON, too: the
smallest and the largest of each number.
"""

import argparse
import json

import torch
from torch.distributions import Normal
from torch.nn import functional as F

from course_utils.data import load_mnist, ring_of_gaussians
from course_utils.scores import digit_scores
from course_utils.training import seeded
from course_utils.vae import VAE, binarise, train_vae
from course_utils.vae.codes import VQVAE, train_vq_vae

USED = 0.05  # nats of mean KL from which a latent counts as used


def trained(model, x, epochs, seed, **options):
    """The model after the last state of its training."""
    for _ in train_vae(model, x, epochs, seed=seed, n_states=1, **options):
        pass
    return model


@torch.no_grad()
def mean_elbo(model, test) -> float:
    """Over all test digits, one z each."""
    with seeded(0):
        parts = [model.elbo(rows).elbo for rows in test.split(1000)]
    return torch.stack(parts).mean().item()


def accuracy(features, labels, new_features, new_labels, ridge=3.0) -> float:
    """Of a linear classifier by ridge regression on one-hot labels."""
    x, new = (F.pad(rows, (0, 1), value=1.0) for rows in (features, new_features))
    gram = x.T @ x + ridge * torch.eye(x.shape[1])
    weights = torch.linalg.solve(gram, x.T @ F.one_hot(labels).float())
    return ((new @ weights).argmax(1) == new_labels).float().mean().item()


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


def digits(seed: int, epochs: int) -> dict:
    """Sections 4, 5 and 7."""
    (grey, labels), (test_grey, test_labels) = load_mnist("train"), load_mnist("test")
    train, test = grey.flatten(1)[:59_000], binarise(test_grey, seed=0)
    model = VAE(784, 50, hidden=(500, 500), seed=seed)
    model.begin_at_mean_of(train)
    trained(model, train, epochs, seed, learning_rate=5e-3, kl_warm_up=0.5)
    few = binarise(grey[:5000], seed=1)
    with torch.no_grad(), seeded(seed):
        codes = model.encode(few).mean, labels[:5000], model.encode(test).mean
        kl = torch.cat([model.terms(rows)[1] for rows in test.split(1000)]).mean(0)
        drawn = model.decode(model.prior.sample((10_000,))).mean
    plane = VAE(784, 2, hidden=(300, 300), seed=seed)
    plane.begin_at_mean_of(train)
    trained(plane, train, max(1, epochs // 3), seed, learning_rate=3e-3)
    return {
        "elbo": mean_elbo(model, test),
        "probe_means": accuracy(*codes, test_labels),
        "probe_pixels": accuracy(few, labels[:5000], test, test_labels),
        "latents_used": int((kl > USED).sum()),
        "kl": kl.sum().item(),
        "rarest_class": digit_scores(drawn).min_share,
        "plane_elbo": mean_elbo(plane, test),
        "plane_holes": mass_in_holes(plane, test),
    }


def ring(seed: int) -> dict:
    """Section 6."""
    modes = ring_of_gaussians()
    with seeded(seed):
        points = modes.sample((5000,))
    model = VAE(2, 2, hidden=(64, 64), likelihood="normal", seed=seed)
    options = {"learning_rate": 4e-3, "kl_warm_up": 0.5, "bf16": False}
    trained(model, points, 150, seed, **options)
    with seeded(seed):
        distance = torch.cdist(model.sample(2000), modes.centres).amin(dim=1)
        bound = model.iwae(modes.sample((2000,)), k=100).mean().item()
    near = (distance < 3 * modes.sigma).float().mean().item()
    return {"ring_near": near, "ring_bound": bound}


def codebook(seed: int, epochs: int) -> dict:
    """Section 9: nats per training digit with the price of the code, and codes used."""
    images = binarise(load_mnist("train")[0][:20_000], seed=2)
    model = VQVAE(784, positions=16, n_codes=64, code_dim=2, seed=seed)
    *_, last = train_vq_vae(model, images, epochs=max(6, 3 * epochs // 4), seed=seed)
    price = 16 * torch.tensor(64.0).log().item()
    return {"vq": last.reconstruction - price, "vq_perplexity": last.perplexity}


def main() -> None:
    """Measure, print, and end with one line of JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", default="0-2", help="first-last")
    parser.add_argument("--epochs", type=int, default=12)
    options = parser.parse_args()
    torch.set_num_threads(1)
    first, last = map(int, options.seeds.split("-"))
    rows = []
    for seed in range(first, last + 1):
        numbers = digits(seed, options.epochs) | ring(seed)
        numbers |= codebook(seed, options.epochs)
        rows.append({name: round(value, 4) for name, value in numbers.items()})
        print(json.dumps({"seed": seed} | rows[-1]), flush=True)
    span = {n: [min(r[n] for r in rows), max(r[n] for r in rows)] for n in rows[0]}
    print(json.dumps(span))


if __name__ == "__main__":
    main()
