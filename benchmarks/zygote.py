"""A brain that comes back at once: loaded once, forked for every life. For ``benchmarks/faults.py`` alone.

Each life is a process of its own with the product's own code, and can be killed at any instant; only the seconds of
loading the model are saved. Prints the process id of every life, one in a line.
"""

import asyncio
import contextlib
import os
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from bot import logs
from bot.settings import Settings
from bot.wiring.brain import make_brain
from bot.wiring.foundation import worker_name


def main() -> None:
    """Forks one life after another until the standard input is closed."""
    settings = Settings.load()
    logs.configure(form=settings.log_format, level=settings.log_level)
    brain = make_brain(settings)
    # connections must not cross a fork
    brain.database.close()
    brain.assistant._sql.engine.dispose()
    while True:
        life = os.fork()
        if life == 0:
            worker = worker_name()
            brain.answering = replace(brain.answering, worker=worker)
            brain.delivery = replace(brain.delivery, worker=worker)
            with contextlib.suppress(KeyboardInterrupt):
                asyncio.run(brain.run())
            os._exit(0)
        print(life, flush=True)
        os.waitpid(life, 0)


if __name__ == "__main__":
    main()
