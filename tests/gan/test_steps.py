"""Each usual mistake in a step of the generator gets the hint written for it."""

import pytest
import torch
from torch.nn import functional as F

from course_utils.gan.exercises import check_generator_step
from tests.exercise_rules import rules


def real_label(logits):
    return F.binary_cross_entropy_with_logits(logits, torch.ones_like(logits))


def fake_label(logits):
    return F.binary_cross_entropy_with_logits(logits, torch.zeros_like(logits))


def step(generator, discriminator, optimizer, z):
    optimizer.zero_grad()
    loss = real_label(discriminator(generator(z)))
    loss.backward()
    optimizer.step()
    return loss.item()


def stepping(loss, before="zero_grad", detach=False):
    def wrong(generator, discriminator, optimizer, z):
        fakes = generator(z).detach() if detach else generator(z)
        value = loss(discriminator(fakes))
        if before == "zero_grad":
            optimizer.zero_grad()
        value.backward()
        optimizer.step()
        optimizer.zero_grad()
        return value

    return wrong


def no_step(generator, discriminator, optimizer, z):
    loss = -F.logsigmoid(discriminator(generator(z))).mean()
    optimizer.zero_grad()
    loss.backward()
    return loss


def no_backward(generator, discriminator, optimizer, z):
    loss = -F.logsigmoid(discriminator(generator(z))).mean()
    optimizer.zero_grad()
    optimizer.step()
    return loss


def no_grad(generator, discriminator, optimizer, z):
    optimizer.zero_grad()
    with torch.no_grad():
        loss = -F.logsigmoid(discriminator(generator(z))).mean()
    loss.backward()
    return loss


def no_return(generator, discriminator, optimizer, z):
    step(generator, discriminator, optimizer, z)


def zero_grad_late(generator, discriminator, optimizer, z):
    loss = real_label(discriminator(generator(z)))
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
    return loss


def step_too_early(generator, discriminator, optimizer, z):
    optimizer.zero_grad()
    loss = real_label(discriminator(generator(z)))
    optimizer.step()
    loss.backward()
    return loss


def loss_of_noise(generator, discriminator, optimizer, z):
    return step(torch.nn.Identity(), discriminator, optimizer, z)


def loss_after(generator, discriminator, optimizer, z):
    step(generator, discriminator, optimizer, z)
    return real_label(discriminator(generator(z))).item()


def two_steps(*game):
    step(*game)
    return step(*game)


def with_optimizer(make, *of):
    """A step with an optimizer of the learner's own, for G, for D or for both."""

    def wrong(generator, discriminator, optimizer, z):
        parts = {"G": generator, "D": discriminator}
        own = make([p for name in of for p in parts[name].parameters()], lr=0.5)
        return step(generator, discriminator, own, z)

    return wrong


def step_of_d_first(generator, discriminator, optimizer, z):
    own = torch.optim.SGD(discriminator.parameters(), lr=0.1)
    own.zero_grad()
    fake_label(discriminator(generator(z).detach())).backward()
    own.step()
    return step(generator, discriminator, optimizer, z)


def other_noise(generator, discriminator, optimizer, z):
    return step(generator, discriminator, optimizer, torch.randn_like(z))


def returning(result):
    def wrong(generator, discriminator, optimizer, z):
        step(generator, discriminator, optimizer, z)
        return result(generator, discriminator(generator(z)))

    return wrong


STEP = [
    (stepping(lambda d: F.logsigmoid(d).mean()), "wrong way"),
    (stepping(fake_label), "called fake"),
    (stepping(lambda d: torch.log(1 - d.sigmoid()).mean()), "log(1 − D)"),
    (stepping(lambda d: -F.logsigmoid(d).sum()), "take the mean"),
    (stepping(real_label, before="nothing"), "zero_grad() is missing"),
    (stepping(real_label, detach=True), "not in that of G"),
    (stepping(real_label, before="nothing", detach=True), "followed an old one"),
    (no_step, "optimizer.step() is missing"),
    (no_backward, "backward() is missing"),
    (no_grad, "torch.no_grad()"),
    (no_return, "add `return loss`"),
    (stepping(lambda d: -F.logsigmoid(d.sigmoid()).mean()), "taken twice"),
    (stepping(lambda d: -torch.log(d).mean()), "not a probability"),
    (stepping(lambda d: -d.sigmoid().mean()), "log is missing"),
    (stepping(lambda d: -d.mean()), "Wasserstein"),
    (zero_grad_late, "throws the new gradient away"),
    (step_too_early, "missing after backward()"),
    (loss_of_noise, "noise z itself"),
    (loss_after, "the loss is that after the step"),
    (two_steps, "moved twice"),
    (with_optimizer(torch.optim.SGD, "G", "D"), "D has moved, too"),
    (with_optimizer(torch.optim.Adam, "G", "D"), "D has moved, too"),
    (with_optimizer(torch.optim.SGD, "D"), "D has moved, too"),
    (step_of_d_first, "D has moved, too"),
    (other_noise, "changes from call to call"),
    (returning(lambda generator, logits: -logits), "return the loss as one number"),
    (returning(lambda generator, logits: generator), "return the loss as one number"),
    (
        returning(lambda *both: (real_label(both[1]), 1)),
        "return the loss as one number",
    ),
    (stepping(lambda d: F.softplus(-d)), "take the mean first"),
    (stepping(lambda d: real_label(d).item()), "item() comes after backward()"),
]

(
    test_wrong_answers_get_their_hint,
    test_right_answers_pass_and_stubs_are_no_error,
    _,  # the rules of test_exercises look at the mistakes of every exercise
) = rules([(check_generator_step, step, STEP)])


@pytest.mark.parametrize("kind", [float, torch.as_tensor, torch.Tensor.numpy])
def test_the_loss_may_be_any_number(kind, capsys):
    check_generator_step(lambda *game: kind(torch.tensor(step(*game))))
    assert capsys.readouterr().out.startswith("✓")
