"""Exercise 5 of notebook 03: a control variate."""

import torch

from course_utils.checks import Exercise, Trait, f64, known_mistakes, noise


def control_variate(g, c, c_mean):
    """g − a (c − E[c]), with the a that makes the variance smallest."""
    covariance = ((g - g.mean()) * (c - c.mean())).mean()
    variance = ((c - c.mean()) ** 2).mean()
    a = covariance / variance
    return g - a * (c - c_mean)


def _from_the_moments(g, c, c_mean):
    a = ((g * c).mean() - g.mean() * c.mean()) / c.var()
    return g - a * (c - c_mean)


def _cov(g, c):
    return torch.cov(torch.stack([g, c]))[0, 1]


def _slope(a):
    """The answer with ``a(g, c)`` as the slope."""
    return lambda g, c, c_mean: g - a(g, c) * (c - c_mean)


def _best_slope(g, c):
    return _cov(g, c) / c.var()


def _constant(values):
    return (values - values.median()).abs().max() < 1e-6 * values.median().abs()


def _case_of_control(seed, n=1000):
    """g and c go up and down together; the mean of c lies 3 % off the known one.

    So a is the same up to 1/n, with whatever divisor or mean in Cov and Var.
    """
    a, b, known = noise(seed, 3).tolist()
    c, other = noise(seed + 50, n), noise(seed + 90, n)
    c = (1.3 + a * a / 4) * (c - c.mean()) / c.std()
    slope = (1.2 + abs(b)) * (1 if b < 0 else -1)
    g = slope * c + 1.4 * (other - other.mean()) + 1.5
    return g, c + known + 0.03 * c.std() + 0.7, f64(known + 0.7)[0]


check_control_variate = Exercise(
    name="control variate",
    solution=control_variate,
    also=(_from_the_moments,),
    draw=_case_of_control,
    expected="one new draw for each old one, shape (n,)",
    tolerance=0.003,
    hints=(
        "subtract a · (c − E[c]): it has mean 0, and takes away what g shares with c",
        "Var(g − a c) is a parabola in a. Where is its minimum? Take Var and Cov from "
        "the draws",
        "a = Cov(g, c) / Var(c), with torch.cov(torch.stack([g, c]))[0, 1] and c.var()",
    ),
    error_hints={
        "received an invalid combination": "NumPy does not take tensors here: use "
        "c.var() and c.std(), or make arrays first, np.asarray(c)",
        "name 'a' is not defined": "a is not given: a = Cov(g, c) / Var(c), from the "
        "draws",
        "cov()": "torch.cov takes one tensor, with a row for each variable, and its "
        "result is a matrix: torch.cov(torch.stack([g, c]))[0, 1]",
        "corrcoef()": "torch.corrcoef takes one tensor, with a row for each variable: "
        "torch.corrcoef(torch.stack([g, c]))[0, 1]",
        "(2) must match": "a must be one number, not the whole covariance matrix: take "
        "its entry [0, 1], Cov(g, c)",
        "tensor b (2)": "a must be one number, not the whole covariance matrix: take "
        "its entry [0, 1], Cov(g, c)",
        "shapes (2,2)": "a must be one number, not the whole covariance matrix: take "
        "its entry [0, 1], Cov(g, c)",
        "(1000,) (2,2)": "a must be one number, not the whole covariance matrix: take "
        "its entry [0, 1], Cov(g, c)",
    },
    traits=(
        Trait(
            "g minus a number times c − E[c] is the right form, but this number is not "
            "the best a: the variance is smallest at a = Cov(g, c) / Var(c)",
            lambda result, g, c, c_mean: _constant((result[0] - g) / (c - c_mean)),
        ),
        Trait(
            "g minus a number times c, and one more constant: this constant must be "
            "plus a · E[c], from g − a · (c − E[c]) with a = Cov(g, c) / Var(c)",
            lambda result, g, c, c_mean: _constant(
                (result[0] - g - result[0][0] + g[0])[1:] / (c - c[0])[1:]
            ),
        ),
    ),
    mistakes=known_mistakes(
        "this is g itself, unchanged, or nearly so: subtract a · (c − E[c]) from it, "
        "with a = Cov(g, c) / Var(c), and no sum over one and mean over the other",
        lambda g, c, c_mean: g,
        "this is g minus a constant: use c, too, and subtract a · (c − E[c])",
        lambda g, c, c_mean: g - g.mean(),
        lambda g, c, c_mean: g - c_mean,
        "the mean of c is not subtracted, so the estimate is biased now: "
        "a · (c − E[c])",
        lambda g, c, c_mean: g - _best_slope(g, c) * c,
        "you subtracted the mean of the draws c.mean() from c: then the mean of g "
        "stays as noisy as it was. Use the known one, c_mean",
        lambda g, c, c_mean: g - _best_slope(g, c) * (c - c.mean()),
        "brackets: a multiplies c_mean, too. It is a · (c − E[c])",
        lambda g, c, c_mean: g - _best_slope(g, c) * c - c_mean,
        lambda g, c, c_mean: g - _best_slope(g, c) * c + c_mean,
        lambda g, c, c_mean: g - _best_slope(g, c) * (c - 1),
        "this is only the correction a · (c − E[c]): subtract it from g",
        lambda g, c, c_mean: _best_slope(g, c) * (c - c_mean),
        "this is a alone: return g − a · (c − E[c]), one number for each draw",
        lambda g, c, c_mean: _best_slope(g, c),
        "a = 1 is not the best slope: a = Cov(g, c) / Var(c)",
        _slope(lambda g, c: 1.0),
        "a = −1 adds c: the best slope is a = Cov(g, c) / Var(c)",
        _slope(lambda g, c: -1.0),
        "the sign is turned round: a is plus Cov(g, c) / Var(c), and a · (c − E[c]) "
        "is subtracted (minus)",
        lambda g, c, c_mean: g + _best_slope(g, c) * (c - c_mean),
        "a is not the ratio of the means: the best a is Cov(g, c) / Var(c)",
        _slope(lambda g, c: g.mean() / c.mean()),
        "a is not the ratio of the spreads, nor of the variances: the best a is "
        "Cov(g, c) / Var(c)",
        _slope(lambda g, c: g.std() / c.std()),
        _slope(lambda g, c: g.var() / c.var()),
        _slope(lambda g, c: c.var() / g.var()),
        _slope(lambda g, c: c.std() / g.std()),
        "Cov(g, c) must be divided by Var(c), not by Var(g)",
        _slope(lambda g, c: _cov(g, c) / g.var()),
        "Cov(g, c) must be divided by Var(c), the square of the standard deviation, "
        "not by std",
        _slope(lambda g, c: _cov(g, c) / c.std()),
        "Cov(g, c) is divided by the mean of c; divide it by the variance of c, Var(c)",
        _slope(lambda g, c: _cov(g, c) / c.mean()),
        lambda g, c, c_mean: g - _cov(g, c) / c_mean * (c - c_mean),
        "a is doubled: a = Cov(g, c) / Var(c), without the factor 2",
        _slope(lambda g, c: 2 * _best_slope(g, c)),
        "a is halved: a = Cov(g, c) / Var(c), without the factor ½",
        _slope(lambda g, c: _best_slope(g, c) / 2),
        "a keeps its sign (no abs()): it is negative where c goes down as g goes up",
        _slope(lambda g, c: _best_slope(g, c).abs()),
        "a = Cov(g, c) / Var(c), without a square or a root",
        _slope(lambda g, c: _best_slope(g, c) ** 2),
        _slope(lambda g, c: _best_slope(g, c).abs().sqrt()),
        "this is the covariance of one thing, a variance, such as Var(g · c); a needs "
        "that of the two, Cov(g, c)",
        _slope(lambda g, c: (g * c).var() / c.var()),
        "a is the correlation here; the best a is Cov(g, c) / Var(c)",
        _slope(lambda g, c: _cov(g, c) / (c.std() * g.std())),
        "Cov(g, c) must be divided by Var(c) alone, not by both variances",
        _slope(lambda g, c: _cov(g, c) / (c.var() * g.var())),
        "Cov(g, c) must be divided by Var(c): the division is missing",
        _slope(_cov),
        "a is upside down: Cov(g, c) stands above, Var(c) below",
        _slope(lambda g, c: c.var() / _cov(g, c)),
        "in the covariance, both g and c must have their means subtracted: "
        "Cov(g, c), not the mean of g · c",
        _slope(lambda g, c: (g * c).mean() / c.var()),
        _slope(lambda g, c: (g * c).mean() / c.square().mean()),
        _slope(lambda g, c: _cov(g, c) / c.square().mean()),
        "Cov and Var must divide by the same number: one is a sum, the other a mean",
        _slope(lambda g, c: _best_slope(g, c) * len(g)),
        "a is one number for all draws: take the mean in Cov(g, c), and in Var(c)",
        "this is g · E[c]/c, as if c were a weight: subtract a · (c − E[c]) from g, "
        "with one number a for all draws",
        _slope(lambda g, c: g / c),
        lambda g, c, c_mean: g * c / c_mean,
        "a is one number for all draws: take the mean in Cov(g, c), and in Var(c)",
        _slope(lambda g, c: (g - g.mean()) * (c - c.mean()) / c.var()),
        _slope(lambda g, c: (g - g.mean()) / (c - c.mean())),
        "this is the mean of the draws; return one number for each draw",
        lambda *case: control_variate(*case).mean(),
        "this is g − a · (c.mean() − E[c]): c itself belongs there, one for each draw, "
        "not its mean",
        lambda g, c, c_mean: g - _best_slope(g, c) * (c.mean() - c_mean),
        "this is the mean of g minus a · (c − E[c]): g itself belongs there, one for "
        "each draw, not its mean",
        lambda g, c, c_mean: g.mean() - _best_slope(g, c) * (c - c_mean),
        "the factor a stands at c − E[c], not at g",
        lambda g, c, c_mean: _best_slope(g, c) * g - (c - c_mean),
        lambda g, c, c_mean: (g - _best_slope(g, c)) * (c - c_mean),
        "the new draws are divided by a standard deviation: leave this out",
        lambda *case: control_variate(*case) / case[0].std(),
        lambda *case: control_variate(*case) / control_variate(*case).std(),
        "c − E[c] keeps its sign: no abs() and no square",
        lambda g, c, c_mean: g - _best_slope(g, c) * (c - c_mean).abs(),
        lambda g, c, c_mean: g - _best_slope(g, c) * (c - c_mean) ** 2,
        "you took g and c the other way round: g − a · (c − E[c]) is asked",
        lambda g, c, c_mean: c - _cov(g, c) / g.var() * (g - g.mean()),
        lambda g, c, c_mean: c - _cov(g, c) / g.var() * (g - c_mean),
        lambda g, c, c_mean: c - _best_slope(g, c) * (g - c_mean),
        "c_mean, the known mean, is not used as it should: subtract it from c",
        lambda g, c, c_mean: g - c,
        lambda g, c, c_mean: g + c,
        lambda g, c, c_mean: g - g * c,
        "this is the variance of the new draws; return the draws themselves",
        lambda *case: control_variate(*case).var(),
        "the mean of g is subtracted, too: then the estimate itself is lost",
        lambda *case: control_variate(*case) - case[0].mean(),
    ),
).check
