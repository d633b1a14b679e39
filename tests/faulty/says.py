"""Prints its option `stdout` as it stands, writes `stderr`, and then lives on doing nothing."""

import json
import os
import signal
import sys

options = json.loads(os.environ["HECTOR_PLUGIN_CONFIG"])
sys.stderr.write(options.get("stderr", ""))
sys.stderr.flush()
sys.stdout.write(options.get("stdout", ""))
sys.stdout.flush()
signal.pause()
