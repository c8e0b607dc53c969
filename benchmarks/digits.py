"""Digits from learned priors and from words, in a minute or two of one core.

    python -m benchmarks.digits --seconds 60 --seed 0

Four parts, each in ``--seconds`` of processor time on one thread, everything included
but reading and scoring:

1. the VAE of notebook 04, then ten Gaussians for each class by EM on draws of
   q(z | x): ``d2_normal`` and ``bound_normal`` with its N(0, I), ``d2_mixture`` and
   ``bound_mixture`` with the mixture behind the same encoder and decoder;
2. an auto-encoder with weak KL and twenty Gaussians for each class: ``d2_best``,
   ``confident_best``;
3. the same without labels, one mixture for all digits: ``d2_best_unlabelled``;
4. the same auto-encoder and a denoiser that is told words: ``d2_words`` at guidance ½,
   ``words_right`` at guidance 1, the share of samples in which class and all words that
   were asked for came out.

d² is the Fréchet distance of 10 000 samples (means of the decoder) to the test digits;
between two sets of real digits it is 3.4. The bounds are E_q[log p(x | z) + log p(z) −
log q(z | x)] in nats on the 10 000 binarised test digits, from one z each, the same for
both priors. Asked for are the descriptions of 10 000 training digits. ``mib`` is the
largest size of the process. The last line is JSON. How many steps fit into the time
depends on the machine, so digits after the point do, too.
"""

import argparse
import json
import sys
import time

import torch

from course_utils.beyond.guidance import draw_guided, latent_denoiser, train_latent
from course_utils.beyond.latents import (
    codes_of,
    decode_digits,
    digit_autoencoder,
    digits_of,
    train_autoencoder,
)
from course_utils.beyond.priors import fit_by_class, fit_mixture, whole
from course_utils.beyond.words import WORDS, Describer, words_of_codes
from course_utils.data import load_mnist
from course_utils.descent import Clock
from course_utils.scores import digit_scores
from course_utils.training import last, seeded
from course_utils.vae import VAE, binarise, kl_to_standard_normal, train_vae
from course_utils.vae.prior import MixturePrior, bound_with, used_latents

N = 10_000
# what part of the time goes to the auto-encoder; the prior has the rest
SHARES = {"vae": 0.85, "labelled": 0.85, "unlabelled": 0.7, "words": 0.5}
PER_CLASS = 20


class Budget:
    """``seconds`` of processor time from now on."""

    def __init__(self, seconds: float):
        self.seconds, self.begin = seconds, time.process_time()

    @property
    def left(self) -> float:
        """Seconds that are left, at least a little."""
        return max(0.01, self.begin + self.seconds - time.process_time())


def digits(split: str):
    """Grey levels ``(n, 784)`` and labels."""
    images, labels = load_mnist(split)
    return images.flatten(1), labels


def score(name: str, images):
    """``digit_scores``, said aloud."""
    found = digit_scores(images)
    print(f"{name}: {found}, sure of {100 * found.confident:.1f} %", flush=True)
    return found


def autoencoder(grey, part: str, budget: Budget, seed: int):
    """The auto-encoder of a part, trained for its share; the codes of all digits."""
    model = digit_autoencoder(grey, seed)
    seconds = SHARES[part] * budget.seconds
    state = last(train_autoencoder(model, grey, seconds=seconds, seed=seed))
    print(f"{part}: auto-encoder, {state}", flush=True)
    return model, codes_of(model, grey)


def part_vae(seconds: float, seed: int) -> dict:
    """One VAE, two priors."""
    grey, labels = digits("train")
    budget = Budget(seconds)
    vae = VAE(784, 50, (500, 500), seed=seed)
    vae.begin_at_mean_of(grey)
    options = {"learning_rate": 5e-3, "kl_warm_up": 0.5, "seed": seed}
    share = SHARES["vae"] * seconds
    state = last(train_vae(vae, grey, seconds=share, **options))
    print(f"vae: {state}", flush=True)
    z, kl = draws_of_q(vae, grey)
    columns = used_latents(kl) or (0, 1)  # after a second of training none is used
    mixture = fit_by_class(z[:, columns], labels, 10, 20, budget.left, seed)
    learned = MixturePrior(mixture, columns, 50)
    test = binarise(digits("test")[0])
    noise = torch.randn(len(test), 50, generator=torch.Generator().manual_seed(seed))
    found = {}
    for name, prior in (("normal", None), ("mixture", learned)):
        with seeded(seed):
            z = torch.randn(N, 50) if prior is None else prior.sample(N)
        found[f"d2_{name}"] = score(name, decode_digits(vae, z)).frechet
        bound = bound_with(vae, test, prior, noise).mean().item()
        found[f"bound_{name}"] = bound
    return found


@torch.no_grad()
def draws_of_q(vae, grey) -> tuple[torch.Tensor, torch.Tensor]:
    """One z of q(z | x) for each digit, and the KL of each latent."""
    drawn, kls = [], []
    for index, rows in enumerate(grey.split(2000)):
        mu, logvar = vae.encoder.parameters_of_q(binarise(rows, seed=index))
        drawn.append(mu + (0.5 * logvar).exp() * torch.randn_like(mu))
        kls.append(kl_to_standard_normal(mu, logvar))
    return torch.cat(drawn), torch.cat(kls)


def part_labelled(seconds: float, seed: int) -> dict:
    """The best auto-encoder and a mixture for each class."""
    grey, labels = digits("train")
    budget = Budget(seconds)
    model, z = autoencoder(grey, "labelled", budget, seed)
    mixture = fit_by_class(z, labels, PER_CLASS, 40, budget.left, seed)
    drawn = digits_of(model, whole(mixture), N, seed)
    found = score("labelled", drawn)
    return {"d2_best": found.frechet, "confident_best": found.confident}


def part_unlabelled(seconds: float, seed: int) -> dict:
    """The same, without labels: one mixture for all digits."""
    grey, _ = digits("train")
    budget = Budget(seconds)
    model, z = autoencoder(grey, "unlabelled", budget, seed)
    mixture = fit_mixture(z, 120, 60, budget.left, seed)
    found = score("unlabelled", digits_of(model, whole(mixture), N, seed))
    return {"d2_best_unlabelled": found.frechet}


def part_words(seconds: float, seed: int) -> dict:
    """Words to digits, with guidance."""
    grey, labels = digits("train")
    budget = Budget(seconds)
    model, z = autoencoder(grey, "words", budget, seed)
    describer = Describer.of(grey, labels)
    learned = words_of_codes(describer, model, z, labels)
    denoiser = latent_denoiser(z, len(WORDS), seed)
    state = last(train_latent(denoiser, z, learned, seconds=budget.left, seed=seed))
    print(f"words: denoiser, {state}", flush=True)
    random = torch.Generator().manual_seed(seed)
    rows = torch.randperm(len(grey), generator=random)[:N]
    asked = describer.bags(grey[rows], labels[rows])
    found = {}
    for guidance in (0.5, 1.0):
        drawn = decode_digits(
            model, draw_guided(denoiser, asked, guidance, generator=random)
        )
        right = describer.right(drawn, asked).all(dim=1).float().mean().item()
        print(f"guidance {guidance:g}: words right {100 * right:.1f} %", flush=True)
        found[guidance] = score(f"guidance {guidance:g}", drawn).frechet, right
    return {"d2_words": found[0.5][0], "words_right": found[1.0][1]}


PARTS = {
    "vae": part_vae,
    "labelled": part_labelled,
    "unlabelled": part_unlabelled,
    "words": part_words,
}


def peak_mib() -> float | None:
    """The largest size of this process so far, in MiB; None where nobody knows."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2 ** (20 if sys.platform == "darwin" else 10)


def main() -> None:
    """Run the parts, print, end with one line of JSON."""
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=as_written)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=[*PARTS])
    options = parser.parse_args()
    if not 0 < options.seconds < float("inf"):
        parser.error(f"--seconds must be positive, got {options.seconds}")
    torch.set_num_threads(1)
    Clock.now = staticmethod(time.process_time)  # other programs cost us nothing
    result = {"seconds": options.seconds, "seed": options.seed}
    for part in options.parts:
        torch.manual_seed(options.seed)
        result |= PARTS[part](options.seconds, options.seed)
        print(f"{part}: {peak_mib()} MiB so far", flush=True)
    result["mib"] = peak_mib()
    rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in result.items()}
    print(json.dumps(rounded))


if __name__ == "__main__":
    sys.exit(main())
