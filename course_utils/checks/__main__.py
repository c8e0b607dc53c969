"""``python -m course_utils.checks 05``: the exercises of a notebook, for the teacher.

For each exercise: what is asked, its three hints, and the mistakes that it knows, with
what is said to each. ``--language vi`` says it in Vietnamese.
"""

import argparse
import importlib
from collections.abc import Iterator

from course_utils import messages
from course_utils.checks.exercise import Exercise, exercise_of
from course_utils.checks.slips import slips
from course_utils.checks.words import spell
from course_utils.messages import say, tell

ROOMS = {
    **{"01": "gaussian", "02": "mixture", "03": "variational"},
    **{"04": "vae", "05": "gan", "06": "divergences", "07": "beyond"},
}


def exercises(number: str) -> list[Exercise]:
    """The exercises of one notebook, in its order."""
    room = importlib.import_module(f"course_utils.{ROOMS[number]}.exercises")
    return [exercise_of(check) for check in room.CHECKS]


def sheet(exercise: Exercise, made: bool = False) -> Iterator[str]:
    """The lines of one exercise; with ``made`` those of the mistakes made from it."""
    yield f"{exercise.name} ({', '.join(exercise.names)})"
    yield f"  {say('expected is')} {say(exercise.expected)}"
    for number, hint in enumerate(exercise.hints, start=1):
        yield f"  {number}. {say(hint)}"
    by_hand = [extreme.hint for extreme in exercise.extremes]
    by_hand += [mistake.hint for mistake in exercise.mistakes]
    for hint in dict.fromkeys(by_hand):
        yield f"  ✗ {say(hint)}"
    solutions = (exercise.solution, *exercise.also)
    lines = [
        spell(slip.message, slip.values)
        for solution in solutions
        for slip in slips(solution)
    ]
    lines = list(dict.fromkeys(lines))
    if made:
        yield from (f"  + {line}" for line in lines)
    yield f"  {say('{n} more are made from the solution', n=len(lines))}"


def main() -> None:
    """Print the sheet of the notebook that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebook", choices=ROOMS, help="its number")
    parser.add_argument("--language", choices=messages.LANGUAGES, default="en")
    parser.add_argument("--made", action="store_true", help="also what slips make")
    args = parser.parse_args()
    messages.use(args.language)
    for exercise in exercises(args.notebook):
        tell("\n".join([*sheet(exercise, args.made), ""]))


if __name__ == "__main__":
    main()
