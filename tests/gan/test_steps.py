"""Each usual mistake in a step of the generator gets the hint written for it."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_utils.gan import Generator
from course_utils.gan.exercises import check_generator_step
from course_utils.gan.steps import after, players, way
from tests.exercise_rules import rules
from tests.hostile import refuses


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
    return step(nn.Identity(), discriminator, optimizer, z)


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


def frozen(*names):
    def wrong(generator, discriminator, optimizer, z):
        for name in names:
            {"G": generator, "D": discriminator}[name].requires_grad_(False)
        return step(generator, discriminator, optimizer, z)

    return wrong


def without_gradients(*game):
    loss = step(*game)
    torch.set_grad_enabled(False)
    return loss


def calling(order):
    """A step with the right loss that does these things, in this order."""

    def wrong(generator, discriminator, optimizer, z):
        loss = real_label(discriminator(generator(z)))

        def moved_by_hand(player):
            with torch.no_grad():
                for parameter in player.parameters():
                    parameter -= 0.1 * parameter.grad

        calls = {
            "zero_grad": optimizer.zero_grad,
            "backward": lambda: loss.backward(retain_graph=True),
            "step": optimizer.step,
            "clip": lambda: nn.utils.clip_grad_norm_(generator.parameters(), 0.01),
            "slow": lambda: optimizer.param_groups[0].update(lr=0.01),
            "hand": lambda: moved_by_hand(generator),
            "hand_d": lambda: moved_by_hand(discriminator),
        }
        for word in order.split():
            calls[word]()
        return loss

    return wrong


def fakes_only(generator, discriminator, optimizer, z):
    return step(generator, lambda x: x, optimizer, z)


def wrong_owner(generator, discriminator, optimizer, z):
    optimizer.backward(real_label(discriminator(generator(z))))


def another_loss(generator, discriminator, optimizer, z):
    shown = fake_label(discriminator(generator(z)))
    step(generator, discriminator, optimizer, z)
    return shown


STEP = [
    (stepping(lambda d: F.logsigmoid(d).mean()), "wrong way"),
    (stepping(fake_label), "called fake"),
    (stepping(lambda d: torch.log(1 - d.sigmoid()).mean()), "log(1 − D)"),
    (stepping(lambda d: -F.logsigmoid(d).sum()), "take the mean"),
    (stepping(real_label, before="nothing"), "zero_grad() is missing"),
    (stepping(real_label, detach=True), "not in that of G"),
    (stepping(real_label, before="nothing", detach=True), "followed an old gradient"),
    (no_step, "optimizer.step() is missing"),
    (no_backward, "backward() is missing"),
    (no_grad, "torch.no_grad()"),
    (no_return, "Add `return loss`"),
    (stepping(lambda d: -F.logsigmoid(d.sigmoid()).mean()), "taken twice"),
    (stepping(lambda d: -torch.log(d).mean()), "not a probability"),
    (stepping(lambda d: -d.sigmoid().mean()), "log is missing"),
    (stepping(lambda d: -d.mean()), "Wasserstein"),
    (zero_grad_late, "throws the new gradient away"),
    (step_too_early, "came before backward()"),
    (loss_of_noise, "the noise z itself"),
    (loss_after, "the loss is that after the step"),
    (two_steps, "moved twice"),
    (with_optimizer(torch.optim.SGD, "G", "D"), "D has moved, too"),
    (with_optimizer(torch.optim.Adam, "G", "D"), "D has moved, too"),
    (with_optimizer(torch.optim.SGD, "D"), "D has moved, too"),
    (step_of_d_first, "D has moved, too"),
    (other_noise, "other noise than z"),
    (returning(lambda generator, logits: generator), "no number but a Generator"),
    (returning(lambda *both: (real_label(both[1]), 1)), "no number but a tuple"),
    (stepping(lambda d: F.softplus(-d)), "mean over"),
    (stepping(lambda d: real_label(d).item()), "item() comes after backward()"),
    (frozen("D"), "D is left frozen"),
    (frozen("G"), "G is frozen"),
    (frozen("G", "D"), "no gradient"),
    (without_gradients, "switched off"),
    (calling("zero_grad backward backward step"), "more than once"),
    (calling("zero_grad backward step step"), "moved twice"),
    (calling("backward step"), "zero_grad() is missing"),
    (calling("step"), "old gradient"),
    (calling(""), "the loss alone moves nothing"),
    (calling("zero_grad backward clip step"), "the gradient was changed"),
    (calling("slow zero_grad backward step"), "the settings of the optimizer"),
    (calling("zero_grad backward hand"), "not by the optimizer that is given"),
    (calling("zero_grad backward step hand"), "something else than optimizer.step()"),
    (calling("zero_grad backward hand_d step"), "D has moved, too"),
    (fakes_only, "D was not asked"),
    (wrong_owner, "backward() belongs to the loss"),
    (another_loss, "another number is returned"),
    (stepping(lambda d: real_label(d) + 1), "1 too large"),
    (stepping(lambda d: 2 * real_label(d)), "twice the right value"),
    (stepping(lambda d: F.softplus(-d).max()), "not the largest"),
    (stepping(lambda d: (d - 1).square().mean()), "least-squares"),
    (stepping(lambda d: F.cross_entropy(d, torch.ones_like(d).long())), "classes"),
    (stepping(lambda d: F.binary_cross_entropy(d, torch.ones_like(d))), "a logit"),
]

(
    test_wrong_answers_get_their_hint,
    test_right_answers_pass_and_stubs_are_no_error,
    *_,  # the rules of test_exercises look at the mistakes of every exercise
) = rules([(check_generator_step, step, STEP)])


@pytest.mark.parametrize("kind", [float, torch.as_tensor, torch.Tensor.numpy])
def test_the_loss_may_be_any_number(kind, capsys):
    check_generator_step(lambda *game: kind(torch.tensor(step(*game))))
    assert capsys.readouterr().out.startswith("✓")


def in_parts(generator, discriminator, optimizer, z):
    """The gradients of the parts of a batch add up to that of its mean."""
    optimizer.zero_grad()
    parts = [F.softplus(-discriminator(generator(x[None]))).sum() / len(z) for x in z]
    for part in parts:
        part.backward()
    optimizer.step()
    return sum(part.item() for part in parts)


def by_grad(generator, discriminator, optimizer, z):
    weights = list(generator.parameters())
    loss = F.softplus(-discriminator.forward(generator.forward(z))).mean()
    for weight, slope in zip(weights, torch.autograd.grad(loss, weights), strict=True):
        weight.grad = slope
    optimizer.step()
    return loss


def by_a_closure(generator, discriminator, optimizer, z):
    def loss():
        generator.zero_grad()
        value = -discriminator.probability(generator(z)).log().mean()
        value.backward()
        return value

    return optimizer.step(loss)


def frozen_for_a_while(generator, discriminator, optimizer, z):
    discriminator.requires_grad_(False).eval()
    loss = step(generator, discriminator, optimizer, z)
    discriminator.requires_grad_(True).train()
    return loss


@pytest.mark.parametrize(
    "answer", [in_parts, by_grad, by_a_closure, frozen_for_a_while]
)
def test_a_step_may_be_written_in_any_way(answer, capsys):
    check_generator_step(answer)
    assert capsys.readouterr().out == "✓ generator step: correct.\n"


def test_a_stub_and_a_step_that_returns_nothing_are_told_apart(capsys):
    def stub(generator, discriminator, optimizer, z):
        return None  # your lines here

    check_generator_step(stub)
    check_generator_step(no_return)
    check_generator_step(calling(""), hint=True)
    attempted, returned, hinted = capsys.readouterr().out.splitlines()
    assert attempted.startswith("○ generator step: not attempted yet")
    assert "Add `return loss`" in returned
    assert "alone moves nothing" in hinted
    assert " hint: " in hinted
    assert torch.is_grad_enabled()


def test_a_step_is_a_function_and_noise_has_rows():
    for bad in (None, 3, "step"):
        refuses(lambda bad=bad: after(bad), "step must be a function")
        refuses(lambda bad=bad: way(bad), "generator must be a Generator")
    refuses(lambda: way(Generator()), "generator must be one with settings")
    with torch.inference_mode():  # switched off outside, on in the step
        loss, gone = after(step)(torch.ones(4, 3))
    assert gone.abs().sum() > 0 and loss > 0
    for bad in (
        None,
        [[1.0]],
        torch.zeros(4, 2),
        torch.zeros(3),
        torch.ones(2, 3).int(),
    ):
        refuses(lambda bad=bad: players(bad), "z must")
