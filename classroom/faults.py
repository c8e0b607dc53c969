"""What goes wrong in a class, tried on a running hub, and what a participant reads.

sudo .venv/bin/python -m classroom.faults cards.txt [--only NAME ...]

It takes the first two participants of ``cards.txt``. For the full disk it lays a small
disk in memory over the second one's home while it runs; it ends kernels and, with
``restart``, the hub itself. So it is for a hub on which nobody works.
"""

import argparse
import asyncio
import json
import os
import pwd
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import zmq
from tornado.httpclient import HTTPError

from classroom import settings
from classroom.load import cards
from classroom.visitor import Visitor

FIRST = "my_notebooks/01_mle_gaussian.ipynb"
SETUP = "from course_utils.training import setup; setup()"  # as each notebook begins


class Fault(Exception):
    """The hub did what it must not do."""


def expect(holds: bool, sentence: str) -> None:
    """Raise Fault with this sentence unless it holds."""
    if not holds:
        raise Fault(sentence)


async def seated(guest: Visitor) -> None:
    """Log in, start the server, open notebook 01."""
    expect(await guest.log_in(), f"{guest.name} is not let in")
    await guest.start_server()
    await guest.open(FIRST)


async def alive(guest: Visitor) -> None:
    """Raise Fault unless the kernel still answers."""
    answer = await guest.run("print(6 * 7)")
    gone = f"the kernel of {guest.name} is gone: {answer.error} {answer.text}"
    expect("42" in answer.text.splitlines(), gone)


def processes(name: str) -> dict[int, str]:
    """The processes of a Unix user: number and command line."""
    owner, found = pwd.getpwnam(name).pw_uid, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if folder.stat().st_uid == owner:
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                found[int(folder.name)] = line
        except OSError:
            continue  # it has just ended
    return found


def kernels(name: str) -> list[int]:
    """The process numbers of a user's kernels."""
    return [pid for pid, line in processes(name).items() if "ipykernel" in line]


def ports(name: str) -> list[int]:
    """The TCP ports on which a user's processes listen."""
    owner = str(pwd.getpwnam(name).pw_uid)
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening = [row for row in rows if row[3] == "0A" and row[7] == owner]
    return [int(row[1].split(":")[1], 16) for row in listening]


async def overheard(guest: Visitor) -> list[int]:
    """The ports at which anybody on this machine hears what a kernel prints."""
    with zmq.Context() as context, ExitStack() as stack:
        ears = {}
        for port in ports(guest.name):
            ear = stack.enter_context(context.socket(zmq.SUB))
            ear.linger = 0
            ear.subscribe(b"")
            ear.connect(f"tcp://127.0.0.1:{port}")
            ears[port] = ear
        for _ in range(3):  # a listener needs a moment to be known
            await asyncio.sleep(1)
            await guest.run("print('a secret')")
        return [port for port, ear in ears.items() if ear.poll(1000)]


async def doors(one: Visitor, two: Visitor) -> list[str]:
    """Nobody comes in without a password, and nobody to somebody else."""
    stranger = Visitor(one.address, one.name, "wrong-password")
    words = "Invalid username or password"
    answer = await stranger.knock()
    expect(words in answer.body.decode(), f"a wrong password: {answer.code}")
    said = [f"a wrong password: the form again, {words!r}"]
    for guest, who in ((stranger, "no login"), (two, f"{two.name}'s login")):
        for path in (f"api/contents/{FIRST}", f"files/{FIRST}", "api/kernels", "lab"):
            answer = await guest.ask("GET", one.home + path, follow=False)
            expect(answer.code in (302, 403), f"{who} opens {path}: {answer.code}")
            answer = await guest.ask("GET", one.home + path)
            inside = answer.code == 200 and answer.effective_url.startswith(one.home)
            expect(not inside, f"{who} opens {path} after the redirections")
    answer = await two.ask("GET", f"{one.address}/hub/api/users")
    expect(answer.code == 403, f"a participant lists the users: {answer.code}")
    said.append("another's address: 403, or the login form")
    for port in ports(one.name):
        direct = f"http://127.0.0.1:{port}/user/{one.name}/api/contents"
        with suppress(OSError, HTTPError):  # a kernel speaks no HTTP
            answer = await stranger.ask("GET", direct, follow=False, patience=5)
            expect(answer.code in (302, 403), f"port {port} is open: {answer.code}")
    said.append("the port of another's server, from a notebook: 403")
    heard = await overheard(one)
    expect(not heard, f"what {one.name} prints can be read at port {heard}")
    said.append("no port of another's kernel tells what it prints")
    return said


async def files(one: Visitor, two: Visitor) -> list[str]:
    """Nobody reads another's files, the hub's secrets, or writes in the course."""
    server = min(processes(one.name))
    said = []
    for code in (
        f"open('/home/{one.name}/{FIRST}')",
        f"__import__('os').listdir('/home/{one.name}')",
        f"open({str(settings.FOLDER / 'hub.sqlite')!r})",
        f"open({str(settings.FOLDER / 'cookie_secret')!r})",
        f"open('/proc/{server}/environ').read()",
        f"__import__('os').kill({server}, 9)",
        f"open({str(settings.COURSE / 'course_utils' / 'data.py')!r}, 'a')",
        f"open({str(settings.COURSE / 'notebooks' / 'new.ipynb')!r}, 'w')",
        f"open({str(Path(sys.prefix) / 'new.py')!r}, 'w')",
    ):
        answer = await two.run(code)
        refused = (answer.error or "").startswith("PermissionError")
        expect(refused, f"{two.name} may run {code}: {answer.error}")
        said.append(f"{code}: {answer.error}")
    return said


async def memory(one: Visitor, two: Visitor) -> list[str]:
    """A kernel that wants too much: first the inner fence, then the outer one."""
    before = await one.ask("GET", f"{one.home}api/contents/{FIRST}")
    await one.run(SETUP)
    size = settings.ALL_MIB * 2**18  # as float32: all that a participant may have
    said = []
    for code in (
        f"import torch; kept = torch.ones({size})",
        f"import numpy; kept = numpy.ones({size}, dtype='float32')",
        "kept = [bytearray(2**26) for _ in range(1000)]",
    ):
        answer = await one.run(code)
        expect(answer.error is not None, f"no limit stops {code}")
        said.append(f"{code}: {answer.error}")
        await alive(one)
    code = (  # shared pages, which the inner fence does not count
        f"import mmap; much = mmap.mmap(-1, {settings.ALL_MIB + 300} * 2**20)\n"
        "for i in range(0, len(much), 4096): much[i] = 1"
    )
    answer = await one.run(code)
    expect("kernel is" in (answer.error or ""), f"the outer fence held: {answer.error}")
    said.append(f"all processes together too large: {answer.error}")
    await alive(two)
    after = await one.ask("GET", f"{one.home}api/contents/{FIRST}")
    same = json.loads(before.body)["content"] == json.loads(after.body)["content"]
    expect(same, "the saved notebook has changed")
    said.append("the other kernels answer, the saved notebook is as it was")
    one.socket.close()
    await one.connect()
    await alive(one)
    said.append("after the restart the same kernel window answers, without variables")
    answer = await one.run(SETUP)
    expect("memory ran out" in answer.text, f"nobody says why: {answer.text!r}")
    said.append(f"the set-up cell of the new kernel: {answer.text.strip()}")
    return said


async def killed(one: Visitor, two: Visitor) -> list[str]:
    """A kernel ends in the middle of a training; the model saved before is there."""
    code = (
        "from course_utils import vae\nimport torch\n"
        "model = vae.VAE(784, 2, hidden=(50,)); model.save('before.model')\n"
        "x = torch.rand(2000, 784).round()\n"
        "for _ in vae.train_vae(model, x, epochs=10_000): pass"
    )
    training = asyncio.create_task(one.run(code))
    await asyncio.sleep(25)
    expect(not training.done(), f"no training: {training.done() and training.result()}")
    for pid in kernels(one.name):
        os.kill(pid, signal.SIGKILL)
    answer = await training
    expect("kernel is" in (answer.error or ""), f"nobody says so: {answer.error}")
    said = [f"killed in mid-training: {answer.error}"]
    one.socket.close()
    await one.connect()
    code = "from course_utils import vae; print(vae.VAE.load('before.model'))"
    answer = await one.run(code)
    expect("VAE" in answer.text, f"the saved model is lost: {answer.error}")
    return [*said, "the model that was saved before is there"]


async def full(one: Visitor, two: Visitor) -> list[str]:
    """The disk of a participant is full: while working, and at the next start."""
    await two.leave()
    user, home = pwd.getpwnam(two.name), f"/home/{two.name}"
    options = f"size=64m,mode=700,uid={user.pw_uid},gid={user.pw_gid}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", home], check=True)
    try:
        await seated(two)
        url = f"{two.home}api/contents/{FIRST}"
        before = json.loads((await two.ask("GET", url)).body)["content"]
        answer = await two.run("open('big', 'wb').write(bytes(2**27))")
        said = [f"a cell that writes: {answer.error}"]
        expect("No space left" in (answer.error or ""), "the disk is not full")
        model = {"type": "notebook", "format": "json", "content": before}
        answer = await two.ask("PUT", url, model)
        expect(answer.code == 500, f"saving gave {answer.code}")
        said.append(f"saving: {json.loads(answer.body)['message']}")
        after = json.loads((await two.ask("GET", url)).body)["content"]
        expect(before == after, "saving on a full disk has harmed the notebook")
        said.append("the notebook on the disk is as it was")
        answer = await two.run("print('the kernel answers')")
        expect("the kernel answers" in answer.text, f"no answer: {answer.error}")
        said.append("the next cell: " + answer.text.strip().replace("\n", " / "))
        await two.leave()
        await seated(two)
        said.append("the next start on the full disk: the lab opens, a kernel starts")
        answer = await two.ask("DELETE", f"{two.home}api/contents/my_notebooks/big")
        expect(answer.code == 204, f"no file can be deleted: {answer.code}")
        answer = await two.ask("PUT", url, model)
        expect(answer.code == 200, f"saving after it gave {answer.code}")
        said.append("a file is deleted in the lab, and saving works again")
        await two.leave()
        return said
    finally:
        while running := processes(two.name):
            for pid in running:
                os.kill(pid, signal.SIGKILL)
            await asyncio.sleep(1)
        subprocess.run(["umount", home], check=True)


async def restart(one: Visitor, two: Visitor) -> list[str]:
    """The hub ends and starts again; what was in the kernels is still there."""
    await one.run("kept = 123")
    hub = int((settings.FOLDER / "hub.pid").read_text())
    before = kernels(one.name)
    os.kill(hub, signal.SIGTERM)
    while Path(f"/proc/{hub}").exists() and not _ended(hub):
        await asyncio.sleep(0.5)
    try:
        answer = await one.ask("GET", one.home + "api/kernels")
        said = [f"while the hub is away: {answer.code} {answer.reason}"]
    except OSError as error:
        said = [f"while the hub is away: {error}"]
    with (settings.FOLDER / "hub.log").open("ab") as log:
        apart = ["setsid", "--fork"]  # it outlives this program, and is no child of it
        command = [*apart, sys.executable, "-m", "classroom.start"]
        subprocess.run(command, cwd=settings.COURSE, stdout=log, stderr=log, check=True)
    for _ in range(120):
        with socket.socket() as probe:
            port = int(one.address.rsplit(":", 1)[1])
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                answer = await one.ask("GET", one.home + "api/kernels", follow=False)
                if answer.code == 200:
                    break
        await asyncio.sleep(1)
    expect(answer.code == 200, f"after the restart: {answer.code} {answer.reason}")
    said.append("after it: the same login still counts")
    expect(kernels(one.name) == before, "the kernels have ended")
    one.socket.close()
    await one.connect()
    answer = await one.run("print(kept)")
    expect(answer.text == "123\n", f"the variables are lost: {answer.error}")
    return [*said, "the kernels live on, with their variables"]


def _ended(pid: int) -> bool:
    """Whether a process has ended and only its number is left."""
    return ") Z " in Path(f"/proc/{pid}/stat").read_text()


TRIALS = (doors, files, memory, killed, restart, full)


async def try_all(one: Visitor, two: Visitor, trials: list[Callable]) -> int:
    """Run the trials in order; returns how many failed."""
    failed = 0
    for trial in trials:
        print(f"\n{trial.__name__}: {trial.__doc__}", flush=True)
        try:
            await seated(one)
            await seated(two)
            for line in await _within(trial(one, two)):
                print("  " + line, flush=True)
        except Exception as error:
            failed += 1
            print(f"  FAILED: {type(error).__name__}: {error}", flush=True)
        for guest in (one, two):
            with suppress(OSError):  # where no hub answers any more
                await guest.leave()
    return failed


async def _within(trial: Awaitable[list[str]], seconds: float = 600) -> list[str]:
    return await asyncio.wait_for(trial, seconds)


def main(arguments: list[str] | None = None) -> int:
    """Run the trials and say what happened; returns 1 where the hub failed in one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cards", type=Path, help="what classroom.users printed")
    names = [trial.__name__ for trial in TRIALS]
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--address", default=settings.ADDRESS)
    options = parser.parse_args(arguments)
    if os.geteuid() != 0:
        print("It ends kernels and fills a disk: start it with sudo.", file=sys.stderr)
        return 1
    one, two = (
        Visitor(options.address, *card)
        for card in cards(options.cards.read_text("utf-8"))[:2]
    )
    wanted = [trial for trial in TRIALS if trial.__name__ in options.only]
    return int(asyncio.run(try_all(one, two, wanted)) > 0)


if __name__ == "__main__":
    sys.exit(main())
