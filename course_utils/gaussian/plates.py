"""Plate diagrams: what depends on what, and what is repeated.

Grey circles are observed, white ones latent, dots are parameters, and a rounded frame
is repeated as often as its label says.
"""

from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch

from course_utils.arguments import require
from course_utils.drawing import listing, mapping, panel, panels, parts, takes
from course_utils.rules import number, one, word

RADIUS = 0.34
GREY = "#C8C8C8"
KINDS = ("parameter", "latent", "observed")


def _chain(name):
    """Three steps of time: a row of latent nodes over a row of observed ones."""
    return {
        f"{row}{t}": (f"${row}_{t}$", 1.3 * t - 2.6, height, kind)
        for t in (1, 2, 3)
        for row, height, kind in ((name, 1.3, "latent"), ("x", 0, "observed"))
    }


# name: (nodes {name: (label, x, y, kind)}, edges, plates {label: (left, bottom, right,
# top)}); an edge is "from -> to", or "a -- b" without a direction
MODELS = {
    "Gaussian": (
        {
            "t": ("$\\mu, \\sigma$", 0, 1.6, "parameter"),
            "x": ("$x_i$", 0, 0, "observed"),
        },
        ["t -> x"],
        {"$m$": (-0.7, -0.8, 0.7, 0.6)},
    ),
    "Gaussian mixture (GMM)": (
        {
            "p": ("$\\phi$", -0.8, 1.6, "parameter"),
            "t": ("$\\mu, \\Sigma$", 0.8, 1.6, "parameter"),
            "z": ("$z_i$", -0.8, 0, "latent"),
            "x": ("$x_i$", 0.8, 0, "observed"),
        },
        ["p -> z", "z -> x", "t -> x"],
        {"$m$": (-1.4, -0.8, 1.4, 0.6)},
    ),
    "Topic model (LDA)": (  # θ is drawn once per document, z and x once per word
        {
            "a": ("$\\alpha$", -1.5, 1.6, "parameter"),
            "q": ("$\\theta_d$", -1.5, 0, "latent"),
            "z": ("$z_{di}$", -0.2, 0, "latent"),
            "x": ("$x_{di}$", 1.1, 0, "observed"),
            "b": ("$\\beta$", 1.1, 1.6, "parameter"),
        },
        ["a -> q", "q -> z", "z -> x", "b -> x"],
        {"words": (-0.75, -0.78, 1.65, 0.55), "documents": (-2.1, -1.2, 1.85, 0.75)},
    ),
    "Hidden Markov model (HMM)": (
        _chain("z"),
        ["z1 -> z2", "z2 -> z3", "z1 -> x1", "z2 -> x2", "z3 -> x3"],
        {},
    ),
    "Conditional random field (CRF)": (  # no arrows: neighbours share a score
        _chain("y"),
        ["y1 -- y2", "y2 -- y3", "y1 -- x1", "y2 -- x2", "y3 -- x3"],
        {},
    ),
    "Deep generative model": (  # the arrow from z to x is a neural network
        {
            "z": ("$z_i$", -0.9, 0, "latent"),
            "x": ("$x_i$", 0.9, 0, "observed"),
            "t": ("$\\theta$ (network)", 0.9, 1.6, "parameter"),
        },
        ["z -> x", "t -> x"],
        {"$m$": (-1.5, -0.8, 1.5, 0.6)},
    ),
}


def _edge(value, name, given):
    """A text such as "z -> x", between two nodes at different places."""
    nodes, ends = given.values["nodes"], word(value, name).split()
    fits = len(ends) == 3 and ends[1] in ("->", "--") and {*ends[::2]} <= {*nodes}
    fits = fits and nodes[ends[0]][1:3] != nodes[ends[2]][1:3]
    require(**{name: (repr(value), fits, "'a -> b' or 'a -- b' for two of the nodes")})
    return value


@takes(
    ax=panel,
    nodes=mapping(parts(word, number, number, one(KINDS))),
    edges=listing(_edge, empty=True),
    plates=mapping(parts(number, number, number, number), empty=True),
    title=word,
)
def draw_plates(ax, nodes, edges, plates, title=""):
    """Draw one graphical model; ``MODELS`` shows the form of the three arguments."""
    rounded = {"boxstyle": "round,pad=0,rounding_size=0.15", "facecolor": "none"}
    for label, (left, bottom, right, top) in plates.items():
        size = (right - left, top - bottom)
        frame = FancyBboxPatch((left, bottom), *size, edgecolor="#555555", **rounded)
        ax.add_patch(frame)
        corner = (right - 0.08, bottom + 0.06)
        ax.text(*corner, label, ha="right", va="bottom", fontsize=12)
    for edge in edges:
        _draw_edge(ax, nodes, *edge.split())
    for label, x, y, kind in nodes.values():
        _draw_node(ax, label, x, y, kind)
    ax.set(xlim=(-2.3, 2.3), ylim=(-1.3, 2.3), title=title)
    ax.set_aspect("equal")
    ax.set_axis_off()


@takes(axes=panels(6))
def draw_models(axes):
    """The six models of the lecture, one on each of six axes."""
    for ax, (title, model) in zip(axes.flat, MODELS.items(), strict=True):
        draw_plates(ax, *model, title)


def _draw_node(ax, label, x, y, kind):
    if kind == "parameter":
        ax.add_patch(Circle((x, y), 0.07, color="black"))
        ax.text(x, y + 0.16, label, ha="center", va="bottom", fontsize=15)
        return
    style = {"facecolor": GREY if kind == "observed" else "white", "linewidth": 1.5}
    ax.add_patch(Circle((x, y), RADIUS, edgecolor="black", **style))
    ax.text(x, y, label, ha="center", va="center", fontsize=15)


def _draw_edge(ax, nodes, start, arrow, end):
    (_, x0, y0, kind0), (_, x1, y1, kind1) = nodes[start], nodes[end]
    # From border to border of the circles: the arrow stops before it meets a label.
    length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
    gaps = [0.1 if kind == "parameter" else RADIUS for kind in (kind0, kind1)]
    ux, uy = (x1 - x0) / length, (y1 - y0) / length
    tail = (x0 + gaps[0] * ux, y0 + gaps[0] * uy)
    head = (x1 - gaps[1] * ux, y1 - gaps[1] * uy)
    style = {"arrowstyle": "-|>" if arrow == "->" else "-", "mutation_scale": 14}
    style |= {"shrinkA": 0, "shrinkB": 0, "linewidth": 1.3, "color": "black"}
    ax.add_patch(FancyArrowPatch(tail, head, **style))
