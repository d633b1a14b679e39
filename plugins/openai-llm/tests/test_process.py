"""The process listens before it loads what is slow."""

from __future__ import annotations

import subprocess
import sys


def test_the_library_is_not_imported_with_the_plugin():
    program = (
        "import sys, hector_openai_llm.provider; "
        "print([name for name in ('openai', 'httpx2', 'pydantic') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == "[]\n"
