"""A waiting process that becomes a program."""

import subprocess
import sys

LATE = """
import os, select
from hector_host.manager.processes import wire
from hector_host.manager.processes.spare import Spare

class Late:  # a link whose sender comes to its next step when the other side has no further use for it
    def __init__(self, link):
        self.link = link
    def __getattr__(self, name):
        return getattr(self.link, name)
    def sendmsg(self, *arguments):
        sent = self.link.sendmsg(*arguments)
        select.select([self.link], [], [])
        return sent

spare = Spare(lambda option, value: None)
spare._link = Late(spare._link)
words = [b"x"] * WORDS
told = spare.become(wire.packed([b"sh", b"-c", b"exit 7", *words], [b"PATH=" + os.environb[b"PATH"]], b"/"), [1, 2])
print(os.read(told, 1), os.waitstatus_to_exitcode(os.waitpid(spare.pid, 0)[1]))
"""


def became(words: int, link: str) -> tuple[str, str]:
    """What a spare came to that was told so many words over such a link."""
    code = LATE.replace("WORDS", str(words)).replace("Late(spare._link)", link)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=20)
    return done.stdout, done.stderr


def test_a_program_that_runs_before_its_sender_goes_on_has_started():
    assert became(0, "Late(spare._link)") == ("b'' 7\n", "")


def test_a_command_of_more_than_one_message_is_heard_whole():
    assert became(50_000, "spare._link") == ("b'' 7\n", "")
