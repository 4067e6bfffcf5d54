"""Ties a program to the process that starts it: `python -I -S tether.py PARENT_PID SIGNAL PROGRAM ARGUMENTS…`

The kernel sends SIGNAL to the program when its parent is gone, also after a kill -9 of the parent. The request is made
in a process of its own, not between fork and exec of the parent (unsafe in a process with threads), and after any
change of user namespace (which would clear it). Runs alone: it imports nothing of ours. Exits with 1 when the parent
has gone already; otherwise the program takes its place.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Tie this process, then become the program. Raises OSError when the program cannot be run."""
    parent, signal_number, program = int(arguments[0]), int(arguments[1]), arguments[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
    os.execvp(program[0], program)


if __name__ == "__main__":
    main(sys.argv[1:])
