"""Checks of the exercises: they say what is wrong, not only that it is.

``exercise`` is what an exercise is. ``attempts`` runs an answer and reads what came
back, ``diagnosis`` looks for what explains it: one step from the right result
(``relations``), or a wrong answer that ``slips`` makes from the solution, by ``edits``
of its source (``calls`` for those of calls), said in the ``words`` of the formula.
``choice`` lets an accepted answer run in the cells that follow, ``shelf`` keeps it.
"""

from course_utils.checks.choice import chosen, restarting
from course_utils.checks.exercise import (
    Exercise,
    Extreme,
    Mistake,
    Trait,
    exercise_of,
    f64,
    known_mistakes,
    noise,
)
from course_utils.checks.shelf import keep, kept

__all__ = ["Exercise", "Extreme", "Mistake", "Trait", "chosen", "exercise_of", "f64"]
__all__ += ["keep", "kept", "known_mistakes", "noise", "restarting"]
