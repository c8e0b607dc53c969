"""EM side by side with scikit-learn: time per iteration, peak memory, same numbers.

    python -m benchmarks.em           27 cases, some minutes, 3 GB for scikit-learn
    python -m benchmarks.em --quick   three cases in less than half a minute
    python -m benchmarks.em --starts  many starts on small data (``em_starts``)
    python -m benchmarks.em --many    100 and 200 Gaussians, 60 000 examples, 32-D

Both run in one process on one thread, one iteration of each in turn, from the same
start. Times are processor time, medians over the iterations after the first. Extra
memory is the peak over what the process held before (Linux only). The last line is
JSON: ``geomean``, ``min_ratio`` and ``extra_mb`` over the cases with n >= 1e5,
``ratio_1e6_50`` the least with n = 1e6 and k = 50, ``max_trace_error`` over all.
"""

import argparse
import ctypes
import json
import math
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from sklearn.mixture import GaussianMixture as ScikitMixture
from threadpoolctl import threadpool_limits

from benchmarks.em_starts import many_starts
from course_utils.mixture import (
    GaussianMixture,
    em,
    kmeans_plus_plus,
    random_centres,
    restarts,
    start_at,
)

FLOOR = 1e-6
CASES = [
    (n, d, k) for n in (1000, 10**5, 10**6) for d in (1, 2, 16) for k in (3, 10, 50)
]
QUICK = [(10**5, 1, 10), (10**5, 2, 50), (10**5, 16, 10)]


@dataclass(frozen=True)
class Result:
    """One row of the table: milliseconds per iteration, megabytes, agreement."""

    name: str
    n: int
    k: int
    scikit_ms: float
    ours_ms: float
    scikit_mb: float
    ours_mb: float
    trace_error: float

    @property
    def ratio(self) -> float:
        """How many times quicker than scikit-learn."""
        return self.scikit_ms / self.ours_ms

    def __str__(self):
        return (
            f"{self.name:>14} {self.scikit_ms:10.2f} {self.ours_ms:9.2f} "
            f"{self.ratio:7.1f}x {self.scikit_mb:9.1f} {self.ours_mb:8.1f} "
            f"{self.trace_error:10.1e}"
        )


def main() -> None:
    """Print the table and the JSON line."""
    parser = argparse.ArgumentParser(description="EM beside scikit-learn")
    parser.add_argument("--quick", action="store_true", help="three cases")
    parser.add_argument("--starts", action="store_true", help="many starts, small data")
    parser.add_argument("--many", action="store_true", help="many Gaussians in 32-D")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.many:
        many_gaussians()
        return
    if arguments.starts:
        with threadpool_limits(1):
            print(json.dumps(many_starts()))
        return
    quick = arguments.quick
    print(f"{'n,d,k':>14} {'scikit ms':>10} {'ours ms':>9} {'ratio':>8} ", end="")
    print(f"{'scikit MB':>9} {'ours MB':>8} {'difference':>10}")
    with threadpool_limits(1):
        results = [show(run(*case)) for case in (QUICK if quick else CASES)]
        hard = [show(run(20_000, d, 5, kind)) for kind in HARD for d in (2, 16)]
    print(json.dumps(summary(results, hard)))


def summary(results: list[Result], hard: list[Result]) -> dict:
    """The numbers of the JSON line; None where no case was run or measured."""
    large = [result for result in results if result.n >= 10**5]
    largest = [r.ratio for r in large if r.n == 10**6 and r.k == 50]
    memory = max(result.ours_mb for result in large)
    return {
        "geomean": round(statistics.geometric_mean(r.ratio for r in large), 2),
        "min_ratio": round(min(result.ratio for result in large), 2),
        "ratio_1e6_50": round(min(largest), 2) if largest else None,
        "max_trace_error": max(result.trace_error for result in results + hard),
        "extra_mb": None if math.isnan(memory) else round(memory, 1),
    }


def show(result: Result) -> Result:
    """Print one row as soon as it is measured."""
    print(result, flush=True)
    return result


def far(x):
    """The mean 1e4 standard deviations away from the origin."""
    return x + 1e4 * x.std(0)


def scaled(x):
    """Axes of very different scale, from 1e-3 to 1e3."""
    return x * torch.logspace(-3, 3, x.shape[1], dtype=torch.float64)


HARD = {"far": far, "scaled": scaled}


def run(n: int, d: int, k: int, kind: str = "") -> Result:
    """Measure one case: ``k`` overlapping groups in ``d`` dimensions."""
    generator = torch.Generator().manual_seed(0)
    centres = 2 * torch.randn(k, d, generator=generator, dtype=torch.float64)
    x = torch.randn(n, d, generator=generator, dtype=torch.float64)
    x += centres[torch.randint(k, (n,), generator=generator)]
    if kind:
        x = HARD[kind](x)
    floor = FLOOR if kind != "scaled" else 1e-12
    start = start_at(x[:1000], x[:k], covariance_floor=floor)
    iterations = 30 if n <= 20_000 else 8 if n < 10**6 else 2 if k * d > 500 else 4
    ours = (s.log_likelihood for s in em(x, start, floor, iterations, tolerance=0))
    theirs = scikit_log_likelihoods(x.numpy(), start, floor)
    ours_mb, first = peak_memory(lambda: next(ours))  # also the set-up
    scikit_mb, scikit_first = peak_memory(lambda: next(theirs))
    pairs, times = [(first, scikit_first)], []
    for _ in range(iterations):
        before = time.process_time()
        one = next(ours)
        between = time.process_time()
        pairs.append((one, next(theirs)))
        times.append((time.process_time() - between, between - before))
    scikit_ms, ours_ms = (1e3 * statistics.median(t) for t in zip(*times, strict=True))
    error = max(abs(a - b) / abs(b) for a, b in pairs)
    name = f"{kind or format(n, '.0e').replace('e+0', 'e')},{d},{k}"
    return Result(name, n, k, scikit_ms, ours_ms, scikit_mb, ours_mb, error)


def scikit_log_likelihoods(x, start: GaussianMixture, floor: float):
    """scikit-learn's EM from our start, one E-step and one M-step at a time."""
    estimator = ScikitMixture(start.k, reg_covar=floor)
    inverse = torch.linalg.inv(torch.linalg.cholesky(start.covariances))
    estimator.weights_, estimator.means_ = start.weights.numpy(), start.means.numpy()
    estimator.precisions_cholesky_ = inverse.mT.numpy()
    while True:
        log_likelihood, log_responsibilities = estimator._e_step(x)
        estimator._m_step(x, log_responsibilities)
        yield log_likelihood


def peak_memory(action) -> tuple[float, object]:
    """MB that ``action`` takes beyond what is held now, and its result."""
    status = Path("/proc/self/status")
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")  # forget the earlier peak
    except OSError:
        return math.nan, action()

    def field(name):
        return int(status.read_text().split(name + ":")[1].split()[0]) / 1024

    before = field("VmRSS")
    result = action()
    return field("VmHWM") - before, result


def many_gaussians(n: int = 60_000, d: int = 32) -> None:
    """Seconds and memory of each part with many full Gaussians in 32 dimensions."""
    generator = torch.Generator().manual_seed(0)
    centres = 2 * torch.randn(100, d, generator=generator, dtype=torch.float64)
    x = torch.randn(n, d, generator=generator, dtype=torch.float64)
    x += centres[torch.randint(100, (n,), generator=generator)]
    options = {"covariance_floor": 1e-3, "max_iterations": 5, "tolerance": 0.0}
    list(em(x[:500], start_at(x[:500], x[:3]), max_iterations=2))  # before the clock
    for k in (100, 200):
        start = start_at(x[:3000], x[:k], covariance_floor=1e-3)
        parts = {
            "k-means++ on 3000 rows": lambda k=k: kmeans_plus_plus(x[:3000], k),
            "start_at on 3000 rows": lambda k=k: start_at(x[:3000], x[:k]),
            "start_at on all": lambda k=k: start_at(x, x[:k]),
            "log_prob of all": lambda start=start: start.log_prob(x),
            "5 iterations of em": lambda start=start: list(em(x, start, **options)),
            "2 restarts, 3000 rows": lambda k=k: restarts(
                x, k, 2, random_centres, generator, rows=3000, **options
            ),
        }
        for name, part in parts.items():
            before = time.process_time()
            megabytes, _ = peak_memory(part)
            seconds = time.process_time() - before
            print(f"K = {k}, {name}: {seconds:.2f} s, {megabytes:.0f} MB", flush=True)


if __name__ == "__main__":
    main()
