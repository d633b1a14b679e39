"""The README's programs are run as they stand."""

import asyncio
import re
import sys
from pathlib import Path

from hector.plugin.v1.plugin_pb2 import ConfigureRequest
from hector.plugin.v1.tool_pb2 import ExecuteToolRequest
from hector_sdk.values import struct

BLOCKS = re.findall(r"```python\n(.*?)```", Path(__file__).parents[1].joinpath("README.md").read_text(), re.DOTALL)


async def test_the_greeter_passes_its_own_test(tmp_path):
    greeter, _, its_test = BLOCKS
    (tmp_path / "greeter.py").write_text(greeter)
    (tmp_path / "test_greeter.py").write_text(its_test)
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\nfilterwarnings = error\n"
    )
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    process = await asyncio.create_subprocess_exec(*command, cwd=tmp_path, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    assert b"1 passed" in out


async def test_the_divider_divides(launch, tmp_path):
    (tmp_path / "divider.py").write_text(BLOCKS[1])
    stubs = await launch(str(tmp_path / "divider.py")).connect()
    divided = ExecuteToolRequest(tool="divide", parameters=struct({"a": 1, "b": 4}))
    refused = ExecuteToolRequest(tool="divide", parameters=struct({"a": 1, "b": 0}))
    await stubs.plugin.Configure(ConfigureRequest())
    assert (await stubs.tools.ExecuteTool(divided)).result == "0.25"
    assert (await stubs.tools.ExecuteTool(refused)).error == "nobody divides by zero"
