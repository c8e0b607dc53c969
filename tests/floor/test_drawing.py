"""The gate of the pictures: sizes agree, sliders pass it, nothing is left over."""

import pytest
import torch
from matplotlib.figure import Figure

from course_utils.drawing import function, key_of, listing, mapping, panel, takes
from course_utils.rules import array, number, positive, word
from tests.hostile import refuses


@takes(
    ax=panel,
    x=array("n"),
    names=listing(word, "n"),
    table=mapping(array("n")),
    key=key_of("table"),
    scale=positive,
    f=function(number),
)
def draw_line(ax, x, names, table, key, scale=1.0, f=abs):
    """A picture with everything."""
    (line,) = ax.plot(x, scale * x)

    def update(key, scale=2.0):
        line.set_ydata(f(scale) * table[key])

    update(key, scale)
    return update


GOOD = {"x": [1, 2], "names": "ab", "table": {"p": [3, 4]}, "key": "p"}
GOOD |= {"names": ["a", "b"]}


def test_letters_are_one_size_in_all_arguments(ax):
    update = draw_line(ax, **GOOD)
    assert ax.lines[0].get_ydata().tolist() == [3, 4]
    update("p", scale=3)
    assert ax.lines[0].get_ydata().tolist() == [9, 12]
    wrong = {"names": ["a"], "table": {"p": [1.0]}, "key": "q", "scale": -1.0}
    for name, bad in wrong.items():
        refuses(lambda n=name, b=bad: draw_line(ax, **GOOD | {n: b}), name)
    refuses(lambda: draw_line(ax, **GOOD | {"names": ["a"]}), "as many as x has, got 1")
    for bad in ("q", None, True, 0):
        refuses(lambda bad=bad: update(bad), "key must be")
    refuses(lambda: update("p", 0), "scale must be above 0")


def test_what_fails_half_way_leaves_nothing(ax):
    def bad(scale):
        return torch.ones(3)

    refuses(lambda: draw_line(ax, **GOOD, f=bad), "what f returns must be a number")
    assert not ax.lines and not ax.has_data()


def test_the_function_keeps_its_name_and_python_its_errors(ax):
    assert draw_line.__name__ == "draw_line"
    assert draw_line.__doc__ == "A picture with everything."
    with pytest.raises(TypeError, match="missing a required argument: 'x'"):
        draw_line(ax)
    refuses(lambda: draw_line(Figure(), **GOOD), "ax must be axes")
