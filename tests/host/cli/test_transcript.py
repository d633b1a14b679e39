"""How a run ended, as another process tells it: an error of the class that it had there, and of no other."""

import pytest

from hector.host.v1.run_pb2 import RunFailed
from hector_host.cli.transcript import failure
from hector_host.errors import CallError, ConfigError, HectorError, NotFoundError, PluginError, RunError, StartError


@pytest.mark.parametrize(
    "kind", [HectorError, ConfigError, PluginError, StartError, CallError, NotFoundError, RunError]
)
def test_a_failed_run_is_an_error_of_its_class(kind):
    told = failure(RunFailed(error=str(kind("who: what", "do this\nand that")), kind=kind.__name__))
    assert (type(told), told.what, told.step) == (kind, "who: what", "do this\nand that")


@pytest.mark.parametrize("kind", ["", "OwnError", "quoted", "printable", "__name__", "annotations", "QUOTE_LIMIT"])
def test_a_name_of_no_class_is_an_error_of_hector(kind):
    told = failure(RunFailed(error="who: what\n  do this", kind=kind))
    assert (type(told), told.what, told.step) == (HectorError, "who: what", "do this")
