"""A process that has imported the plugin and forks one for each line it is told: a start without the imports.

In: JSON with the plugin's arguments and the bytes of a log. Out: the child's process id, and a line when it has ended.
"""

import json
import os
import sys

from hector_faiss_database import engine, service
from hector_faiss_database.plugin import FaissDatabase
from hector_sdk import serve


def main() -> None:
    assert service  # imported here, as the plugin does when it starts
    requests, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in requests:
        told = json.loads(line)
        child = os.fork()
        if not child:
            requests.close()
            answers.close()
            engine.LOG_BYTES = told["log_bytes"] or engine.LOG_BYTES
            sys.argv[1:] = told["arguments"]
            serve(FaissDatabase())
        print(child, file=answers, flush=True)
        os.waitpid(child, 0)
        print("ended", file=answers, flush=True)


if __name__ == "__main__":
    main()
