"""``python -m course_utils``: is all here that the notebooks need?

Prints a short report that ends in ``READY``, or one sentence on what to do. The
versions that are needed are read from the installed package, so there is one list.
"""

import importlib
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

try:
    from importlib import metadata
except Exception as error:  # it imports half of Python: random, calendar, socket
    names = {path.stem: path for path in Path().resolve().glob("*.py")}
    hiding = sorted(str(names[name]) for name in names.keys() & sys.stdlib_module_names)
    print(f"Python's own modules do not load ({error}): rename {', '.join(hiding)}.")
    sys.exit(1)

PACKAGE = Path(__file__).resolve().parent
SETUP = "run `python course.py setup` in the course's folder"
VC_RUNTIME = "https://aka.ms/vs/17/release/vc_redist.x64.exe"
NEEDED_MIB = 1000  # of memory: docs/classroom.md has what was measured
IMPORTED_AS = {"pillow": "PIL"}  # the others are imported by the name pip knows


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


def reason(error: Exception) -> str:
    """The kind of an error and the last line of what it says."""
    last = str(error).strip().splitlines()[-1:]
    return ": ".join([type(error).__name__, *last])


def hidden_by() -> Path | None:
    """A file in this folder that Python takes for a module that was meant."""
    names = {*sys.stdlib_module_names, *metadata.packages_distributions()}
    files = sorted(Path().glob("*.py"))
    return next((path.resolve() for path in files if path.stem in names), None)


def remedy(otherwise: str) -> str:
    """What to do where something does not load: these two causes come first."""
    if path := hidden_by():
        return f"rename {path}, which hides the module that is meant"
    if os.environ.get("PYTHONPATH"):
        return f"unset PYTHONPATH, then try again; if that is no help, {otherwise}"
    return otherwise


def too_old(name: str, version: str, minimum: str) -> str:
    """What is wrong with a package of this version, or ""."""
    if numbers(version) < numbers(minimum):
        return f"{name} {version} is too old, {minimum} is needed"
    return ""


def older() -> list[str]:
    """What is too old here, a sentence each; a host may want to keep it."""
    here = {name: metadata.version(name) for name in minima()}
    found = (too_old(name, here[name], least) for name, least in minima().items())
    return [sentence for sentence in found if sentence]


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
        install = f'{SETUP}, or `python -m pip install "{name}>={minimum}"`'
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            raise NotReady(f"{name} is missing: {install}.") from None
        if problem := too_old(name, version, minimum):
            raise NotReady(f"{problem}: {remedy(install)}.")
        yield f"{name} {version} (at least {minimum})"


def check_torch() -> Iterator[str]:
    """torch is a big compiled library: see that it loads."""
    try:
        threads = importlib.import_module("torch").get_num_threads()
    except Exception as error:
        if sys.platform == "win32":
            way = f"install Microsoft's Visual C++ runtime, {VC_RUNTIME}"
        else:
            way = "run `python course.py clean` and then `python course.py setup`"
        sentence = f"torch does not load ({reason(error)}): {remedy(way)}."
        raise NotReady(sentence) from error
    yield f"torch loads, threads: {threads}"


def check_imports() -> Iterator[str]:
    """All that a set-up cell may import: the dependencies, then our own modules."""
    names = [IMPORTED_AS.get(name, name) for name in minima()]
    paths = [path.relative_to(PACKAGE.parent) for path in PACKAGE.rglob("*.py")]
    ours = [".".join(path.with_suffix("").parts) for path in sorted(paths)]
    ours = [name.removesuffix(".__init__") for name in ours]
    ours.remove("course_utils.__main__")
    for name in ["matplotlib.pyplot", *names, *ours]:
        try:
            importlib.import_module(name)
        except Exception as error:
            sentence = f"{name} does not load ({reason(error)}): {remedy(SETUP)}."
            raise NotReady(sentence) from error
    yield f"course_utils at {PACKAGE}: its {len(ours)} modules load"


def check_data() -> Iterator[str]:
    """Every data file is the one that the course ships."""
    data = importlib.import_module("course_utils.data")
    try:
        for name in data.SHA256:
            data.read_verified(name)
    except data.DataError as error:
        raise NotReady(str(error)) from error
    yield f"data: {len(data.SHA256)} files, SHA-256 as shipped"


def check_kernel() -> Iterator[str]:
    """The kernel ``python3`` of Jupyter starts this Python and no other."""
    install = f"{SETUP}, or `python -m pip install ipykernel`"
    try:
        kernelspec = importlib.import_module("jupyter_client.kernelspec")
    except ImportError:
        raise NotReady(f"There is no Jupyter kernel here: {install}.") from None
    try:
        spec = kernelspec.KernelSpecManager().get_kernel_spec("python3")
    except kernelspec.NoSuchKernel:
        raise NotReady(f"Jupyter finds no kernel python3: {install}.") from None
    program = spec.argv[0]
    own = os.path.normcase(Path(sys.executable).absolute().parent)
    if Path(program).name != program and own != os.path.normcase(Path(program).parent):
        raise NotReady(
            f"The Jupyter kernel python3 starts another Python, {program}: run "
            f"`jupyter kernelspec remove python3`, and then {SETUP}."
        )
    yield "kernel: python3 starts this Python"


def check_folder() -> Iterator[str]:
    """Notebooks and models are saved in this folder."""
    probe = Path(f".can-be-written-{os.getpid()}")
    try:
        probe.write_bytes(bytes(2**16))
        probe.unlink()
    except OSError as error:
        raise NotReady(
            f"Nothing can be saved in {Path().resolve()} ({reason(error)}): move the "
            "course into a folder of your own, on a disk with room."
        ) from error
    yield "this folder can be written"


def check_memory() -> Iterator[str]:
    """What the largest training needs; too little is told, and is no reason to stop."""
    try:
        machine = importlib.import_module("psutil").virtual_memory()
    except ImportError:
        return  # it comes with the kernel; Colab has a meter of its own
    free = machine.available // 2**20
    own = importlib.import_module("course_utils.memory")
    if most := own.limit_mib():  # of a participant on a server, or of a container
        free = min(free, most - (own.used_mib() or 0))
    if free < NEEDED_MIB:
        yield (
            f"memory: only {free} MiB are free, and a kernel takes up to {NEEDED_MIB}: "
            "close other programs and notebooks, or the system ends the kernel."
        )
    else:
        yield f"memory: {free} MiB are free (at least {NEEDED_MIB})"


def check_proxy() -> Iterator[str]:
    """A proxy matters for the set-up only: the notebooks need no network."""
    getproxies = importlib.import_module("urllib.request").getproxies
    for scheme, proxy in getproxies().items():
        if scheme in ("http", "https", "all"):
            shown = re.sub(r"//[^/@]*@", "//***@", proxy)  # without its password
            yield (
                f"proxy for {scheme}: {shown}. The set-up uses it; if a download "
                "fails, ask who runs the network whether it is right."
            )


def check_lab() -> Iterator[str]:
    """JupyterLab, which Colab, Kaggle and editors do without."""
    try:
        yield f"jupyterlab {metadata.version('jupyterlab')}"
    except metadata.PackageNotFoundError:
        yield (
            "JupyterLab is not here: Colab, Kaggle and VS Code need none; elsewhere "
            "`python -m pip install jupyterlab` brings it."
        )


CHECKS = (
    check_python,
    check_packages,
    check_torch,
    check_imports,
    check_data,
    check_kernel,
    check_folder,
    check_memory,
    check_proxy,
    check_lab,
)


def main() -> int:
    """Print the report; return 0 when ready, else 1."""
    # a path may hold letters that the terminal's encoding has not
    sys.stdout.reconfigure(errors="backslashreplace")
    for check in CHECKS:
        try:
            for line in check():
                print(line)
        except NotReady as problem:
            print(problem)
            return 1
        except Exception as error:  # a broken environment fails in ways of its own
            print(f"{check.__name__} failed ({reason(error)}): {remedy(SETUP)}.")
            return 1
    print("READY")
    return 0


if __name__ == "__main__":
    sys.exit(main())
