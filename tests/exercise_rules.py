"""What every check of an exercise must do; each test file brings its answers."""

import pytest

from course_utils.checks import Exercise, Parts


def exercises_of(*modules):
    """Every ``Exercise`` behind the checks of these modules."""
    for check in [check for module in modules for check in vars(module).values()]:
        owner = getattr(check, "__self__", None)
        if isinstance(owner, Parts):
            yield from (exercise for _, exercise in owner.exercises)
        elif isinstance(owner, Exercise):
            yield owner


def rules(answers, *modules, not_compared=()):
    """Three tests for ``answers``, a list of (check, right answer, [(wrong, hint)]).

    Exercises named in ``not_compared`` may give two of their mistakes one result.
    """
    wrong = [(check, *pair) for check, _, pairs in answers for pair in pairs]
    right = [(check, answer) for check, answer, _ in answers]
    known = [each for each in exercises_of(*modules) if each.name not in not_compared]

    @pytest.mark.parametrize(("check", "answer", "hint"), wrong)
    def wrong_answers_get_their_hint(check, answer, hint, capsys):
        check(answer)
        line = capsys.readouterr().out
        assert line.startswith("✗")
        assert hint in line

    @pytest.mark.parametrize(("check", "answer"), right)
    def right_answers_pass_and_stubs_are_no_error(check, answer, capsys):
        check(answer)
        check(lambda *args: None)
        check(None)
        passed, stub, no_function = capsys.readouterr().out.splitlines()
        assert passed.startswith("✓")
        assert stub.startswith("○")
        assert "First hint" in stub
        assert no_function.startswith("✗")

    @pytest.mark.parametrize("exercise", known, ids=lambda exercise: exercise.name)
    def no_mistake_looks_like_another(exercise):
        """Otherwise a learner would read the hint of somebody else's error."""
        for mistake in exercise.mistakes:
            assert mistake.hint in exercise.verdict(mistake.wrong)

    return (
        wrong_answers_get_their_hint,
        right_answers_pass_and_stubs_are_no_error,
        no_mistake_looks_like_another,
    )
