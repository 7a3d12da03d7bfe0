"""Starts noxmk_shim.py as a module, of which Python keeps the compiled form: that saves 2 ms.

A process that multiprocessing spawns reads this file, too, and is to find nothing of ours there.
"""

if __name__ == "__main__":
    import os
    import sys

    # It is not there with PYTHONSAFEPATH; the shim drops it.
    sys.path.insert(0, os.path.dirname(__file__))

    import noxmk_shim

    noxmk_shim.main()
