"""Pictures of notebook 06, section 6: what can be estimated from samples only."""

import torch
from matplotlib.ticker import MaxNLocator

from course_utils.divergences.pictures import BARS, STYLES, log_counts
from course_utils.drawing import having, mapping, panels, takes
from course_utils.rules import array, between, number, wholes
from course_utils.style import COLOUR


@takes(axes=panels("k"), climbs=mapping(array(2, None), "k"), truth=number)
def plot_climb(axes, climbs, truth):
    """The bound on the JSD while a discriminator learns, with the JSD dashed.

    ``climbs`` maps a title to values ``(2, steps)`` in nats: on the examples that are
    learned from, and on new ones.
    """
    styles = [
        {"color": STYLES["js"]["color"], "label": "on its own examples"},
        {"color": "black", "linestyle": "--", "label": "on new examples"},
    ]
    for ax, (title, curves) in zip(axes, climbs.items(), strict=True):
        for style, values in zip(styles, curves, strict=True):
            ax.plot(range(1, len(values) + 1), values, **style)
        line = {"color": COLOUR["target"], "linestyle": ":", "linewidth": 2.5}
        ax.axhline(truth, label="true JSD", **line)
        ax.set(title=title, xlabel="step", ylim=(-0.05, 0.4))
        ax.legend(loc="lower right")
    axes[0].set_ylabel("bound on JSD, nats")


@takes(
    axes=panels(2),
    sizes=wholes(1, 10**9, "n"),
    mmd2=array("n", None),
    truth_mmd2=number,
    jsd=mapping(array("n", None), most=2),
    truth_jsd=number,
)
def plot_estimates(axes, sizes, mmd2, truth_mmd2, jsd, truth_jsd):
    """Section 6: estimates against n; ``mmd2`` and each ``jsd`` are (sizes, runs)."""
    sizes = sizes.tolist()
    panels = ({"unbiased": mmd2}, truth_mmd2), (jsd, truth_jsd)
    styles = [STYLES["mmd"], STYLES["js"], {"color": "black", "marker": "v"}]
    for ax, (estimates, truth) in zip(axes, panels, strict=True):
        for shift, (name, runs) in enumerate(estimates.items()):
            style = {**styles[shift + (ax is axes[1])], "linestyle": "none"}
            low, high = runs.amin(1), runs.amax(1)
            spread = torch.stack([runs.mean(1) - low, high - runs.mean(1)])
            at = torch.tensor(sizes) * (1 + 0.12 * shift)  # beside each other
            bars = {"capsize": 4, "elinewidth": 2, "label": name}
            ax.errorbar(at, runs.mean(1), spread, **style, **bars)
        ax.axhline(truth, color=COLOUR["target"], linestyle="--", label="truth")
        log_counts(ax, sizes, "examples from each side")
        ax.legend(loc="lower right")
    axes[0].set_title("MMD²: a kernel is enough")
    axes[1].set_title("JSD (nats): a discriminator is trained")


@takes(
    axes=panels("k"),
    tests=mapping(
        having(permuted=array(None), mmd2=number, p_value=between(0, 1)), "k"
    ),
)
def plot_permutation(axes, tests):
    """Section 6: statistics after shuffles, and the one of the given order."""
    for ax, (name, test) in zip(axes, tests.items(), strict=True):
        ax.hist(test.permuted, 30, label="shuffled", **BARS)
        ax.axvline(test.mmd2, color="black", linewidth=3, label="as given")
        ax.set(title=f"{name}: p-value {test.p_value:.3f}", xlabel="MMD²")
        ax.xaxis.set_major_locator(MaxNLocator(5))
        ax.legend(loc="upper center")
    axes[0].set_ylabel("shuffles")
