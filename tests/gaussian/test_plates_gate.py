"""Plate diagrams refuse what is no diagram, before they draw."""

import pytest

from course_utils.gaussian.plates import MODELS, draw_models, draw_plates
from tests.drawn import Picture, named, refuses_nonsense
from tests.hostile import refuses

NODES, EDGES, PLATES = MODELS["Gaussian"]
GOOD = {"nodes": NODES, "edges": EDGES, "plates": PLATES, "title": "a model"}
PICTURES = named(
    Picture(draw_plates, GOOD, free=("edges empty", "plates empty")),
    Picture(draw_models, {}, (2, 3)),
)


@pytest.mark.parametrize("picture", PICTURES)
def test_nonsense_is_refused_before_anything_is_drawn(picture):
    refuses_nonsense(picture)


@pytest.mark.parametrize("edge", ["t - x", "t -> y", "t->x", "t -> t", "", "t -> x x"])
def test_an_edge_joins_two_nodes(ax, edge):
    refuses(lambda: draw_plates(ax, NODES, [edge], PLATES), "edges[0] must be")
    assert not ax.patches


def test_nodes_at_one_place_have_no_arrow(ax):
    nodes = {name: (name, 0, 0, "latent") for name in "ab"}
    refuses(lambda: draw_plates(ax, nodes, ["a -> b"], {}), "edges[0] must be")
    draw_plates(ax, nodes, [], {})
