"""Running an answer: on copies, with what it prints and what it changes."""

import torch

from course_utils.checks.attempts import (
    Attempt,
    copies,
    in_float32,
    is_stub,
    with_floats,
)

X, TWO = torch.arange(3.0).double(), torch.tensor(2.0).double()


def test_values_prints_and_changes():
    def answer(x, two):
        print("at", two.item())
        x += 1
        return x.sum()

    attempt = Attempt(answer, [(X, TWO), (X, 2 * TWO)])
    assert [value.item() for value in attempt.values] == [6.0, 6.0]
    assert attempt.printed == "at 2.0\n"
    assert attempt.changed == [0]
    assert not attempt.errors
    assert X.tolist() == [0.0, 1.0, 2.0]


def test_the_first_error_ends_it_and_is_kept_with_its_case():
    attempt = Attempt(lambda x: 1 / x, [(1,), (0,), (2,)])
    assert attempt.values == [1.0]
    assert attempt.errors == 2
    assert attempt.case == (0,)
    assert isinstance(attempt.error, ZeroDivisionError)


def test_the_same_case_in_other_forms():
    floats, small = with_floats((X, TWO, 3, "x")), in_float32((X, TWO, 3, "x"))
    assert floats[1:] == (2.0, 3, "x")
    assert isinstance(floats[1], float)
    assert small[0].dtype == small[1].dtype == torch.float32
    assert copies((X,))[0] is not X


def test_stubs():
    def empty(x):
        pass

    def documented(x):
        """Words."""
        return None

    def works(x):
        x.sum()

    def zero():
        return 0

    assert is_stub(empty)
    assert is_stub(documented)
    assert not is_stub(works)
    assert not is_stub(zero)
    assert not is_stub(len)


def test_an_optimizer_is_copied_with_its_network():
    network = torch.nn.Linear(2, 1)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.1)
    before = network.weight.detach().clone()
    for _ in range(2):  # also with the memory of Adam
        twin, its, x = copies((network, optimizer, torch.ones(3, 2)))
        twin(x).sum().backward()
        its.step()
        assert not torch.equal(twin.weight, network.weight)
        assert torch.equal(network.weight, before)
        assert network.weight.grad is None
        network(x).sum().backward()
        optimizer.step()
        optimizer.zero_grad()
        assert torch.equal(twin.weight, network.weight)  # the same step
        before = network.weight.detach().clone()
