"""Exercise 4 of notebook 06: which divergence for which job?"""

from itertools import permutations

from course_utils.checks import Exercise, known_mistakes

# ------------------------------------------------- section 4: which divergence

NUMBERS = ("KL(p‖q)", "KL(q‖p)", "JSD", "MMD")
FORGIVES = "It forgives a q that ignores half of the data, which you then cannot store"
BOUNDED = "It is at most log 2, however badly a file is stored in bits"
NO_CODE = "It knows no code lengths: the price of a file is −log q"
HIDDEN = "It needs samples of p, the posterior, which you cannot draw"
UNKNOWN = "It needs the densities, and you have only samples"
TRAINED = "It needs the densities, or a discriminator that must be trained first"
GAME = "It is not bounded; the game of a GAN is"
KERNEL = "A kernel needs no discriminator; this game has one"
JOBS = (  # for each job its name, and why each number is wrong, "" for the right one
    ("compression", "", FORGIVES, BOUNDED, NO_CODE),
    ("the posterior", HIDDEN, "", HIDDEN, HIDDEN),
    ("a quick test of two samples", UNKNOWN, UNKNOWN, TRAINED, ""),
    ("the perfect discriminator", GAME, GAME, "", KERNEL),
)
RIGHT = tuple(reasons.index("") + 1 for _, *reasons in JOBS)


def choice():
    """The number of the divergence for each job."""
    return RIGHT


def _with(number, place):
    """The right answer, but for one job."""
    return lambda: (*RIGHT[:place], number, *RIGHT[place + 1 :])


def _wrong_choices():
    """A hint for each number at each job, and for what is no number of the four."""
    for place, (job, *reasons) in enumerate(JOBS):
        yield "the answers are numbers from 1 to 4: count the divergences from 1"
        yield from (_with(n, place) for n in range(-4, 13) if n not in range(1, 5))
        for number, reason in enumerate(reasons, 1):
            if reason:
                yield f"{NUMBERS[number - 1]} for {job}? {reason}"
                yield _with(number, place)
    for order in permutations(RIGHT):  # the job of the first wrong number is named
        if order != RIGHT:
            place = next(i for i in range(4) if order[i] != RIGHT[i])
            job, *reasons = JOBS[place]
            yield f"{NUMBERS[order[place] - 1]} for {job}? {reasons[order[place] - 1]}"
            yield lambda order=order: order


check_choice = Exercise(
    name="which divergence",
    solution=choice,
    draw=lambda seed: (),
    entries=("job 1", "job 2", "job 3", "job 4"),
    expected="one of the numbers 1, 2, 3, 4 for each job",
    hints=(
        "for each job: which of p and q can I sample, which density do I know?",
        "an average over p needs samples of p; a kernel needs only samples; a code "
        "length is −log q",
        "section 4 for job 1, notebook 03 for job 2, section 6 for job 3, notebook 05 "
        "for job 4",
    ),
    mistakes=known_mistakes(*_wrong_choices()),
).check
