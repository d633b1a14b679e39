"""Says what its option `stderr` holds and ends at once, with the exit code or by the signal that its options name.

Before that it prints as many lines to standard error as its option `flood` says.
"""

import json
import os
import sys

options = json.loads(os.environ["HECTOR_PLUGIN_CONFIG"])
for number in range(options.get("flood", 0)):
    sys.stderr.write(f"line {number} of a flood\n")
sys.stderr.write(options.get("stderr", ""))
sys.stderr.flush()
sys.stdout.write(options.get("stdout", ""))
sys.stdout.flush()
if "signal" in options:
    os.kill(os.getpid(), options["signal"])
sys.exit(options.get("code", 0))
