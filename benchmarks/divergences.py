"""The fits and the slider of notebook 06 in milliseconds, and MMD² beside scikit-learn.

    python -m benchmarks.divergences            about half a minute, 2.5 GB for the peer
    python -m benchmarks.divergences --quick    MMD² with 2000 examples

One thread, processor time, medians. ``fits_ms`` is the time of three fits (KL, JSD,
MMD) to a mixture that a slider has just moved, each started at the last fit, on a grid
of 101 × 101 points; ``all_starts_ms`` the same with the reverse KL, all from three
starts. ``picture_ms`` is to put three fits into their panels and to make the PNG;
``redraw_ms`` the whole from the move of the slider: these three fits and the picture.
``slider_ms`` is a move of the slider of the notebook: four divergences, several starts.
``mmd_ratio`` is the time of scikit-learn's ``rbf_kernel`` over ours for MMD² with
n = m = 10 000 points in the plane, ``mmd_extra_mb`` the peak memory over what the
process held before (Linux only), ``mmd_error`` the difference of the two results.
``mmd_blocks_…`` are the same in ten dimensions, where every pair is visited. The last
line is JSON.
"""

import argparse
import json
import math
import statistics
import time

import torch
from sklearn.metrics.pairwise import rbf_kernel
from threadpoolctl import threadpool_limits

from benchmarks.em import peak_memory
from course_utils.divergences import fit_isotropic_gaussian, mmd2_biased, pictures
from course_utils.interactive import explore
from course_utils.training import setup

THREE = ("forward_kl", "js", "mmd")
MOVES = [0.5 * step for step in (3, 4, 5, 6, 7, 8, 9, 10, 9, 8, 7, 6, 5, 4, 3, 2)]


def main() -> None:
    """Print what is measured, then one line of JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    n = 2000 if parser.parse_args().quick else 10_000
    setup()
    with threadpool_limits(1):
        result = sliders() | discrepancy(n, d=2) | discrepancy(n, d=10)
    print(json.dumps(result | {"n": n}))


def milliseconds(work) -> float:
    """Processor time of one call."""
    begin = time.process_time()
    work()
    return 1000 * (time.process_time() - begin)


def sliders() -> dict:
    """Time the fits alone, the picture alone, and both behind a slider."""
    targets = [pictures.theis_like(separation, 0.4, 0.6) for separation in MOVES]
    last = {name: fit_isotropic_gaussian(targets[0], name) for name in THREE}

    def warm(target):
        for name in THREE:
            starts = [(last[name].mean, last[name].sigma)]
            last[name] = fit_isotropic_gaussian(target, name, starts=starts)

    def cold(target):
        for name in (*THREE, "reverse_kl"):
            fit_isotropic_gaussian(target, name)

    def draw(axes, move):
        shades = [pictures.add_target(ax, targets[move], pictures.WIDE) for ax in axes]
        rings = [pictures.add_rings(ax) for ax in axes]
        ticks = pictures.plane(pictures.WIDE)

        def update(move):
            if fitting:
                warm(targets[move])
            values = pictures.image_of(targets[move], ticks)
            for name, shade, ring, ax in zip(THREE, shades, rings, axes, strict=True):
                pictures.show_target(shade, values)
                pictures.place(*ring, last[name].mean.tolist(), last[name].sigma)
                ax.set_title(f"{name}: σ = {last[name].sigma:.2f}")

        update(move)
        return update

    fits = [milliseconds(lambda t=t: warm(t)) for t in targets]
    starts = [milliseconds(lambda t=t: cold(t)) for t in targets]
    fitting = False
    figure = explore(draw, 3, (9.6, 2.9), move=(0, len(MOVES) - 1, 1, 0))
    picture = moves(figure.controls["move"], range(1, len(MOVES)))
    fitting = True
    redraw = moves(figure.controls["move"], range(len(MOVES) - 2, -1, -1))
    controls = {"separation": (0.0, 6.0, 0.5, 3.5), "share": (0.1, 0.9, 0.1, 0.4)}
    controls["width"] = (0.4, 1.2, 0.1, 0.6)
    live = explore(pictures.draw_fits, 4, (9.6, 2.4), **controls)
    names = ["fits_ms", "all_starts_ms", "picture_ms", "redraw_ms", "slider_ms"]
    slider = moves(live.controls["separation"], MOVES)
    times = [fits[1:], starts, picture[1:], redraw, slider[1:]]
    medians = [round(statistics.median(values), 1) for values in times]
    for name, median, values in zip(names, medians, times, strict=True):
        print(f"{name:14} {median:6.1f}, slowest {max(values):6.1f}")
    return dict(zip(names, medians, strict=True))


def moves(control, values) -> list[float]:
    """The time of each change of a control."""
    return [milliseconds(lambda v=v: setattr(control, "value", v)) for v in values]


def discrepancy(n: int, d: int) -> dict:
    """MMD² by ``mmd2_biased`` and by scikit-learn's kernel matrices."""
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(2, n, d, generator=generator, dtype=torch.float64)
    y, sigma = 1.1 * y + 0.2, (d / 2) ** 0.5
    a, b, gamma = x.numpy(), y.numpy(), 1 / (2 * sigma**2)
    result = {}

    def ours():
        result["ours"] = mmd2_biased(x, y, sigma)

    def theirs():
        within = sum(rbf_kernel(u, u, gamma=gamma).mean() for u in (a, b))
        result["theirs"] = within - 2 * rbf_kernel(a, b, gamma=gamma).mean()

    extra, _ = peak_memory(ours)
    pairs = [(milliseconds(ours), milliseconds(theirs)) for _ in range(3)]
    our_ms, their_ms = (statistics.median(times) for times in zip(*pairs, strict=True))
    print(f"MMD², d = {d}: {our_ms:.0f} ms beside {their_ms:.0f} ms, {extra:.1f} MB")
    name = "mmd" if d == 2 else "mmd_blocks"
    return {
        f"{name}_ms": round(our_ms),
        f"{name}_ratio": round(their_ms / our_ms, 2),
        f"{name}_extra_mb": None if math.isnan(extra) else round(extra, 1),
        f"{name}_error": abs(result["ours"] - result["theirs"]),
    }


if __name__ == "__main__":
    main()
