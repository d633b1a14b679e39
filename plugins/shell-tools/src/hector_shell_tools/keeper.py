"""Runs one command and answers for everything it starts: when this program ends, nothing of the command is left.

A program of its own, started as `keeper.py DIRECTORY_FD EXECUTABLE ARGV...`, because only a parent can keep hold of
processes that leave their group or lose their parents. Its standard input is a lifeline: one byte starts the command;
its end, by will or by the death of the plugin, is the command's end. The exit code is the command's, as a shell
gives it: 128 and the signal's number for a command that a signal ended.
"""

from __future__ import annotations

import os
import select
import signal
import sys

_PR_SET_CHILD_SUBREAPER = 36
CANNOT_RUN = 126
"""Exit code when the system refuses to run the program."""


def main(arguments: list[str]) -> int:
    """Waits for the byte, runs the command, clears up."""
    directory, executable, *argv = arguments
    os.fchdir(int(directory))
    os.close(int(directory))
    if not os.read(0, 1):
        return CANNOT_RUN
    _adopt_orphans()
    signals = _watch_signals()
    try:
        child = _spawn(executable, argv)
    except OSError as error:
        sys.stderr.write(f"{argv[0]}: {error.strerror}\n")
        return CANNOT_RUN
    _wait(child, signals)
    # Before the child is reaped: until then its number, and so that of its group, is nobody else's.
    _kill_group(child)
    return _clear(child)


def _adopt_orphans() -> None:
    """Makes this process the parent of every process below it that loses its own (Linux; elsewhere groups must do)."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _watch_signals() -> int:
    """A descriptor that can be read after a child ended or somebody asked this process to end."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: None)
    return reading


def _spawn(executable: str, argv: list[str]) -> int:
    return os.posix_spawn(
        executable,
        argv,
        os.environ,
        file_actions=[(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)],
        setpgroup=0,
        setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],  # Python ignores these two, and the ignoring would be inherited
        setsigmask=[],
    )


def _wait(child: int, signals: int) -> None:
    """Returns when the command has ended, the lifeline has, or a signal asks for the end."""
    while True:
        ready, _, _ = select.select([0, signals], [], [])
        if 0 in ready:
            return
        if set(os.read(signals, 64)) - {signal.SIGCHLD}:
            return
        if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return


def _kill_group(child: int) -> None:
    try:
        os.killpg(child, signal.SIGKILL)
    except PermissionError:
        return  # what macOS says when all of the group are dead


def _clear(child: int) -> int:
    """Kills and reaps until nothing is left below this process. The exit code of `child`."""
    code = CANNOT_RUN
    while True:
        # Only direct children: their numbers cannot pass to strangers before they are reaped. Theirs come up next.
        for pid in _children():
            os.kill(pid, signal.SIGKILL)
        try:
            pid, status = os.waitpid(-1, 0)
        except ChildProcessError:
            return code
        if pid == child:
            ended = os.waitstatus_to_exitcode(status)
            code = ended if ended >= 0 else 128 - ended


def _children() -> list[int]:
    try:
        listing = os.open("/proc/thread-self/children", os.O_RDONLY)
    except OSError:
        return []  # not Linux: nothing is adopted, and the group has had its signal
    numbers = bytearray()
    while piece := os.read(listing, 65536):
        numbers += piece
    os.close(listing)
    return [int(pid) for pid in numbers.split()]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
