"""The shared pieces of the pictures: colours, curves, densities in the plane."""

import os

import matplotlib as mpl
import pytest
import torch
from matplotlib import pyplot as plt
from matplotlib.patches import Circle
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from torch.distributions import Normal

from course_utils import style
from course_utils.data import ring_of_gaussians
from course_utils.training import setup

pytestmark = pytest.mark.usefixtures("course_style")


def test_every_role_has_its_own_colour():
    assert len(set(style.COLOUR.values())) == len(style.COLOUR)
    assert len(set(style.GROUPS)) == len(style.GROUPS)


def test_density_curve_is_the_density(ax):
    grid = torch.linspace(-3, 3, 50)
    line = style.plot_density(ax, Normal(0.0, 1.0), grid, label="model")
    torch.testing.assert_close(
        torch.as_tensor(line.get_ydata()), Normal(0.0, 1.0).log_prob(grid).exp()
    )
    assert line.get_color() == style.COLOUR["model"]


def test_density_2d_is_high_at_the_modes(ax):
    ring = ring_of_gaussians(sigma=0.4)
    contours = style.plot_density_2d(ax, ring, half_width=4)
    assert contours.levels[0] > 0
    assert ax.get_aspect() == 1.0
    style.plot_modes(ax, ring)
    circles = [patch for patch in ax.patches if isinstance(patch, Circle)]
    assert len({circle.center for circle in circles}) == 8
    assert {circle.radius for circle in circles} == {3 * 0.4}


# --- whatever the reader has set -----------------------------------------------------

OWN = {"text.usetex": True, "savefig.bbox": "tight", "figure.dpi": 300, "axes.grid": 1}
OWN |= {"font.family": "monospace", "image.origin": "upper", "axes.facecolor": "k"}
OWN |= {"axes.titlecolor": "w", "legend.labelcolor": "w", "text.color": "w"}


@pytest.mark.parametrize("readers", [*plt.style.available, pytest.param(OWN, id="own")])
def test_nothing_of_the_readers_style_shines_through(readers):
    with mpl.rc_context():
        setup()
        expected = dict(mpl.rcParams)
        plt.style.use(readers)
        setup()
        assert dict(mpl.rcParams) == expected


@pytest.mark.parametrize(
    "backend",
    ["Agg", *(pytest.param(b, marks=pytest.mark.slow) for b in ("svg", "Qt5Agg"))],
)
def test_a_backend_without_a_window_does_not_hide_the_figures(backend):
    """MPLBACKEND of the reader, in a kernel that course.py has not started."""
    sources = [
        "from course_utils.training import setup\nsetup()",
        "import matplotlib.pyplot as plt\nplt.plot([0, 1])\nplt.show()",
    ]
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    client = NotebookClient(notebook, kernel_name="python3", startup_timeout=120)
    client.execute(env=os.environ | {"MPLBACKEND": backend})
    assert notebook.cells[0].outputs == []
    (figure,) = notebook.cells[1].outputs
    assert "image/png" in figure.data
