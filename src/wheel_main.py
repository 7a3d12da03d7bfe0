"""Starts the helper as `python -m noxmk`: in the wheel this is noxmk/__main__.py."""

import os
import sys
import sysconfig

# Beside the interpreter, or where `pip install --user` and `pip install --prefix` put scripts.
PLACES = [
    sysconfig.get_path("scripts"),
    sysconfig.get_path("scripts", f"{os.name}_user"),
    os.path.join(os.path.dirname(__file__), *[os.pardir] * 4, "bin"),
]
for place in PLACES:
    program = os.path.join(place, "noxmk")
    if os.access(program, os.X_OK):
        os.execv(program, [program, *sys.argv[1:]])
sys.exit(f"noxmk: the program is in none of {', '.join(PLACES)}: install noxmk anew")
