"""What every check of an exercise must do; each test file brings its answers."""

import pytest

from course_utils.checks import exercise, exercise_of
from course_utils.checks.diagnosis import equal

SEEDS = range(3, 9)  # cases that no check has


def rules(answers, not_compared=()):
    """Four tests for ``answers``, a list of (check, right answer, [(wrong, hint)]).

    Exercises named in ``not_compared`` may give two of their mistakes one result.
    """
    wrong = [(check, *pair) for check, _, pairs in answers for pair in pairs]
    right = [(check, answer) for check, answer, _ in answers]
    every = [exercise_of(check) for check, *_ in answers]
    known = [each for each in every if each.name not in not_compared]

    @pytest.mark.parametrize(("check", "answer", "hint"), wrong)
    def wrong_answers_get_their_hint(check, answer, hint, capsys):
        check(answer)
        line = capsys.readouterr().out
        assert line.startswith("✗")
        assert hint in line

    @pytest.mark.parametrize(("check", "answer"), right)
    def right_answers_pass_and_stubs_are_no_error(check, answer, capsys, monkeypatch):
        monkeypatch.setattr(exercise, "_given", exercise.Counter())
        check(answer)
        check(lambda *args: None)
        for _ in range(3):
            check(lambda *args: None, hint=True)
        check(None)
        passed, stub, *hints, no_function = capsys.readouterr().out.splitlines()
        assert passed.startswith("✓")
        assert stub.startswith("○")
        assert "hint=True" in stub
        assert len(set(hints)) == 3
        assert no_function.startswith("✗")

    @pytest.mark.parametrize("exercise", known, ids=lambda exercise: exercise.name)
    def no_mistake_looks_like_another(exercise):
        """Otherwise a learner would read the hint of somebody else's error."""
        for mistake in exercise.mistakes:
            assert mistake.hint in exercise.verdict(mistake.wrong)

    @pytest.mark.parametrize("exercise", every, ids=lambda exercise: exercise.name)
    def on_any_case_the_solutions_agree_and_mistakes_differ(exercise):
        """No check passes or fails by the luck of its numbers."""
        mistakes = [mistake.wrong for mistake in exercise.mistakes]
        for seed in SEEDS:
            case = exercise.draw(seed)
            right = exercise.right(case)
            for other in exercise.also:
                assert equal(exercise, [exercise.with_entries(other(*case))], [right])
        differs = dict.fromkeys(mistakes, False)
        cases = [exercise.draw(seed) for seed in SEEDS]
        for case in [*cases, *(extreme.case for extreme in exercise.extremes)]:
            right = exercise.right(case)
            for wrong_answer in mistakes:
                differs[wrong_answer] |= not _passes(
                    exercise, wrong_answer, case, right
                )
        assert all(differs.values())

    return (
        wrong_answers_get_their_hint,
        right_answers_pass_and_stubs_are_no_error,
        no_mistake_looks_like_another,
        on_any_case_the_solutions_agree_and_mistakes_differ,
    )


def told(cases):
    """One test for ``cases`` of (check, answer, hint); right answers have none, ""."""

    @pytest.mark.parametrize(("check", "answer", "hint"), cases)
    def answers_are_told(check, answer, hint, capsys):
        check(answer)
        line = capsys.readouterr().out
        assert line.startswith("✗" if hint else "✓"), line
        assert hint in line

    return answers_are_told


def _passes(exercise, answer, case, right):
    try:
        made = exercise.with_entries(answer(*case))
    except (RuntimeError, TypeError, ValueError, IndexError):
        return False
    return len(made) == len(right) and equal(exercise, [made], [right])
