"""The exercise of notebook 02 on the M-step: weighted averages."""

import torch

from course_utils.checks import Exercise, Extreme, known_mistakes, noise

# ---------------------------------------------------------- section 4: the M-step


def m_step(x, r, old_means):
    """The weighted averages; the old means are not needed."""
    counts = r.sum(0)
    means = r.T @ x / counts[:, None]
    y = x - means[:, None]  # (k, n, d)
    covariances = (r.T[:, :, None] * y).mT @ y / counts[:, None, None]
    return counts / len(x), means, covariances


def _by_einsum(x, r, old_means):
    counts = r.sum(0)
    means = torch.einsum("nk,nd->kd", r, x) / counts[:, None]
    second = torch.einsum("nk,ni,nj->kij", r, x, x) / counts[:, None, None]
    return r.mean(0), means, second - means[:, :, None] * means[:, None, :]


def _in_a_loop(x, r, old_means):
    means = torch.zeros(r.shape[1], x.shape[1], dtype=x.dtype)
    covariances = torch.zeros(r.shape[1], x.shape[1], x.shape[1], dtype=x.dtype)
    for k in range(r.shape[1]):
        share = r[:, k, None] / r[:, k].sum()
        means[k] = (share * x).sum(0)
        y = x - means[k]
        covariances[k] = (share * y).T @ y
    return r.mean(0), means, covariances


def _scatter(x, r, centres):
    """Σₙ rₙₖ (xₙ − cₖ)(xₙ − cₖ)ᵀ for each k: ``(k, d, d)``."""
    y = x[None] - centres[:, None]  # (k, n, d)
    return (r.T[:, :, None] * y).mT @ y


def _with_means(of):
    """The answer with the means ``of(x, r, old)`` and the covariances around them."""

    def answer(x, r, old):
        means = of(x, r, old)
        around = means if means.shape == old.shape else old
        return r.mean(0), means, _scatter(x, r, around) / r.sum(0)[:, None, None]

    return answer


def _with_covariances(of):
    """The answer with the covariances ``of(x, r, means, counts)``, else right."""

    def answer(x, r, old):
        weights, means, _ = m_step(x, r, old)
        return weights, means, of(x, r, means, r.sum(0)[:, None, None])

    return answer


def _with_weights(of):
    return lambda x, r, old: (of(x, r), *m_step(x, r, old)[1:])


def _hard(r):
    return torch.nn.functional.one_hot(r.argmax(1), r.shape[1]).double()


def _variances(x, r, means, counts):
    return (_scatter(x, r, means) / counts).diagonal(dim1=1, dim2=2)


def _correlations(x, r, means, counts):
    covariances = _scatter(x, r, means) / counts
    roots = covariances.diagonal(dim1=1, dim2=2).sqrt()
    return covariances / roots[:, :, None] / roots[:, None]


def _all_alike(x, r):
    """The covariance of all data, once for each component."""
    y = x - x.mean(0)
    return (y.T @ y / len(x)).expand(r.shape[1], -1, -1)


def _draw_m_step(seed, n=9, d=2, k=3):
    rows = noise(seed, n, d + k)
    r = (1.5 * rows[:, d:]).softmax(1)
    # The third argument, the old means, tempts: it is not needed.
    return 2 * rows[:, :d] + 1, r, noise(seed + 2, k, d)


def _tiny(seed):
    x, r, old = _draw_m_step(seed)
    return x / 100, r, old / 100


check_m_step = Exercise(
    name="M-step",
    solution=m_step,
    also=(_by_einsum, _in_a_loop),
    draw=_draw_m_step,
    extremes=(
        Extreme(
            "it is right for d = 2 and k = 3 only; x has shape (n, d) and r (n, k), "
            "with any d and k",
            _draw_m_step(3, 11, 4, 2),
        ),
        Extreme(
            "it fails in one dimension, d = 1: keep the shapes (k, 1) and (k, 1, 1)",
            _draw_m_step(4, 8, 1, 2),
        ),
        Extreme(
            "a small number is added somewhere, perhaps to the diagonal of the "
            "covariances (a floor): the formulas have none, so leave it out",
            _tiny(5),
        ),
    ),
    expected="weights (k,), means (k, d) and covariances (k, d, d)",
    entries=("weights", "means", "covariances"),
    error_hints={
        "must match the size": "two shapes do not fit: divide a (k, d) table by a "
        "column, counts[:, None], and a (k, d, d) stack by counts[:, None, None]",
        "mat1 and mat2 shapes": "the product does not fit: r.T is (k, n) and x is "
        "(n, d), so r.T @ x is (k, d); y.T @ y is (d, d)",
    },
    hints=(
        "N_k is the sum of column k of r; start with weights = N_k / n",
        "Σₙ rₙₖ xₙ for all k is one matrix product, r.T @ x; then divide by N_k",
        "centre x at each new mean, y = x − means[:, None] is (k, n, d); then weigh by "
        "r, multiply y.mT @ y, divide by N_k",
    ),
    mistakes=known_mistakes(
        "this is a hard assignment (argmax, 0 or 1); here each example counts with its "
        "shares r",
        lambda x, r, old: m_step(x, _hard(r), old),
        "these are the N_k; divide by n so that the weights sum to one",
        _with_weights(lambda x, r: r.sum(0)),
        "you added over the components; add over the examples, r.sum(0), shape (k,)",
        _with_weights(lambda x, r: r.mean(1)),
        _with_weights(lambda x, r: r.sum(1)),
        "all weights are equal, 1/k; they are N_k / n, the mean share of each",
        _with_weights(lambda x, r: torch.full_like(r[0], 1 / r.shape[1])),
        "N_k is divided by n to normalise, not put into softmax",
        _with_weights(lambda x, r: r.sum(0).softmax(0)),
        _with_weights(lambda x, r: r.mean(0).softmax(0)),
        "you divided N_k by the number of components k; divide by n, the number of "
        "examples",
        _with_weights(lambda x, r: r.sum(0) / r.shape[1]),
        "you divided N_k by d, the number of coordinates; divide by n, the examples",
        _with_weights(lambda x, r: r.sum(0) / x.shape[1]),
        "you divided N_k by the number of all entries of x; divide by n, len(x)",
        _with_weights(lambda x, r: r.sum(0) / x.numel()),
        "this is the largest share, and not the mean share N_k / n",
        _with_weights(lambda x, r: r.amax(0)),
        "each component is centred at its own new mean, means[k]: not all of them at "
        "that of the first",
        _with_covariances(lambda x, r, m, n: _scatter(x, r, m[:1].expand_as(m)) / n),
        "the distances keep their signs: two coordinates may go opposite ways, so take "
        "no abs()",
        _with_covariances(lambda x, r, m, n: (_scatter(x, r, m) / n).abs()),
        _with_covariances(
            lambda x, r, m, n: (
                torch.einsum("nk,nka,nkb->kab", r, *2 * [(x[:, None] - m).abs()]) / n
            )
        ),
        "divide the means by N_k, the sum of the shares",
        _with_means(lambda x, r, old: r.T @ x),
        "you divided the means by n; each component divides by its own N_k",
        _with_means(lambda x, r, old: r.T @ x / len(x)),
        "you divided the means by the weights; divide by N_k, which is n times as much",
        _with_means(lambda x, r, old: r.T @ x / r.mean(0)[:, None]),
        "these are the old means, and not the new means; average the data",
        _with_means(lambda x, r, old: old),
        "this is halfway between the old means and the new means; take the new",
        _with_means(lambda x, r, old: (old + m_step(x, r, old)[1]) / 2),
        "the old means are added; the new means are averages of data: r.T @ x / N_k",
        _with_means(lambda x, r, old: old + m_step(x, r, old)[1]),
        "these are medians; a mean is asked, weighted with r",
        _with_means(lambda x, r, old: x.median(0).values.expand(r.shape[1], -1)),
        "this is one example, that with the largest share; average them all, weighted",
        _with_means(lambda x, r, old: x[r.argmax(0)]),
        "this is the common mean of all data, the same for each component; weigh "
        "with r, each component has its own",
        _with_means(lambda x, r, old: x.mean(0).expand(r.shape[1], -1)),
        "the means are transposed: shape (k, d), r.T @ x",
        _with_means(lambda x, r, old: m_step(x, r, old)[1].T),
        "the shares r count twice (squared); weigh each x once",
        _with_means(lambda x, r, old: (r**2).T @ x / r.sum(0)[:, None]),
        _with_means(lambda x, r, old: (r**2).T @ x / (r**2).sum(0)[:, None]),
        "the covariances are centred at the old means; use the new means here, too",
        lambda x, r, old: (
            *m_step(x, r, old)[:2],
            _scatter(x, r, old) / r.sum(0)[:, None, None],
        ),
        "divide the covariances by N_k, the sum of the shares",
        _with_covariances(lambda x, r, m, n: _scatter(x, r, m)),
        "you divided the covariances by n; each component divides by its own N_k",
        _with_covariances(lambda x, r, m, n: _scatter(x, r, m) / len(x)),
        "you divided the covariances by N_k − 1 (unbiased); the formula has N_k",
        _with_covariances(lambda x, r, m, n: _scatter(x, r, m) / (n - 1)),
        "torch.cov divides by less than N_k (unbiased, N_k − 1): take correction=0",
        _with_covariances(
            lambda x, r, m, n: torch.stack(
                [torch.cov(x.T, aweights=share).view(x.shape[1], -1) for share in r.T]
            )
        ),
        "these are correlations, with ones on the diagonal; leave out the division by "
        "the standard deviations",
        _with_covariances(_correlations),
        "this is a Cholesky factor, a root of the covariance; the covariance is asked",
        _with_covariances(
            lambda x, r, m, n: torch.linalg.cholesky(_scatter(x, r, m) / n)
        ),
        "this is one variance for all directions (a multiple of the identity); the "
        "covariance has its own for each, and products off the diagonal",
        _with_covariances(
            lambda x, r, m, n: (
                _variances(x, r, m, n).mean(1)[:, None, None] * torch.eye(x.shape[1])
            )
        ),
        "you divided the covariances by n − 1 (unbiased); the formula has N_k",
        _with_covariances(lambda x, r, m, n: _scatter(x, r, m) / (len(x) - 1)),
        "these are the variances of each coordinate; a covariance needs the outer "
        "product (x − μ)(x − μ)ᵀ, shape (d, d)",
        _with_covariances(_variances),
        "off the diagonal there are zeros; the outer product (x − μ)(x − μ)ᵀ is "
        "missing, you only squared",
        _with_covariances(lambda *case: torch.diag_embed(_variances(*case))),
        "these are standard deviations, roots; the covariances themselves are asked",
        _with_covariances(lambda *case: _variances(*case).sqrt()),
        _with_covariances(lambda x, r, m, n: (_scatter(x, r, m) / n).abs().sqrt()),
        _with_covariances(lambda *case: torch.diag_embed(_variances(*case).sqrt())),
        "these are the precisions, the inverse matrices; the covariances are asked",
        _with_covariances(lambda x, r, m, n: (_scatter(x, r, m) / n).inverse()),
        "this is one variance for all directions; a covariance is a (d, d) matrix",
        _with_covariances(lambda *case: _variances(*case).mean(1)),
        _with_covariances(lambda *case: _variances(*case).sum(1)),
        "centre the data first: this is Σ r x xᵀ / N_k",
        _with_covariances(lambda x, r, m, n: _scatter(x, r, 0 * m) / n),
        "the shares r stand on both sides, so they are squared; weigh only one of them",
        _with_covariances(lambda x, r, m, n: _scatter(x, r**2, m) / n),
        "the shares r are missing: weigh each example with r before you add",
        _with_covariances(lambda x, r, m, n: _scatter(x, 0 * r + 1, m) / n),
        _with_covariances(lambda x, r, m, n: _scatter(x, 0 * r + 1, m) / len(x)),
        _with_covariances(lambda x, r, m, n: _scatter(x, 0 * r + 1, m)),
        "this is the same covariance for each component, of all data and unweighted; "
        "weigh with r, each component has its own",
        _with_covariances(lambda x, r, m, n: _all_alike(x, r)),
        "this is one covariance for all components (pooled, tied); each has its own",
        _with_covariances(
            lambda x, r, m, n: (_scatter(x, r, m).sum(0) / len(x)).expand(
                len(m), -1, -1
            )
        ),
        "centre at the mean of each component, and not at the common mean of all data",
        _with_covariances(lambda x, r, m, n: _scatter(x, r, 0 * m + x.mean(0)) / n),
        "the product is turned round: y.T @ y is (d, d), y @ y.T is (n, n)",
        _with_covariances(
            lambda x, r, m, n: (
                (r.T[:, :, None] * (x - m[:, None])) @ (x - m[:, None]).mT / n
            )
        ),
        "this is the outer product of the means; subtract it from Σ r x xᵀ / N_k",
        _with_covariances(lambda x, r, m, n: m[:, :, None] * m[:, None]),
    ),
).check
