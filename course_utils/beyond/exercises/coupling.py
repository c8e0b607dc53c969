"""Exercise of notebook 07: a coupling layer and the logarithm of its determinant."""

import torch
from torch.nn.functional import softplus

from course_utils.checks import Exercise, Extreme, known_mistakes, noise


def coupled(move, log_scale, shift):
    """y = eᵃ x + b for the half that moves, and log |det| = Σ a for each example."""
    y = log_scale.exp() * move + shift
    return y, log_scale.sum(dim=1)


def _by_scale(move, log_scale, shift):
    scale = torch.exp(log_scale)
    return shift + move * scale, torch.log(scale).sum(dim=1)


def _draw(seed, n=7, m=5):
    return noise(seed, n, m), 0.7 * noise(seed + 20, n, m), noise(seed + 40, n, m)


def _y(move, log_scale, shift):
    return coupled(move, log_scale, shift)[0]


def _volume(of):
    """The right y, with this for the logarithm of the determinant."""
    return lambda move, log_scale, shift: (
        _y(move, log_scale, shift),
        of(move, log_scale, shift),
    )


def _moved(of):
    """The right logarithm of the determinant, with this for y."""
    return lambda move, log_scale, shift: (
        of(move, log_scale, shift),
        log_scale.sum(dim=1),
    )


check_coupled = Exercise(
    name="coupling layer",
    solution=coupled,
    also=(_by_scale,),
    draw=_draw,
    expected="y, of shape (n, m), and log |det|, one number for each example: (n,)",
    entries=("y", "log_det"),
    hints=(
        "y = eᵃ x + b, and its derivative by x is eᵃ: one for each number that moves",
        "the determinant of a triangular matrix is the product of its diagonal, eᵃ; "
        "the logarithm of a product is a sum",
        "y = log_scale.exp() * move + shift, and log_scale.sum(dim=1)",
    ),
    gradient=("move", "log_scale", "shift"),
    extremes=(
        Extreme(
            "it is right, except for a large log_scale: do not clamp it",
            (noise(60, 3, 2), 9 * noise(61, 3, 2), noise(62, 3, 2)),
        ),
    ),
    mistakes=known_mistakes(
        "log |det| has one number for each example: add up over the numbers that move, "
        "dim=1",
        _volume(lambda x, a, b: a),
        "log |det| is added up over the examples, dim=0; add up over what moves, dim=1",
        _volume(lambda x, a, b: a.sum(dim=0)),
        "log |det| is one number for the whole batch; give one for each example: dim=1",
        _volume(lambda x, a, b: a.sum()),
        "log |det| is a mean over what moves; the logarithms of a product add up: a "
        "sum",
        _volume(lambda x, a, b: a.mean(dim=1)),
        "this is the determinant itself; its logarithm is asked, the sum of log_scale",
        _volume(lambda x, a, b: a.exp().prod(dim=1)),
        _volume(lambda x, a, b: a.sum(dim=1).exp()),
        "the scales are added up; the determinant is their product, so their "
        "logarithms add up",
        _volume(lambda x, a, b: a.exp().sum(dim=1)),
        _volume(lambda x, a, b: a.exp().sum(dim=1).log()),
        "the logarithms are multiplied; the determinant is a product, so they add up",
        _volume(lambda x, a, b: a.prod(dim=1)),
        "the sign of log |det| is turned round: this is that of the inverse",
        _volume(lambda x, a, b: -a.sum(dim=1)),
        "log |det| may be negative, where the layer shrinks: take no abs() of "
        "log_scale",
        _volume(lambda x, a, b: a.abs().sum(dim=1)),
        _volume(lambda x, a, b: a.sum(dim=1).abs()),
        "a shift moves, and stretches nothing: it is no part of log |det|",
        _volume(lambda x, a, b: (a + b).sum(dim=1)),
        _volume(lambda x, a, b: b.sum(dim=1)),
        "log |y| is no determinant: only the derivative of y by x counts",
        _volume(lambda x, a, b: _y(x, a, b).abs().log().sum(dim=1)),
        "x is no part of log |det|: the derivative of eᵃ x + b by x is eᵃ",
        _volume(lambda x, a, b: (a.exp() * x).abs().log().sum(dim=1)),
        _volume(lambda x, a, b: (a * x).sum(dim=1)),
        "log_scale is the logarithm of the scale already: take no second log()",
        _volume(lambda x, a, b: a.abs().log().sum(dim=1)),
        "this is ½ log |det|, or twice as much: no factor belongs there",
        _volume(lambda x, a, b: 0.5 * a.sum(dim=1)),
        _volume(lambda x, a, b: 2 * a.sum(dim=1)),
        "x is multiplied by log_scale; the scale is its exp()",
        _moved(lambda x, a, b: a * x + b),
        "the shift is missing in y",
        _moved(lambda x, a, b: a.exp() * x),
        "the shift is subtracted; the layer adds it (sign)",
        _moved(lambda x, a, b: a.exp() * x - b),
        "x is moved first and scaled afterwards; y = eᵃ x + b scales first",
        _moved(lambda x, a, b: a.exp() * (x + b)),
        "this is the way back, from y to x; the layer multiplies by eᵃ, then adds b",
        _moved(lambda x, a, b: (x - b) * (-a).exp()),
        lambda x, a, b: ((x - b) * (-a).exp(), -a.sum(dim=1)),
        "the sign inside the exp is turned round: the scale is eᵃ, not e⁻ᵃ",
        _moved(lambda x, a, b: (-a).exp() * x + b),
        "the scale and x are added; the scale multiplies x",
        _moved(lambda x, a, b: a.exp() + x + b),
        "log_scale and shift have changed places",
        lambda x, a, b: coupled(x, b, a),
        "log |det| is one and the same for all examples, a mean over the batch; each "
        "has its own",
        _volume(lambda x, a, b: a.sum(dim=1).mean().expand(len(a))),
        "the scale is eᵃ itself: no softplus, sigmoid or tanh, and no other base",
        _moved(lambda x, a, b: softplus(a) * x + b),
        _moved(lambda x, a, b: a.sigmoid() * x + b),
        _moved(lambda x, a, b: a.tanh().exp() * x + b),
        _moved(lambda x, a, b: 2**a * x + b),
        _moved(lambda x, a, b: 10**a * x + b),
        "the scale is 1 plus what you need: it is exp(log_scale)",
        _moved(lambda x, a, b: (1 + a) * x + b),
    ),
).check
