"""Exercise of notebook 07: classifier-free guidance, one line."""

from course_utils.checks import Exercise, Extreme, known_mistakes, noise


def guided(with_words, without, w):
    """v_c + w (v_c − v_∅), the convention of Ho and Salimans 2022."""
    return with_words + w * (with_words - without)


def _as_a_sum(with_words, without, w):
    return (1 + w) * with_words - w * without


def _from_without(with_words, without, w):
    return without + (1 + w) * (with_words - without)


def _draw(seed, n=6, d=3):
    strength = 0.5 + noise(seed + 40, 1).abs().item()
    return noise(seed, n, d), noise(seed + 20, n, d), strength


check_guided = Exercise(
    name="guidance",
    solution=guided,
    also=(_as_a_sum, _from_without),
    draw=_draw,
    expected="a slope for each example, of the shape of v_c: (n, d)",
    hints=(
        "begin at v_c, and go on in the direction that the words have added",
        "the words have added v_c − v_∅: w times that is added to v_c",
        "with_words + w * (with_words − without)",
    ),
    gradient=("with_words", "without"),
    extremes=(
        Extreme(
            "it is right, except for w = 0: then only v_c is left",
            (noise(50, 3, 2), noise(51, 3, 2), 0.0),
        ),
        Extreme(
            "it is right, except for a negative w: do not clamp w",
            (noise(52, 3, 2), noise(53, 3, 2), -1.5),
        ),
        Extreme(
            "it is right, except for a large w: do not clamp it",
            (noise(54, 3, 2), noise(55, 3, 2), 30.0),
        ),
    ),
    mistakes=known_mistakes(
        "this is the convention of Imagen, whose scale is 1 + w: there 1 means no "
        "guidance. Here w = 0 does: begin at v_c, not at v_∅",
        lambda c, e, w: e + w * (c - e),
        "the direction is turned round: the words have added v_c − v_∅, not v_∅ − v_c",
        lambda c, e, w: c + w * (e - c),
        "the roles of v_c and v_∅ are exchanged: this walks away from the words",
        lambda c, e, w: e + w * (e - c),
        "this is only what guidance adds, w (v_c − v_∅): add it to v_c",
        lambda c, e, w: w * (c - e),
        "w is missing: the difference counts w times",
        lambda c, e, w: c + (c - e),
        "v_∅ is added; what is left of it is −w v_∅ (sign)",
        lambda c, e, w: c + w * (c + e),
        "v_∅ counts w times, too: w stands before the bracket",
        lambda c, e, w: c + w * c - e,
        "v_c counts once more: (1 + w) v_c − w v_∅ is the sum",
        lambda c, e, w: w * c - w * e + 2 * c,
        "v_c counts 1 + w times: the shares of v_c and v_∅ add up to 1",
        lambda c, e, w: c - w * e,
        lambda c, e, w: w * c - e,
        "(1 + w) must stand before v_c, and w before v_∅: their shares add up to 1",
        lambda c, e, w: (1 + w) * c - (1 + w) * e,
        lambda c, e, w: (1 + w) * (c - e) + c,
        "this is a mean of the two: guidance goes beyond v_c, away from v_∅",
        lambda c, e, w: (c + e) / 2,
        lambda c, e, w: (c + w * e) / (1 + w),
        "the sum is not divided by 1 + w: the shares 1 + w and −w add up to 1 already",
        lambda c, e, w: (c + w * (c - e)) / (1 + w),
        "brackets: (1 + w) multiplies v_c",
        lambda c, e, w: 1 + w * c - w * e,
        "this is v_c alone: without v_∅ there is no direction of the words",
        lambda c, e, w: c,
        "this is v_∅ alone, as if no words had been said",
        lambda c, e, w: e,
        "v_c is only made longer: the direction of the words is v_c − v_∅",
        lambda c, e, w: (1 + w) * c,
        lambda c, e, w: w * c,
        "the sum of both is not asked: v_∅ is subtracted",
        lambda c, e, w: c + e,
        lambda c, e, w: c + w * e,
        "the difference is a direction and keeps its signs: no abs(), no square",
        lambda c, e, w: c + w * (c - e).abs(),
        lambda c, e, w: c + w * (c - e) ** 2,
        "the difference keeps its length: it is not divided by its norm",
        lambda c, e, w: c + w * (c - e) / (c - e).norm(dim=1, keepdim=True),
        "one slope for each example is asked, shape (n, d): take no mean or sum",
        lambda c, e, w: (c + w * (c - e)).mean(dim=0),
        lambda c, e, w: (c + w * (c - e)).sum(dim=1),
        "w is a factor, not a power",
        lambda c, e, w: c + w**2 * (c - e),
        lambda c, e, w: c + (c - e).sign() * (c - e).abs() ** w,
    ),
).check
