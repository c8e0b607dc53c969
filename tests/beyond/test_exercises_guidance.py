"""Notebook 07: typical answers for guidance, each with its hint."""

from course_utils.beyond.exercises.guidance import check_guided
from tests.exercise_rules import rules

WRONG = [
    (lambda c, e, w: e + w * (c - e), "convention of Imagen"),
    (lambda c, e, w: (1 - w) * e + w * c, "convention of Imagen"),
    (lambda c, e, w: c + w * (e - c), "turned round"),
    (lambda c, e, w: e + w * (e - c), "exchanged"),
    (lambda c, e, w: w * (c - e), "only what guidance adds"),
    (lambda c, e, w: 2 * c - e, "w is missing"),
    (lambda c, e, w: c - w * e, "add up to 1"),
    (lambda c, e, w: c, "v_c alone"),
    (lambda c, e, w: (1 + w) * c, "only made longer"),
    (lambda c, e, w: c + min(w, 10.0) * (c - e), "large w"),
    (lambda c, e, w: c + max(w, 0.0) * (c - e), "negative w"),
    (lambda c, e, w: (c + w * (c - e)) / (1 + w), "not divided by 1 + w"),
    (lambda c, e, w: 1 + w * c - w * e, "(1 + w) multiplies v_c"),
    (lambda c, e, w: c + w * w * (c - e), "not a power"),
]


def right(c, e, w):
    return c - w * e + w * c


(
    test_wrong_answers_get_their_hint,
    test_right_answers_pass_and_stubs_are_no_error,
    test_no_mistake_looks_like_another,
    test_on_any_case_the_solutions_agree_and_mistakes_differ,
) = rules([(check_guided, right, WRONG)])
