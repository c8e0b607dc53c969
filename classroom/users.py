"""One Unix user for each participant: ``sudo python3 -m classroom.users names.txt``.

The file holds a name on each line, such as ``an.nguyen``. Each gets a home that nobody
else can open, the group that may log in, and a password of four words. It is printed
once: cut the lines apart, and hand them out. A user that exists keeps the password;
``--remove`` takes the users and their homes away.
"""

import argparse
import re
import secrets
import subprocess
import sys
from pathlib import Path

from classroom.settings import GROUP

NAME = re.compile(r"[a-z][a-z0-9._-]{0,30}")
WORDS = """
    apple autumn basket bridge candle cloud coffee copper corner dragon eagle ember
    falcon feather flower forest garden ginger hammer harbor island jasmine kettle
    ladder lantern lemon lotus marble meadow melon mirror monsoon mountain needle
    ocean olive orange paddle paper pencil pepper pillow pocket rabbit ribbon river
    rocket saddle silver spider spring stone summer table temple thunder tiger
    tunnel valley velvet violet walnut water window winter yellow
"""


def names(text: str) -> list[str]:
    """The names in a list, one a line; ``ValueError`` for what is no name in Unix."""
    found = [line.strip() for line in text.splitlines() if line.strip()]
    for name in found:
        if not NAME.fullmatch(name):
            raise ValueError(
                f"{name!r} is no user name: small letters, digits, '.', '_', '-'"
            )
    return list(dict.fromkeys(found))


def password() -> str:
    """Four words, drawn by the system's generator for secrets."""
    return "-".join(secrets.choice(WORDS.split()) for _ in range(4))


def run(*command: str, given: str | None = None) -> subprocess.CompletedProcess:
    """A command of the system, with what it reads."""
    return subprocess.run(command, input=given, text=True, capture_output=True)


def home(name: str) -> Path:
    """The home of a user."""
    return Path(f"~{name}").expanduser()


def add(name: str) -> str | None:
    """Make one user; returns the password, or None for a user that was there."""
    run("groupadd", "--force", GROUP)
    if run("id", name).returncode == 0:
        run("usermod", "--append", "--groups", GROUP, name)
        return None
    options = ["--create-home", "--groups", GROUP, "--shell=/bin/bash"]
    made = run("useradd", *options, name)
    if made.returncode:
        raise OSError(f"{name} was not made: {made.stderr.strip()}")
    home(name).chmod(0o700)
    word = password()
    if run("chpasswd", given=f"{name}:{word}\n").returncode:
        raise OSError(f"{name} has no password yet: chpasswd refused")
    return word


def main(arguments: list[str] | None = None) -> int:
    """Make or remove the users of a list; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("list", type=Path, help="a file with one name a line")
    parser.add_argument("--remove", action="store_true", help="also their homes")
    options = parser.parse_args(arguments)
    try:
        for name in names(options.list.read_text("utf-8")):
            if options.remove:
                run("userdel", "--remove", name)
                print(f"{name}: removed")
            else:
                print(f"{name}: {add(name) or 'was there, the password stays'}")
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
