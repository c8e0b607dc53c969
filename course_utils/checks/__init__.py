"""Checks of the exercises: they say what is wrong, not only that it is.

``exercise`` is what an exercise is, and how its verdict is found. ``attempts`` runs an
answer, ``results`` reads what came back, ``relations`` compares it with the right
result. ``slips`` makes wrong answers from the solution, by the ``edits`` of its source.
``choice`` lets an accepted answer run in the cells that follow.
"""

from course_utils.checks.choice import chosen, restarting
from course_utils.checks.exercise import (
    Exercise,
    Extreme,
    Mistake,
    Trait,
    f64,
    known_mistakes,
    noise,
)

__all__ = [
    "Exercise",
    "Extreme",
    "Mistake",
    "Trait",
    "chosen",
    "f64",
    "known_mistakes",
    "noise",
]
__all__ += ["restarting"]
