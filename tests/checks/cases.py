"""Two small exercises, on which the machinery of the checks is tested."""

import math

from course_utils.checks import Exercise, Extreme, f64, known_mistakes, noise


def mean(x):
    """The mean, written out."""
    return x.sum() / len(x)


MEAN = Exercise(
    name="mean",
    solution=mean,
    draw=lambda seed: (noise(seed, 5) + 3,),
    expected="one number",
    hints=("what is a mean?", "add up, then divide", "x.sum() / len(x)"),
    mistakes=known_mistakes(
        "this is the middle of the largest and the smallest",
        lambda x: (x.min() + x.max()) / 2,
    ),
)


def spread(x, centre, scale):
    """Location and scale of x, a log-density of the scale."""
    squares = ((x - centre) / scale) ** 2
    return squares.mean(), -0.5 * math.log(2 * math.pi) - scale.log()


PAIR = Exercise(
    name="pair",
    solution=spread,
    draw=lambda seed: (noise(seed, 7), noise(seed + 1, 1)[0], noise(seed, 2)[1].exp()),
    expected="two numbers",
    hints=("first", "second", "third"),
    entries=("spread", "log-scale"),
    gradient=("centre",),
)


def log_mean(x):
    """The log of the mean of exp(x), safely."""
    return x.logsumexp(0) - math.log(len(x))


SAFE = Exercise(
    name="log-mean",
    solution=log_mean,
    draw=lambda seed: (noise(seed, 6),),
    expected="one number",
    hints=("first", "second", "third"),
    extremes=(Extreme("exp() is 0 here: use logsumexp", (noise(0, 6) - 800,)),),
)
FAR = f64(-801.0, -800.5)
