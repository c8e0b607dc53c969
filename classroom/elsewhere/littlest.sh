#!/bin/bash
# Not run. The Littlest JupyterHub (a server of your own with its users and https),
# set up for the course. Install it first, by its own instructions, then as root:
#     bash classroom/elsewhere/littlest.sh /srv/dgm
# Take it where a machine is to carry nothing but the class; `python course.py hub`
# needs less, but has no https of its own.
set -euo pipefail
course=${1:?the folder of the course}

# The course's packages, in the environment of all users
/opt/tljh/user/bin/python -m pip install "$course"

# Limits: memory and processors for each participant, then idle servers stop
tljh-config set limits.memory 3G
tljh-config set limits.cpu 1
tljh-config set services.cull.timeout 3600
tljh-config set user_environment.default_app jupyterlab

# Each new participant finds copies of the notebooks; nobody's copy is overwritten
mkdir -p /etc/skel/my_notebooks
cp "$course"/notebooks/0[1-7]_*.ipynb /etc/skel/my_notebooks/

mkdir -p /opt/tljh/config/jupyterhub_config.d
cat > /opt/tljh/config/jupyterhub_config.d/course.py <<'PY'
c.Spawner.environment = {"OMP_NUM_THREADS": "1"}
c.Spawner.args = ["--KernelManager.transport=ipc"]
c.Spawner.default_url = "/lab/tree/my_notebooks/01_mle_gaussian.ipynb"
PY
tljh-config reload
