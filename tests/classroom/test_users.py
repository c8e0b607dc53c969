"""Names and passwords of a class; no user is made here."""

import math
from types import SimpleNamespace

import pytest

from classroom import users


@pytest.fixture
def system(monkeypatch, tmp_path):
    """Commands are noted, not run; ``known`` are the users that exist."""
    noted, known = [], set()

    def run(*command, given=None):
        noted.append((command, given))
        if command[0] == "useradd":
            known.add(command[-1])
            (tmp_path / command[-1]).mkdir()
        fails = command[0] == "id" and command[1] not in known
        return SimpleNamespace(returncode=int(fails), stderr="")

    monkeypatch.setattr(users, "run", run)
    monkeypatch.setattr(users, "home", lambda name: tmp_path / name)
    return SimpleNamespace(noted=noted, known=known, homes=tmp_path)


def test_names_of_a_list():
    assert users.names("an.nguyen\n\n binh \nan.nguyen\n") == ["an.nguyen", "binh"]


@pytest.mark.parametrize("name", ["An", "-rf", "a b", "../x", "root:x", "é", "1a"])
def test_what_is_no_name(name):
    with pytest.raises(ValueError, match="is no user name"):
        users.names(name)


def test_passwords_are_long_and_differ():
    words = users.WORDS.split()
    assert len(set(words)) == len(words)
    assert 4 * math.log2(len(words)) > 24
    drawn = {users.password() for _ in range(100)}
    assert len(drawn) == 100
    assert all(set(word.split("-")) <= set(words) for word in drawn)


def test_a_user_gets_a_closed_home_and_a_password(system, tmp_path, capsys):
    (tmp_path / "list").write_text("an\nbinh\n")
    system.known.add("binh")
    assert users.main([str(tmp_path / "list")]) == 0
    first, second = capsys.readouterr().out.splitlines()
    name, word = first.split(": ")
    assert name == "an" and word.count("-") == 3
    assert second == "binh: was there, the password stays"
    assert (system.homes / "an").stat().st_mode & 0o077 == 0
    given = [given for command, given in system.noted if command[0] == "chpasswd"]
    assert given == [f"an:{word}\n"]  # not where `ps` would show it


def test_users_go_with_their_homes(system, tmp_path, capsys):
    (tmp_path / "list").write_text("an\n")
    assert users.main([str(tmp_path / "list"), "--remove"]) == 0
    assert (("userdel", "--remove", "an"), None) in system.noted


def test_a_refusal_is_one_sentence(system, tmp_path, monkeypatch, capsys):
    (tmp_path / "list").write_text("an\n")
    refusal = SimpleNamespace(returncode=1, stderr="Permission denied.\n")
    monkeypatch.setattr(users, "run", lambda *command, given=None: refusal)
    assert users.main([str(tmp_path / "list")]) == 1
    assert capsys.readouterr().err == "an was not made: Permission denied.\n"
    assert users.main([str(tmp_path / "none")]) == 1
    assert "No such file" in capsys.readouterr().err
