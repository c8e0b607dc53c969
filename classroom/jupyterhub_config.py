"""JupyterHub for a class on one server; ``python course.py hub`` starts it with this.

One Unix user each; PAM asks for that user's password. The course is read-only, and
everybody has copies of the notebooks in ``my_notebooks/``. See docs/classroom.md.
"""

import sys
from pathlib import Path

COURSE = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(COURSE))

from jupyterhub.spawner import LocalProcessSpawner  # noqa: E402

from classroom import settings  # noqa: E402
from classroom.limits import Limits, desk  # noqa: E402

HUB = settings.FOLDER
LIMITS = Limits(settings.PROCESS_MIB, settings.ALL_MIB, settings.CPUS)


class Seat(LocalProcessSpawner):
    """The server of one participant, behind the limits of the class."""

    def get_env(self):
        """The variables of the server; it keeps its sockets away from a full disk."""
        return super().get_env() | {"JUPYTER_RUNTIME_DIR": str(desk(self.user.name))}

    def make_preexec_fn(self, name):
        """What runs in the new process before the program: limits, then the user."""
        become_the_user = super().make_preexec_fn(name)
        groups = LIMITS.prepare(name)
        if not groups:
            self.log.warning("No control groups here: each process has its own limit")

        def prepare():
            LIMITS.enter(groups)
            become_the_user()

        return prepare


c = get_config()  # noqa: F821 (JupyterHub gives it)
c.JupyterHub.bind_url = settings.ADDRESS
c.JupyterHub.ssl_cert, c.JupyterHub.ssl_key = settings.CERTIFICATE, settings.KEY
c.JupyterHub.pid_file = str(HUB / "hub.pid")
c.JupyterHub.cookie_secret_file = str(HUB / "cookie_secret")
c.JupyterHub.db_url = f"sqlite:///{HUB / 'hub.sqlite'}"
c.ConfigurableHTTPProxy.pid_file = str(HUB / "proxy.pid")
c.JupyterHub.cleanup_servers = False  # a restart of the hub leaves the kernels alone

c.JupyterHub.authenticator_class = "pam"
c.LocalAuthenticator.create_system_users = False  # `python -m classroom.users` does
c.LocalAuthenticator.allowed_groups = {settings.GROUP}
c.Authenticator.admin_users = settings.TEACHERS
c.PAMAuthenticator.open_sessions = False

c.JupyterHub.spawner_class = Seat
c.Spawner.cmd = [sys.executable, "-m", "classroom.seat"]
c.Spawner.args = [
    # sockets in a folder of the participant: ports would be open to all users
    "--KernelManager.transport=ipc",
    # a notebook that was closed gives its memory back after this many seconds
    f"--MappingKernelManager.cull_idle_timeout={settings.IDLE_SECONDS}",
]
c.Spawner.environment = {
    "OMP_NUM_THREADS": "1",  # the class shares the processors
    "PYTHONPATH": str(COURSE),  # for classroom.seat, which takes it away again
    "PYTHONDONTWRITEBYTECODE": "1",
}
c.Spawner.default_url = "/lab/tree/my_notebooks/01_mle_gaussian.ipynb"
c.Spawner.notebook_dir = "~"
c.Spawner.start_timeout = 180
c.Spawner.http_timeout = 180
c.JupyterHub.concurrent_spawn_limit = 8
c.JupyterHub.active_server_limit = settings.SEATS

CULLER = [sys.executable, "-m", "jupyterhub_idle_culler"]
CULLER += [f"--timeout={settings.IDLE_SECONDS}"]
c.JupyterHub.services = [{"name": "cull-idle", "command": CULLER}]
c.JupyterHub.load_roles = [
    {
        "name": "cull-idle",
        "services": ["cull-idle"],
        "scopes": [
            *["list:users", "read:users:activity"],
            *["read:servers", "delete:servers"],
        ],
    }
]
