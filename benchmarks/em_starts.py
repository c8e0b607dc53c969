"""Many starts on small data, beside scikit-learn's ``n_init``.

    python -m benchmarks.em --starts    some minutes; the last line is JSON

``restarts`` and scikit-learn's ``GaussianMixture(n_init=…)`` get the same data, number
of starts, floor, tolerance and greatest number of iterations, and choose their own
starts: scikit-learn by k-means, as it does by default. Times are processor time, the
least over the seeds; both run in turns in one process on one thread. ``lost`` is how
far, over all seeds, our best log-likelihood lies below scikit-learn's, in nats per
example; ``won`` how far above.
"""

import statistics
import time
import warnings
from dataclasses import dataclass

import torch
from sklearn.mixture import GaussianMixture as ScikitMixture

from course_utils.data import (
    load_galton_heights,
    load_old_faithful,
    ring_of_gaussians,
)
from course_utils.mixture import restarts

OPTIONS = {"tolerance": 1e-5, "max_iterations": 200}


@dataclass(frozen=True)
class Race:
    """One row: seconds of both, and the differences of their best log-likelihoods."""

    name: str
    scikit_s: list[float]
    ours_s: list[float]
    differences: list[float]  # ours − scikit-learn's, one for each seed

    @property
    def ratio(self) -> float:
        """How many times quicker than scikit-learn."""
        return min(self.scikit_s) / min(self.ours_s)

    @property
    def lost(self) -> float:
        """The worst seed: how far we stay below scikit-learn."""
        return max(0.0, -min(self.differences))

    def __str__(self):
        won = max(0.0, *self.differences)
        return (
            f"{self.name:>26} {min(self.scikit_s):10.3f} {min(self.ours_s):8.3f} "
            f"{self.ratio:7.1f}x {self.lost:10.1e} {won:10.1e}"
        )


def small_data():
    """``(name, x, k, floor)``: the data of notebook 02 and their like."""
    geyser, height = load_old_faithful(), load_galton_heights().height[:, None].double()
    torch.manual_seed(0)
    ring = ring_of_gaussians()
    few, many = ring.sample((400,)).double(), ring.sample((2000,)).double()
    normal = torch.randn(1000, 1, dtype=torch.float64)
    flat = 6 * torch.rand(500, 1, dtype=torch.float64) - 2
    line = torch.cat([normal, 3 + 0.3 * normal[:500], flat])
    turn = torch.special.ndtr(torch.randn(1500, dtype=torch.float64))
    angle = 3.5 * torch.pi * turn
    spiral = (0.4 + 2.2 * turn)[:, None] * torch.stack([angle.cos(), angle.sin()], 1)
    spiral += 0.12 * torch.randn(1500, 2, dtype=torch.float64)
    yield from (("Old Faithful", geyser, k, 1e-6) for k in (2, 3, 4))
    yield "Galton", height, 2, 1e-6
    yield from (("ring", x, 8, 1e-4) for x in (few, many))
    yield from (("line", line, k, 1e-3) for k in (4, 16))
    yield "spiral", spiral, 8, 1e-4


def race(name, x, k, floor, n_starts, seeds) -> Race:
    """Both from ``n_starts`` starts, for each seed."""
    theirs, ours, differences = [], [], []
    for seed in seeds:
        estimator = ScikitMixture(
            k,
            n_init=n_starts,
            tol=OPTIONS["tolerance"],
            max_iter=OPTIONS["max_iterations"],
            reg_covar=floor,
            random_state=seed,
        )
        generator = torch.Generator().manual_seed(seed)
        before = time.process_time()
        estimator.fit(x.numpy())
        between = time.process_time()
        options = {"generator": generator, "covariance_floor": floor, **OPTIONS}
        best = restarts(x, k, n_starts, **options)[0]
        theirs.append(between - before)
        ours.append(time.process_time() - between)
        differences.append(best.log_likelihood - estimator.score(x.numpy()))
    return Race(f"{name} {len(x)}, {k}, {n_starts}", theirs, ours, differences)


def many_starts(seeds: int = 3) -> dict:
    """Print the table; return what the JSON line says of it."""
    warnings.simplefilter("ignore")  # of scikit-learn: a start has not converged
    print(
        f"{'data n, k, starts':>26} {'scikit s':>10} {'ours s':>8} {'ratio':>8} ",
        end="",
    )
    print(f"{'lost':>10} {'won':>10}")
    x = load_old_faithful()
    restarts(x, 2, 2)  # both have run once before the clock does
    ScikitMixture(2).fit(x.numpy())
    rows = []
    for name, x, k, floor in small_data():
        for n_starts in (20, 40):
            rows.append(race(name, x, k, floor, n_starts, range(seeds)))
            print(rows[-1], flush=True)
    differences = [value for row in rows for value in row.differences]
    return {
        "starts_geomean": round(statistics.geometric_mean(r.ratio for r in rows), 2),
        "starts_min_ratio": round(min(row.ratio for row in rows), 2),
        "starts_lost": max(row.lost for row in rows),
        "starts_better": sum(value > 1e-5 for value in differences),
        "starts_worse": sum(value < -1e-5 for value in differences),
        "starts_runs": len(differences),
    }
