"""The numbers in the text of notebook 03 that no cell prints."""

# KL of N(mu, sigma²) from the posterior of the shop: log p(x) less the ELBO
GAP = (
    "float(shop.log_prob(customers) - vi.elbo_by_quadrature("
    "lambda z: shop.log_joint(customers, z),"
    " Normal(*torch.tensor([1.22, {}]))))"
)
# the best q: the least KL over a grid of all means and deviations of the sliders
BEST = (
    "(lambda q, kl: (q.mean.flatten()[kl.argmin()], q.stddev.flatten()[kl.argmin()],"
    " kl.min()))(*(lambda q: (q, (shop.log_prob(customers) - vi.elbo_by_quadrature("
    "lambda z: shop.log_joint(customers, z), q)).flatten()))(Normal("
    "torch.linspace(0.0, 2.0, 101)[:, None], torch.linspace(0.15, 1.0, 86))))"
)

COMPUTED = [
    (
        "identity-predict",
        "The best is μ = {:.2f}, σ = {:.2f}, with KL = {:.3f} nats.",
        "shop",
        BEST,
    ),
    (
        "identity-predict",
        "Twice this σ (0.92) costs {:.2f} nats, half of it (0.23) costs {:.2f}.",
        "shop",
        f"({GAP.format(0.92)}, {GAP.format(0.23)})",
    ),
    ("cavi-caption", "the error by $\\rho^2$ ({:.2f} here)", "cavi-rate", "0.8**2"),
    (
        "bag-field-text",
        "mango and rice have posterior probability {:.2f}, pomelo and > rice {:.2f}.",
        "bag-field",
        "tuple((log_joint[[5, 3]] - log_p).exp())",
    ),
    ("two-peaks-predict", "KL = log 2 = {:.3f} nats", "setup", "math.log(2)"),
    (
        "label-text",
        "Two: near $({:.1f}, {:.1f})$ and near",
        "label-play",
        "tuple(named[-1].means)",
    ),
    (
        "label-text",
        "and near $({:.1f}, {:.1f})$.",
        "label-play",
        "tuple(named[-1].means.flip(0))",
    ),
    ("label-caption", "here $\\log 2! = {:.4f}$,", "setup", "math.log(2)"),
]

QUOTED = {}
