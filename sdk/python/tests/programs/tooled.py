"""A tool that counts its runs in a file, and one that never returns."""

import time
from pathlib import Path

from hector_sdk import Tools, serve, tool


class Tooled(Tools):
    @tool(keeps_receipts=True)
    def count(self, amount: int) -> str:
        """Add a line to a file."""
        assert self.data_dir
        with Path(self.data_dir, "lines").open("a") as file:
            file.write(f"{amount}\n")
        return f"added {amount}"

    @tool(keeps_receipts=True)
    def hang(self) -> str:
        """Add a line, then never return."""
        self.count(1)
        while True:
            time.sleep(60)

    @tool
    def wait(self) -> str:
        """Return when a file is there."""
        assert self.data_dir
        (self.data_dir / "waiting").touch()
        while not (self.data_dir / "go").exists():
            time.sleep(0.01)
        return "waited"


serve(Tooled(), name="tooled")
