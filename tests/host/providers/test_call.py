"""The facts of a call reach a plugin as they are, whatever their characters."""

import pytest

from hector_host.providers.call import Call
from hector_sdk import Call as Received


@pytest.mark.parametrize("session", ["friday", "50% off", "%41", "größer", "日本", "a b", "tab\there"])
def test_names_arrive_as_they_were_sent(session):
    sent = Call(run="r", session=session, agent="a").metadata
    assert all(value.isascii() and value.isprintable() for _, value in sent)
    received = Received.of(sent)
    assert (received.run, received.session, received.agent, received.user) == ("r", session, "a", "")
