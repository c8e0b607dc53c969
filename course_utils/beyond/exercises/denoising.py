"""Exercise of notebook 07: the loss that teaches a network to remove noise."""

import torch
from torch.nn.functional import smooth_l1_loss

from course_utils.checks import Exercise, Extreme, known_mistakes, noise


def denoising_loss(guess, x0, sigma, sigma_data):
    """Mean over the batch of (1/σ² + 1/σ_data²) ‖guess − x₀‖²."""
    weight = 1 / sigma**2 + 1 / sigma_data**2
    return (weight * (guess - x0) ** 2).sum(dim=1).mean()


def _outside(guess, x0, sigma, sigma_data):
    squares = (guess - x0).square().sum(dim=1)
    weight = (sigma**2 + sigma_data**2) / (sigma * sigma_data) ** 2
    return (weight[:, 0] * squares).mean()


def _over_rows(guess, x0, sigma, sigma_data):
    weight = (1 / sigma) ** 2 + sigma_data**-2
    return (weight * (x0 - guess) ** 2).sum() / len(x0)


def _weighted(weight):
    """The right loss with another weight of (σ, σ_data)."""
    return lambda guess, x0, sigma, width: (
        (weight(sigma, width) * (guess - x0) ** 2).sum(dim=1).mean()
    )


def _reduced(reduce):
    """The right terms ``(n, d)``, put together in another way."""
    return lambda guess, x0, sigma, width: reduce(
        (1 / sigma**2 + 1 / width**2) * (guess - x0) ** 2
    )


def _of(distance):
    """The right weight, with something else in place of the squared differences."""
    return lambda guess, x0, sigma, width: (
        ((1 / sigma**2 + 1 / width**2) * distance(guess, x0)).sum(dim=1).mean()
    )


def _draw(seed, n=6, d=4):
    x0 = noise(seed, n, d)
    sigma = (0.7 * noise(seed + 20, n, 1)).exp()
    width = 0.6 + 0.2 * noise(seed + 60, 1).abs().item()
    return x0 + 0.5 * noise(seed + 40, n, d), x0, sigma, width


check_denoising = Exercise(
    name="denoising loss",
    solution=denoising_loss,
    also=(_outside, _over_rows),
    draw=_draw,
    expected="one number, the mean over the batch",
    hints=(
        "a squared distance for each example, times a weight for its σ",
        "sum over the numbers of an example (dim=1), mean over the batch; sigma has "
        "shape (n, 1), so it multiplies each row",
        "(weight * (guess - x0) ** 2).sum(dim=1).mean(), and weight is 1/σ² + "
        "1/σ_data²",
    ),
    gradient=("guess",),
    extremes=(
        Extreme(
            "it is right, except for a very small σ: add no small number below the "
            "line, and do not clamp the weight",
            (noise(50, 3, 2), noise(51, 3, 2), torch.full((3, 1), 1e-4).double(), 0.8),
        ),
    ),
    mistakes=known_mistakes(
        "the weight is missing: 1/σ² + 1/σ_data² before the squares",
        _weighted(lambda s, w: 1.0),
        "the weight lacks 1/σ_data²: with much noise it would vanish",
        _weighted(lambda s, w: 1 / s**2),
        "the weight lacks 1/σ²: where there is little noise, small errors must count",
        _weighted(lambda s, w: 1 / w**2 + 0 * s),
        "the weight is turned round: much noise counts little, so divide by σ²",
        _weighted(lambda s, w: s**2 + w**2),
        "σ is not squared in the weight: 1/σ² + 1/σ_data²",
        _weighted(lambda s, w: 1 / s + 1 / w),
        _weighted(lambda s, w: 1 / s + 1 / w**2),
        "σ_data is not squared in the weight: 1/σ² + 1/σ_data²",
        _weighted(lambda s, w: 1 / s**2 + 1 / w),
        "this is 1/(σ² + σ_data²); the weight is the sum of two fractions",
        _weighted(lambda s, w: 1 / (s**2 + w**2)),
        "this is the square of a sum; the weight is the sum of two squares",
        _weighted(lambda s, w: (1 / s + 1 / w) ** 2),
        "the two parts of the weight are multiplied; add them",
        _weighted(lambda s, w: 1 / (s * w) ** 2),
        "1/σ_data² is subtracted; add it (sign)",
        _weighted(lambda s, w: 1 / s**2 - 1 / w**2),
        "the weight is squared once more: 1/σ² + 1/σ_data² stands before the squares",
        _weighted(lambda s, w: (1 / s**2 + 1 / w**2) ** 2),
        "the root of the weight stands there: it is not inside the square",
        _weighted(lambda s, w: (1 / s**2 + 1 / w**2) ** 0.5),
        "the mean over all numbers is d times too small: sum over the numbers of an "
        "example, mean over the batch",
        _reduced(lambda t: t.mean()),
        "this is the sum over the whole batch; take the mean over the examples",
        _reduced(lambda t: t.sum()),
        "this is one number for each example; take the mean over the batch",
        _reduced(lambda t: t.sum(dim=1)),
        "these are the terms themselves: sum over dim=1, then the mean",
        _reduced(lambda t: t),
        "every weight meets every example: (n, 1) times (n,) is a table, (n, n). "
        "Multiply before the sum over dim=1, or take weight[:, 0]",
        lambda g, x, s, w: ((1 / s**2 + 1 / w**2) * (g - x).square().sum(1)).mean(),
        "the distance must be squared, ‖guess − x₀‖²: a norm is its root",
        lambda g, x, s, w: (
            (1 / s**2 + 1 / w**2) * (g - x).norm(dim=1, keepdim=True)
        ).mean(),
        lambda g, x, s, w: ((1 / s**2 + 1 / w**2) * (g - x).norm(dim=1)).mean(),
        "the weights are not divided by their sum: the mean over the batch divides by "
        "n",
        lambda g, x, s, w: (t := 1 / s**2 + 1 / w**2).mul((g - x) ** 2).sum() / t.sum(),
        "brackets: 1/σ_data² is a part of the weight, and multiplies the squares, too",
        lambda g, x, s, w: ((g - x) ** 2 / s**2).sum(dim=1).mean() + 1 / w**2,
        lambda g, x, s, w: ((g - x) ** 2 / s**2 + 1 / w**2).sum(dim=1).mean(),
        "the axes are exchanged: sum over the numbers of an example (dim=1), mean over "
        "the examples",
        _reduced(lambda t: t.sum(dim=0).mean()),
        "the square root is too much: the loss is a squared distance",
        _reduced(lambda t: t.sum(dim=1).sqrt().mean()),
        "the sign is turned round: a loss is small where the guess is good",
        _reduced(lambda t: -t.sum(dim=1).mean()),
        "the ½ is too much: there is no factor in front",
        _reduced(lambda t: 0.5 * t.sum(dim=1).mean()),
        "the difference is not squared",
        _of(lambda g, x: g - x),
        "the difference is squared, not taken as an absolute value",
        _of(lambda g, x: (g - x).abs()),
        "the difference is squared, whatever its size: no Huber or smooth L1 loss",
        _of(lambda g, x: smooth_l1_loss(g, x, reduction="none")),
        "guess and x₀ are added: the error is their difference",
        _of(lambda g, x: (g + x) ** 2),
        "x₀ is missing: the guess is compared with it",
        _of(lambda g, x: g**2),
        "the guess is missing: only its difference from x₀ says how good it is",
        _of(lambda g, x: x**2),
        "the squares are subtracted: square the difference, not each number by itself",
        _of(lambda g, x: g**2 - x**2),
        "the largest error is not the loss: sum over all numbers of an example",
        _reduced(lambda t: t.amax(dim=1).mean()),
    ),
).check
