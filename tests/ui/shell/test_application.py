"""The process: window first, controller after it, calls left at the end."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import uuid
from pathlib import Path

from PySide6.QtWidgets import QApplication

from tests.ui.fakes import FakeController
from tests.ui.shell.helpers import settle
from ui.application import Program
from ui.single_instance import hand_over

ROOT = Path(__file__).resolve().parents[3]
HEAVY = ("aiortc", "aiohttp", "av", "numpy", "livekit")
WAIT_S = 20.0
SCRIPT = """
import sys, time
begun = time.perf_counter()
from ui.application import run
from tests.ui.fakes import FakeController
seen = {}
class Quick(FakeController):
    pass
def factory():
    seen["factory"] = time.perf_counter() - begun
    seen["heavy"] = [name for name in %r if name in sys.modules]
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication
    window = next(w for w in QApplication.topLevelWidgets() if type(w).__name__ == "MainWindow")
    seen["visible"] = window.isVisible()
    seen["painted"] = window.painted.is_set()
    QTimer.singleShot(200, window.close)
    seen["controller"] = Quick()
    return seen["controller"]
code = run(factory, open_text="https://meet.example.org/Alpha", profile=sys.argv[1])
print(code, seen["visible"], seen["painted"], seen["heavy"], seen["controller"].closed, round(seen["factory"], 2))
"""


def test_run_paints_before_anything_heavy_and_closes_the_controller() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT % (HEAVY,), uuid.uuid4().hex],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    code, visible, painted, rest = done.stdout.strip().split(" ", 3)
    assert (code, visible, painted) == ("0", "True", "True")
    assert rest.startswith("[] True"), done.stdout


async def test_second_start_opens_its_link_in_the_first(english: QApplication, qtbot: object) -> None:
    name = f"parley-test-{uuid.uuid4().hex[:12]}"
    controller = FakeController()
    program = Program(english, lambda: controller, instance_name=name)
    running = asyncio.create_task(program.main(None, False))
    async with asyncio.timeout(WAIT_S):
        while program.controller is None:
            await settle(1)
        window = program._window
        assert await asyncio.to_thread(hand_over, "https://meet.example.org/Beta", name)
        while window.prejoin is None:
            await settle(1)
        assert window.prejoin.title.text() == "Beta"
        window.close()
        while not running.done():
            await settle(1)
    assert running.result() == 0 and controller.closed


async def test_a_controller_may_be_made_by_a_coroutine(english: QApplication, qtbot: object) -> None:
    controller = FakeController()

    async def factory() -> FakeController:
        await asyncio.sleep(0)
        return controller

    async def demo() -> str:
        return "https://meet.example.org/Demo"

    program = Program(english, factory, demo=demo, instance_name=f"parley-test-{uuid.uuid4().hex[:12]}")
    running = asyncio.create_task(program.main(None, True))
    async with asyncio.timeout(WAIT_S):
        while program.controller is None or program._window.prejoin is None:
            await settle(1)
        assert program._window.prejoin.title.text() == "Demo"
        program._window.close()
        while not running.done():
            await settle(1)
    assert controller.closed
