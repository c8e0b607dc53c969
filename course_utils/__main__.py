"""``python -m course_utils``: is all here that the course needs?

Prints a short report that ends in ``READY``, or one sentence on what to do. The
versions that are needed are read from the installed package, so there is one list.
"""

import importlib
import os
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

SETUP = "run `python course.py setup` in the course's folder"
VC_RUNTIME = "https://aka.ms/vs/17/release/vc_redist.x64.exe"


class NotReady(Exception):
    """What is wrong and what to do, in one sentence."""


def numbers(version: str) -> tuple[int, ...]:
    """``"2.13.0+cpu"`` as ``(2, 13, 0)``."""
    return tuple(int(digits) for digits in re.findall(r"\d+", version.split("+")[0]))


def installed() -> metadata.PackageMetadata:
    """What the installed package says of itself."""
    try:
        return metadata.metadata("course-utils")
    except metadata.PackageNotFoundError:
        raise NotReady(f"course_utils is not installed here: {SETUP}.") from None


def minima() -> dict[str, str]:
    """Direct dependencies and their lower bounds."""
    requirements = installed().get_all("Requires-Dist") or []
    base = (text for text in requirements if ";" not in text)  # not the extras
    return dict(text.split(">=") for text in base)


def check_python() -> Iterator[str]:
    """The interpreter."""
    version = ".".join(map(str, sys.version_info[:3]))
    minimum = installed()["Requires-Python"].removeprefix(">=")
    if numbers(version) < numbers(minimum):
        raise NotReady(f"Python {minimum} or newer is needed, and this is {version}.")
    yield f"Python {version} at {sys.executable}"


def check_packages() -> Iterator[str]:
    """Every direct dependency against its lower bound."""
    for name, minimum in minima().items():
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            raise NotReady(f"{name} is missing: {SETUP}.") from None
        if numbers(version) < numbers(minimum):
            sentence = f"{name} {version} is too old, {minimum} is needed: {SETUP}."
            raise NotReady(sentence)
        yield f"{name} {version} (at least {minimum})"


def check_torch() -> Iterator[str]:
    """torch is a big compiled library: see that it loads."""
    try:
        torch = importlib.import_module("torch")
    except (ImportError, OSError) as error:
        if sys.platform == "win32":
            remedy = f"install Microsoft's Visual C++ runtime, {VC_RUNTIME}"
        else:
            remedy = "run `python course.py clean` and then `python course.py setup`"
        last = str(error).strip().splitlines()[-1:] or [type(error).__name__]
        raise NotReady(f"torch does not load ({last[0]}): {remedy}.") from error
    yield f"torch loads, threads: {torch.get_num_threads()}"


def check_data() -> Iterator[str]:
    """Every file in data/ is the one that the course ships."""
    data = importlib.import_module("course_utils.data")
    try:
        for name in data.SHA256:
            data.read_verified(name)
    except data.DataError as error:
        raise NotReady(str(error)) from error
    yield f"data: {len(data.SHA256)} files, SHA-256 as shipped"


def check_kernel() -> Iterator[str]:
    """The kernel ``python3`` of Jupyter starts this Python and no other."""
    kernelspec = importlib.import_module("jupyter_client.kernelspec")
    try:
        spec = kernelspec.KernelSpecManager().get_kernel_spec("python3")
    except kernelspec.NoSuchKernel:
        raise NotReady(f"Jupyter finds no kernel python3: {SETUP}.") from None
    program = spec.argv[0]
    own = os.path.normcase(Path(sys.executable).absolute().parent)
    if Path(program).name != program and own != os.path.normcase(Path(program).parent):
        raise NotReady(
            f"The Jupyter kernel python3 starts another Python, {program}: run "
            f"`jupyter kernelspec remove python3`, and then {SETUP}."
        )
    yield "kernel: python3 starts this Python"


CHECKS = (check_python, check_packages, check_torch, check_data, check_kernel)


def main() -> int:
    """Print the report; return 0 when ready, else 1."""
    try:
        for check in CHECKS:
            for line in check():
                print(line)
    except NotReady as problem:
        print(problem)
        return 1
    print("READY")
    return 0


if __name__ == "__main__":
    sys.exit(main())
