"""Hostile arguments for the pictures: refused by name before anything is drawn.

``Picture`` is one door: how many axes it takes, and arguments that fit, as plain lists
of numbers. From these the nonsense is made, and the same numbers in other clothes.
"""

import math
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from tests.hostile import clothes

FORMS = ("list", "backwards", "float", "whole numbers")  # ``clothes`` tests the gate


@dataclass(frozen=True)
class Picture:
    """``draw(axes, **good)`` works; ``free`` arguments may be anything at all."""

    draw: Callable
    good: dict = field(default_factory=dict)
    panels: tuple[int, ...] = ()  # () is one axes
    free: tuple[str, ...] = ()

    @property
    def first(self) -> str:
        """What the door calls its axes."""
        return "axes" if self.panels else "ax"

    def canvas(self):
        """Fresh axes as a notebook would make them."""
        return Figure().subplots(*self.panels, squeeze=not self.panels)


def is_numbers(value) -> bool:
    """Whether ``value`` is a list, and of lists, of numbers."""
    if isinstance(value, list) and value:
        return all(is_numbers(v) or type(v) in (int, float) for v in value)
    return False


def spoiled(value) -> dict[str, object]:
    """What stands nowhere for ``value``: its kind decides."""
    bad = {"none": None, "an object": object(), "a class": dict, "complex": 1j}
    if isinstance(value, str):
        return bad | {"a number": 3.5, "empty list": []}
    bad["text"] = "no such word"
    if callable(value):
        del bad["a class"]  # it can be called
        returns = {"none": None, "text": "text", "nan": torch.full((3, 3, 3), math.nan)}
        return bad | {
            f"returns {kind}": (lambda *_, what=what, **__: what)
            for kind, what in returns.items()
        }
    if isinstance(value, bool):
        return bad | {"a number": 1}
    if isinstance(value, int | float):
        bad |= {"nan": math.nan, "infinite": math.inf, "two": [1.0, 2.0], "true": True}
        return bad | ({"half": value + 0.5} if isinstance(value, int) else {})
    if is_numbers(value):
        tensor = torch.tensor(value, dtype=torch.float64)
        last = tensor.clone()
        last.view(-1)[-1] = math.nan
        bad |= {"nan": last, "infinite": last.nan_to_num(math.inf), "short": value[:0]}
        bad |= {"complex": tensor * 1j, "column": tensor[..., None], "flat": 1.0}
        return bad | {"ragged": [[1.0, 2.0], [3.0]]}
    if isinstance(value, dict):
        key, one = next(iter(value.items()))
        bad |= {"empty": {}, "a list": [*value]}
        return bad | {f"first: {k}": value | {key: v} for k, v in spoiled(one).items()}
    if isinstance(value, list | tuple):
        bad |= {"empty": type(value)(), "number": 2.0}
        inner = spoiled(value[0]).items()
        return bad | {f"first: {k}": type(value)([v, *value[1:]]) for k, v in inner}
    return bad


def artists(axes) -> int:
    """How much is drawn on the axes."""
    panels = axes.flat if isinstance(axes, np.ndarray) else [axes]
    return sum(len(ax.get_children()) for ax in panels)


def refuses_nonsense(picture: Picture) -> None:
    """All nonsense for all arguments is named, by us, and leaves the axes empty."""
    empty = picture.canvas()  # it stays so: one serves all
    for name, value in picture.good.items():
        if name in picture.free:
            continue
        for kind, bad in spoiled(value).items():
            if f"{name} {kind}" not in picture.free:
                _refuses(picture, empty, f"{name}, {kind}", {name: bad})
    many = [] if picture.panels else np.array([empty] * 2)
    for axes in (None, "ax", 3, Figure(), many):
        with pytest.raises((ValueError, TypeError), match=f"^{picture.first}"):
            picture.draw(axes, **picture.good)


def _refuses(picture, axes, where: str, wrong: dict) -> None:
    (name,), before = wrong, artists(axes)
    where = f"{picture.draw.__name__}: {where}"
    with pytest.raises((ValueError, TypeError)) as caught:
        picture.draw(axes, **picture.good | wrong)
        pytest.fail(f"{where} was drawn")
    place = traceback.extract_tb(caught.tb)[-1].filename
    assert "course_utils" in place, f"{where}: {caught.value!r} comes from {place}"
    assert name in str(caught.value), f"{where} is not named: {caught.value}"
    assert artists(axes) == before, f"{where}: something was drawn"


def shown(axes) -> torch.Tensor:
    """The numbers behind all lines, dots, patches and images."""
    numbers = []
    for ax in axes.flat if isinstance(axes, np.ndarray) else [axes]:
        numbers += [line.get_xydata() for line in ax.lines]
        numbers += [patch.get_path().vertices for patch in ax.patches]
        numbers += [image.get_array() for image in ax.images]
        for each in ax.collections:
            numbers += [each.get_offsets()]
            numbers += [path.vertices for path in each.get_paths()]
    flat = [np.ma.filled(np.ma.asarray(n, float), np.nan).ravel() for n in numbers]
    return torch.from_numpy(np.concatenate([np.zeros(1), *flat]))


def draws_the_same_in_all_clothes(picture: Picture) -> None:
    """Lists, arrays, 32 bits, whole numbers, tensors with a gradient: one picture."""
    for name, value in picture.good.items():
        if not is_numbers(value):
            continue
        tensor = torch.tensor(value, dtype=torch.float64)
        forms = {k: v for k, v in clothes(value).items() if k in FORMS}
        forms["gradient"] = tensor.clone().requires_grad_()
        expected = None
        for kind, form in forms.items():
            axes = picture.canvas()
            picture.draw(axes, **picture.good | {name: form})
            numbers = shown(axes)
            expected = numbers if expected is None else expected
            assert numbers.shape == expected.shape, (name, kind)
            torch.testing.assert_close(
                numbers, expected, rtol=1e-3, atol=1e-3, equal_nan=True
            )


def named(*pictures: Picture) -> list:
    """For ``pytest.mark.parametrize``: each under the name of its function."""
    return [pytest.param(p, id=p.draw.__name__) for p in pictures]
