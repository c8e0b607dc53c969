"""Draw docs/picture.png, the picture of the README: python -m tools.readme_picture"""

from pathlib import Path

import matplotlib
import torch

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from course_utils.data import load_heights, ring_of_gaussians
from course_utils.gaussian import fit_gaussian, log_likelihood
from course_utils.gaussian.pictures import HEIGHT_GRID, plot_ascent
from course_utils.style import plot_density, plot_density_2d, plot_points, plot_rug
from course_utils.training import setup

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "picture.png"


def ascent_path(x, steps=80, rate=1e-4):
    """Gradient ascent on the log-likelihood of ``x``, as in notebook 01."""
    theta = torch.tensor([1.60, 0.12], requires_grad=True)
    path = [theta.tolist()]
    for _ in range(steps):
        (gradient,) = torch.autograd.grad(log_likelihood(x, *theta), theta)
        theta = (theta + rate * gradient).detach().requires_grad_()
        path.append(theta.tolist())
    return torch.tensor(path)


def draw(axes):
    """Ten heights, the best Gaussian found by gradient ascent, and its limits."""
    x, ring = load_heights(), ring_of_gaussians()
    plot_density(axes[0], fit_gaussian(x), HEIGHT_GRID)
    plot_rug(axes[0], x)
    axes[0].set(xlabel="height (m)", ylabel="density (per m)", ylim=(0, None))
    axes[0].set_title("ten heights, one model")
    plot_ascent(axes[1], x, ascent_path(x))
    axes[1].set_title("learning: uphill on the likelihood")
    points = ring.sample((800,))
    plot_density_2d(axes[2], fit_gaussian(points), half_width=3.2)
    plot_points(axes[2], points)
    axes[2].set_title("… and where it fails")


if __name__ == "__main__":
    setup(seed=0, dtype=torch.float64)
    figure, panels = plt.subplots(1, 3, figsize=(12, 3.8))
    draw(panels)
    figure.savefig(PICTURE)
