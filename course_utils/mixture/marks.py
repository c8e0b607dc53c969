"""The marks of components in the plane: colours, shapes, ellipses, and their gates."""

import math

import torch
from matplotlib.colors import to_rgb
from matplotlib.markers import MarkerStyle

from course_utils.arguments import check_unit, require
from course_utils.drawing import having, listing, takes
from course_utils.mixture.gate import as_rows
from course_utils.mixture.model import check_mixture
from course_utils.rules import array, fit, shares
from course_utils.style import GROUPS

COMPONENTS = [*GROUPS[1:], GROUPS[0]]  # blue last: it is the colour of the whole model
MARKERS = ["o", "^", "s", "D", "v", "P"]
RGB = torch.tensor([to_rgb(colour) for colour in COMPONENTS], dtype=torch.float64)
PLANE = array("n", 2, dtype=torch.float64)
DOUBT = 0.9  # a point whose largest share is smaller gets a ring
TINY = 1e-9


def mixture_in(d=None, k=None, most=10**6):
    """The rule for a mixture of the course: its d, its k (or their letter)."""

    def rule(value, name, given=None):
        check_mixture(value, name)
        require(**{name: (f"d = {value.d}", d in (None, value.d), f"of d = {d}")})
        few = f"of at most {most} components"
        require(**{name: (f"k = {value.k}", value.k <= most, few)})
        if k is not None:
            fit((value.k,), (k,), f"the weights of {name}", given)
        return value

    return rule


@takes(points=having("set_paths", "set_facecolor"), r=shares(None, None))
def move_shares(points, r):
    """Give points that are already drawn the responsibilities ``r``."""
    r = shares_of(r)
    shapes = [MarkerStyle(m) for m in MARKERS[: r.shape[1]]]
    paths = [shape.get_path().transformed(shape.get_transform()) for shape in shapes]
    points.set_paths([paths[k] for k in r.argmax(1).tolist()])
    points.set_facecolor(mix_colours(r))
    points.set_linewidth((0.9 * (r.amax(1) < DOUBT)).tolist())


def mix_colours(r):
    """Responsibilities ``(n, k)`` as RGB ``(n, 3)``: a mixture of the k colours."""
    r = shares_of(r)
    return (r @ RGB[: r.shape[1]]).clamp(0, 1).numpy()


def shares_of(r):
    """Responsibilities ``(n, k)`` from 0 to 1, of no more components than colours."""
    r, most = as_rows(r, name="r").detach(), len(COMPONENTS)
    require(r=(f"{r.shape[1]} columns", r.shape[1] <= most, f"at most {most} columns"))
    check_unit(r, "r")
    return r


@takes(
    mixture=mixture_in(2, "k"),
    drawn=listing(listing(having("set_center"), "r"), "k"),
    radii=array("r", low=TINY),
)
def move_ellipses(drawn, mixture, radii=(1, 2)):
    """Put ellipses that are already drawn where the components of ``mixture`` are."""
    radii = radii.tolist()
    parameters = zip(drawn, mixture.means, mixture.covariances, strict=True)
    for rings, mean, covariance in parameters:
        # Its axes are eigenvectors of Σ; along each, σ is the root of the eigenvalue.
        values, vectors = torch.linalg.eigh(covariance)
        angle = math.degrees(math.atan2(vectors[1, 1], vectors[0, 1]))
        height, width = (2 * values.sqrt()).tolist()  # the largest eigenvalue is last
        for ring, radius in zip(rings, radii, strict=True):
            ring.set_center(mean.tolist())
            ring.set(width=radius * width, height=radius * height, angle=angle)
