"""The plate diagrams show every node, edge and plate, and what is observed."""

import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch

from course_utils.gaussian.plates import GREY, MODELS, draw_models, draw_plates

pytestmark = pytest.mark.usefixtures("course_style")


@pytest.mark.parametrize("name", MODELS)
def test_plates_show_every_node_edge_and_plate(ax, name):
    nodes, edges, plates = MODELS[name]
    draw_plates(ax, nodes, edges, plates, title=name)
    circles = [patch for patch in ax.patches if isinstance(patch, Circle)]
    assert len(circles) == len(nodes)
    arrows = [patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]
    assert len(arrows) == len(edges)
    frames = [patch for patch in ax.patches if isinstance(patch, FancyBboxPatch)]
    assert len(frames) == len(plates)
    written = {text.get_text() for text in ax.texts}
    assert written == {node[0] for node in nodes.values()} | set(plates)


def test_observed_nodes_are_grey_and_latent_ones_white(ax):
    nodes = {"z": ("z", 0, 0, "latent"), "x": ("x", 1, 0, "observed")}
    draw_plates(ax, nodes, ["z -> x"], {})
    faces = [patch.get_facecolor() for patch in ax.patches if isinstance(patch, Circle)]
    assert faces == [to_rgba(name) for name in ("white", GREY)]


def test_every_directed_model_has_data_that_are_observed():
    for nodes, _, _ in MODELS.values():
        assert "observed" in {kind for _, _, _, kind in nodes.values()}


def test_every_model_of_the_lecture_gets_its_axes():
    axes = Figure().subplots(2, 3)
    draw_models(axes)
    assert [ax.get_title(loc="left") for ax in axes.flat] == list(MODELS)
