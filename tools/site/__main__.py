"""python -m tools.site: make the website in build/site, and say what it holds."""

import sys

from tools.site.build import OUT, build

if __name__ == "__main__":
    print("making the website; no notebook is run ...", flush=True)
    print(build(OUT))
    sys.exit(0)
