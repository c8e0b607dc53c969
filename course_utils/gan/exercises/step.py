"""Exercise 4 of notebook 05: a step of G, judged by what it does in a small game."""

import torch
from torch.nn.functional import logsigmoid

from course_utils.checks import Exercise, known_mistakes, noise
from course_utils.checks.attempts import is_stub
from course_utils.checks.choice import accept, accepted
from course_utils.gan.steps import (
    FAULTS,
    LOSSES,
    START,
    after,
    players,
    right_loss,
    right_step,
    way,
)

WHOSE = "backward() belongs to the loss; step() and zero_grad() to the optimizer"


def generator_step(z):
    """The loss of one step of G, and the way that it has gone."""
    generator, discriminator, optimizer = players(z)
    loss = -logsigmoid(discriminator(generator(z))).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss, way(generator)


def _with_loss(loss, returned=None):
    """A function of z: the numbers of a step with another loss, without a step.

    ``returned`` is another number of the logits that is returned in place of the loss.
    """

    def numbers(z):
        generator, discriminator = START
        logits = discriminator(generator(z))
        value = loss(logits)
        slopes = torch.autograd.grad(value, list(generator.parameters()))
        found = value if returned is None else returned(logits)
        return found, torch.cat([slope.flatten() for slope in slopes])

    return numbers


def _late(z):
    """The right step, but the loss is asked once more, after it."""
    generator, discriminator, optimizer = players(z)
    right_step(generator, discriminator, optimizer, z)
    return right_loss(discriminator(generator(z))), way(generator)


_check_numbers = Exercise(
    name="generator step",
    solution=generator_step,
    draw=lambda seed: (noise(seed + 4, 7, 3),),
    expected="the loss, one number, after G has moved",
    entries=("the loss", "the way that G has gone"),
    hints=(
        "G wants to be called real: the loss is −log D(G(z)), a mean over the batch",
        "D returns logits: −logsigmoid(logits), or softplus(−logits). Then zero_grad, "
        "backward, step",
        "loss = -logsigmoid(discriminator(generator(z))).mean(), then "
        "optimizer.zero_grad(), loss.backward(), optimizer.step(), return loss",
    ),
    mistakes=known_mistakes(
        *(one if isinstance(one, str) else _with_loss(one) for one in LOSSES),
        "G has moved as it should, but the loss is that after the step: return the "
        "loss that you differentiated",
        _late,
        "G has moved as it should, but another number is returned: return the loss "
        "that you differentiated",
        *(_with_loss(right_loss, one) for one in LOSSES if callable(one)),
        _with_loss(right_loss, lambda logits: logits),
        _with_loss(right_loss, torch.sigmoid),
    ),
    error_hints=FAULTS
    | {
        "does not require grad": "the loss has no gradient: it was made inside "
        "torch.no_grad(), or with detach(), item() or a new tensor, or G is frozen",
        "between 0 and 1": "D returns a logit, not a probability: use …_with_logits",
        "x must have shape (n, 2)": "D judges the fakes G(z), not the noise z itself: "
        "discriminator(generator(z))",
        "'SGD' object has no": WHOSE,
        "has no attribute 'step'": WHOSE,
        "has no attribute 'zero_grad'": WHOSE,
        "'Tensor' object is not callable": "optimizer.step() takes no argument: the "
        "loss acts by loss.backward()",
        "second time": "backward() ran twice: call it once, before optimizer.step()",
        "class probabilities": "cross_entropy is for several classes: use "
        "binary_cross_entropy_with_logits",
    },
).check


def check_generator_step(answer, hint: bool = False) -> None:
    """Run ``answer`` in a small game, and print the verdict on what it does there."""
    judge = callable(answer) and not is_stub(answer)
    judged = after(answer) if judge else answer
    _check_numbers(judged, hint)
    accept(right_step, answer if judge and accepted(generator_step) is judged else None)


check_generator_step.exercise = _check_numbers.__self__
