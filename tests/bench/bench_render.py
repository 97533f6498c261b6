"""How to put pictures on the screen: CPU per shown frame of each way, on this machine.

    python tests/bench/bench_render.py [--seconds 4] [--tiles 1 4 9] [--height 720]

Every run is a process of its own with a 1280 x 720 window and 30 pictures a second for each tile, decoded before the
clock starts. Ways:

none      slots only, nobody looks: the cost of the feeder, taken off the others
painter   worker threads convert to BGRA (halved for small tiles), one widget paints all tiles with QPainter.drawImage
video     a QVideoWidget per tile, planar YUV copied into its QVideoSink
rhi       one QRhiWidget, planar YUV in textures, a shader converts (shaders are compiled by pyside6-qsb)

CPU of the X server is printed apart: with a software server part of the work of any way happens there.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

WINDOW = (1280, 720)
FPS = 30
WAYS = ("none", "painter", "video", "rhi")
WARM_UP_S = 1.0

VERTEX = """#version 440
layout(location = 0) in vec4 corner;
layout(location = 0) out vec2 where;
void main() { gl_Position = vec4(corner.xy, 0.0, 1.0); where = corner.zw; }
"""
FRAGMENT = """#version 440
layout(location = 0) in vec2 where;
layout(location = 0) out vec4 colour;
layout(binding = 1) uniform sampler2D luma;
layout(binding = 2) uniform sampler2D cb;
layout(binding = 3) uniform sampler2D cr;
void main() {
    float y = 1.1644 * (texture(luma, where).r - 0.0627);
    float u = texture(cb, where).r - 0.502;
    float v = texture(cr, where).r - 0.502;
    colour = vec4(y + 1.596 * v, y - 0.3918 * u - 0.813 * v, y + 2.0172 * u, 1.0);
}
"""


class Feeder(threading.Thread):
    """Puts ready-made pictures into slots, 30 a second each, spread over the interval."""

    def __init__(self, slots: list[Any], height: int) -> None:
        super().__init__(daemon=True)
        from app.media.testcard import TestCard

        card = TestCard(height * 16 // 9, height, 1)
        self.frames = [card.draw(1_000.0 + index * 33) for index in range(40)]
        self.slots = slots
        self.stopped = threading.Event()

    def run(self) -> None:
        index, due = 0, time.monotonic()
        while not self.stopped.wait(max(0.0, due - time.monotonic())):
            slot = self.slots[index % len(self.slots)]
            slot.put(self.frames[index // len(self.slots) % len(self.frames)], time.monotonic() * 1000)
            index += 1
            due += 1 / FPS / len(self.slots)


def places(tiles: int) -> list[tuple[int, int, int, int]]:
    columns = math.ceil(math.sqrt(tiles))
    rows = math.ceil(tiles / columns)
    width, height = WINDOW[0] // columns, WINDOW[1] // rows
    return [(index % columns * width, index // columns * height, width, height) for index in range(tiles)]


# ---------------------------------------------------------------- ways


def painter_way(slots: list[Any], shown: Callable[[], None]) -> Any:
    from PySide6.QtCore import QObject, QRect, Signal
    from PySide6.QtGui import QImage, QPainter
    from PySide6.QtWidgets import QWidget

    class Bridge(QObject):
        ready = Signal(int)

    class Stage(QWidget):
        def __init__(self) -> None:
            super().__init__()
            self.bridge = Bridge()
            self.bridge.ready.connect(self.tile_ready)
            self.rects = [QRect(*place) for place in places(len(slots))]
            self.seen = [0] * len(slots)
            for index, slot in enumerate(slots):
                slot.wants(self.rects[index].width(), self.rects[index].height())
                slot.attach(lambda index=index: self.bridge.ready.emit(index))

        def tile_ready(self, index: int) -> None:
            self.update(self.rects[index])

        def paintEvent(self, event: Any) -> None:
            painter = QPainter(self)
            for index, rect in enumerate(self.rects):
                if not event.region().intersects(rect):
                    continue
                picture = slots[index].take()
                if picture is None:
                    continue
                image = QImage(picture.data, picture.width, picture.height, picture.stride, QImage.Format.Format_RGB32)
                painter.drawImage(rect, image)
                if picture.sequence != self.seen[index]:
                    self.seen[index] = picture.sequence
                    shown()
            painter.end()

    return Stage()


def video_way(slots: list[Any], shown: Callable[[], None]) -> Any:
    import numpy as np
    from PySide6.QtCore import QSize
    from PySide6.QtMultimedia import QVideoFrame, QVideoFrameFormat
    from PySide6.QtMultimediaWidgets import QVideoWidget
    from PySide6.QtWidgets import QWidget

    stage = QWidget()
    for slot, place in zip(slots, places(len(slots)), strict=True):
        widget = QVideoWidget(stage)
        widget.setGeometry(*place)
        sink = widget.videoSink()

        def put(frame: Any, _ms: float, sink: Any = sink) -> None:
            size = QSize(frame.width, frame.height)
            target = QVideoFrame(QVideoFrameFormat(size, QVideoFrameFormat.PixelFormat.Format_YUV420P))
            target.map(QVideoFrame.MapMode.WriteOnly)
            for index, plane in enumerate(frame.planes):
                stride, rows = target.bytesPerLine(index), plane.height
                to = np.frombuffer(target.bits(index), np.uint8)[: stride * rows].reshape(rows, stride)
                source = np.frombuffer(memoryview(plane), np.uint8)[: plane.line_size * rows]
                used = min(stride, plane.line_size)
                to[:, :used] = source.reshape(rows, plane.line_size)[:, :used]
            target.unmap()
            sink.setVideoFrame(target)
            # The widget does not tell what it drew: frames handed over are counted.
            shown()

        slot.attach_raw(put)
    return stage


def compile_shaders(folder: Path) -> list[bytes]:
    compiler = Path(sys.executable).with_name("pyside6-qsb")
    out = []
    for name, source in (("tile.vert", VERTEX), ("tile.frag", FRAGMENT)):
        (folder / name).write_text(source)
        made = folder / f"{name}.qsb"
        command = [str(compiler), "--glsl", "100 es,120,150", "--hlsl", "50", "--msl", "12", "-o", str(made)]
        subprocess.run([*command, str(folder / name)], check=True, capture_output=True)
        out.append(made.read_bytes())
    return out


def rhi_way(slots: list[Any], shown: Callable[[], None]) -> Any:
    import struct

    from PySide6.QtCore import QObject, QSize, Signal
    from PySide6.QtGui import (
        QColor,
        QRhiBuffer,
        QRhiDepthStencilClearValue,
        QRhiGraphicsPipeline,
        QRhiSampler,
        QRhiShaderResourceBinding,
        QRhiShaderStage,
        QRhiTexture,
        QRhiTextureSubresourceUploadDescription,
        QRhiTextureUploadDescription,
        QRhiTextureUploadEntry,
        QRhiVertexInputAttribute,
        QRhiVertexInputBinding,
        QRhiVertexInputLayout,
        QRhiViewport,
        QShader,
    )
    from PySide6.QtWidgets import QRhiWidget

    with tempfile.TemporaryDirectory() as folder:
        shaders = compile_shaders(Path(folder))

    class Bridge(QObject):
        ready = Signal()

    class Stage(QRhiWidget):
        def __init__(self) -> None:
            super().__init__()
            self.made = False
            self.seen = [0] * len(slots)
            self.bridge = Bridge()
            self.bridge.ready.connect(self.update)
            for slot in slots:
                slot.attach_raw(lambda frame, ms: self.bridge.ready.emit())

        def initialize(self, commands: Any) -> None:
            if self.made:
                return
            rhi = self.rhi()
            frame = None
            while frame is None:
                frame = slots[0].raw()
            height, width = frame[0].height, frame[0].width
            self.vertices = rhi.newBuffer(QRhiBuffer.Type.Immutable, QRhiBuffer.UsageFlag.VertexBuffer, len(slots) * 64)
            self.vertices.create()
            self.sampler = rhi.newSampler(
                QRhiSampler.Filter.Linear,
                QRhiSampler.Filter.Linear,
                QRhiSampler.Filter.None_,
                QRhiSampler.AddressMode.ClampToEdge,
                QRhiSampler.AddressMode.ClampToEdge,
            )
            self.sampler.create()
            self.textures, self.bindings = [], []
            fragment = QRhiShaderResourceBinding.StageFlag.FragmentStage
            for _ in slots:
                planes = [
                    rhi.newTexture(QRhiTexture.Format.R8, size)
                    for size in (QSize(width, height), QSize(width // 2, height // 2), QSize(width // 2, height // 2))
                ]
                for plane in planes:
                    plane.create()
                resources = rhi.newShaderResourceBindings()
                resources.setBindings(
                    [
                        QRhiShaderResourceBinding.sampledTexture(1 + index, fragment, plane, self.sampler)
                        for index, plane in enumerate(planes)
                    ]
                )
                resources.create()
                self.textures.append(planes)
                self.bindings.append(resources)
            pipeline = rhi.newGraphicsPipeline()
            stages = (QRhiShaderStage.Type.Vertex, QRhiShaderStage.Type.Fragment)
            pipeline.setShaderStages(
                [
                    QRhiShaderStage(kind, QShader.fromSerialized(data))
                    for kind, data in zip(stages, shaders, strict=True)
                ]
            )
            layout = QRhiVertexInputLayout()
            layout.setBindings([QRhiVertexInputBinding(16)])
            layout.setAttributes([QRhiVertexInputAttribute(0, 0, QRhiVertexInputAttribute.Format.Float4, 0)])
            pipeline.setVertexInputLayout(layout)
            pipeline.setTopology(QRhiGraphicsPipeline.Topology.TriangleStrip)
            pipeline.setShaderResourceBindings(self.bindings[0])
            pipeline.setRenderPassDescriptor(self.renderTarget().renderPassDescriptor())
            pipeline.create()
            self.pipeline = pipeline
            corners = b""
            for left, top, wide, high in places(len(slots)):
                x0, x1 = left / WINDOW[0] * 2 - 1, (left + wide) / WINDOW[0] * 2 - 1
                y0, y1 = 1 - top / WINDOW[1] * 2, 1 - (top + high) / WINDOW[1] * 2
                for x, y, u, v in ((x0, y0, 0, 0), (x0, y1, 0, 1), (x1, y0, 1, 0), (x1, y1, 1, 1)):
                    corners += struct.pack("4f", x, y, u, v)
            self.corners = corners
            self.made = True

        def render(self, commands: Any) -> None:
            rhi, target = self.rhi(), self.renderTarget()
            batch = rhi.nextResourceUpdateBatch()
            if self.corners:
                batch.uploadStaticBuffer(self.vertices, 0, len(self.corners), self.corners)
                self.corners = b""
            for index, slot in enumerate(slots):
                raw = slot.raw()
                if raw is None or raw[2] == self.seen[index]:
                    continue
                self.seen[index] = raw[2]
                shown()
                for texture, plane in zip(self.textures[index], raw[0].planes, strict=True):
                    part = QRhiTextureSubresourceUploadDescription(bytes(plane))
                    part.setDataStride(plane.line_size)
                    batch.uploadTexture(texture, QRhiTextureUploadDescription(QRhiTextureUploadEntry(0, 0, part)))
            commands.beginPass(target, QColor("black"), QRhiDepthStencilClearValue(1.0, 0), batch)
            commands.setGraphicsPipeline(self.pipeline)
            size = target.pixelSize()
            commands.setViewport(QRhiViewport(0, 0, size.width(), size.height()))
            for index in range(len(slots)):
                commands.setShaderResources(self.bindings[index])
                commands.setVertexInput(0, [(self.vertices, index * 64)])
                commands.draw(4)
            commands.endPass()

    return Stage()


# ---------------------------------------------------------------- runs


def child(way: str, tiles: int, seconds: float, height: int, shot: str) -> None:
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from app.media.frames import FrameSlotImpl

    application = QApplication([])
    slots = [FrameSlotImpl() for _ in range(tiles)]
    count = 0
    out: dict[str, Any] = {"failed": ""}

    def shown() -> None:
        nonlocal count
        count += 1

    feeder = Feeder(slots, height)
    for slot in slots:
        slot.put(feeder.frames[0], 0.0)
    makers: dict[str, Callable[[list[Any], Callable[[], None]], Any]] = {
        "painter": painter_way,
        "video": video_way,
        "rhi": rhi_way,
    }
    stage = makers[way](slots, shown) if way in makers else None
    if stage is not None:
        if hasattr(stage, "renderFailed"):
            stage.renderFailed.connect(lambda: out.update(failed="no graphics interface"))
        stage.resize(*WINDOW)
        stage.show()
    begin: dict[str, float] = {}
    late: list[float] = []
    last = time.monotonic()

    def beat() -> None:
        nonlocal last
        now = time.monotonic()
        late.append((now - last) * 1000 - 10)
        last = now

    def start() -> None:
        late.clear()
        begin.update(cpu=time.process_time(), wall=time.monotonic(), count=count)

    def stop() -> None:
        wall = time.monotonic() - begin["wall"]
        out.update(
            cpu=time.process_time() - begin["cpu"],
            wall=wall,
            shown=count - begin["count"],
            late_p99=sorted(late)[int(len(late) * 0.99)] if late else 0.0,
        )
        if shot and stage is not None:
            stage.grab().save(shot)
        application.quit()

    ticker = QTimer()
    ticker.timeout.connect(beat)
    ticker.start(10)
    feeder.start()
    QTimer.singleShot(int(WARM_UP_S * 1000), start)
    QTimer.singleShot(int((WARM_UP_S + seconds) * 1000), stop)
    application.exec()
    feeder.stopped.set()
    print(json.dumps(out), flush=True)
    os._exit(0)


def run(way: str, tiles: int, platform: str, display: str, options: argparse.Namespace) -> dict[str, Any]:
    environment = os.environ | {"QT_QPA_PLATFORM": platform, "PYTHONPATH": str(ROOT)}
    environment.pop("WAYLAND_DISPLAY", None)
    if display:
        environment["DISPLAY"] = display
    command = [sys.executable, __file__, "--child", way, "--tiles", str(tiles), "--seconds", str(options.seconds)]
    command += ["--height", str(options.height)]
    if options.shots:
        command += ["--shots", str(Path(options.shots) / f"{platform}-{way}-{tiles}.png")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    lines = done.stdout.strip().splitlines()
    if not lines:
        return {"failed": (done.stderr.strip().splitlines() or ["no output"])[-1][:60]}
    result: dict[str, Any] = json.loads(lines[-1])
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--tiles", type=int, nargs="+", default=[1, 4, 9])
    parser.add_argument("--height", type=int, default=720, help="height of the incoming pictures")
    parser.add_argument("--shots", default="", help="folder for a screenshot of each run")
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child, options.tiles[0], options.seconds, options.height, options.shots)
        return
    import psutil

    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x720x24", "-nolisten", "tcp"],
        pass_fds=(write,),
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as numbers:
        display = f":{numbers.readline().strip()}"
    server_process = psutil.Process(server.pid)
    print(f"{options.height}p pictures, {FPS} a second per tile, window {WINDOW[0]}x{WINDOW[1]}; one core = 100 %")
    print(
        f"{'platform':10}{'way':9}{'tiles':>6}{'shown/s':>9}{'CPU %':>8}"
        f"{'ms/shown':>10}{'X server %':>12}{'p99 late':>10}"
    )
    for platform in ("offscreen", "xcb"):
        for tiles in options.tiles:
            idle = 0.0
            for way in WAYS:
                before = sum(server_process.cpu_times()[:2])
                result = run(way, tiles, platform, display if platform == "xcb" else "", options)
                server_cpu = sum(server_process.cpu_times()[:2]) - before
                if result.get("failed") or "cpu" not in result:
                    print(f"{platform:10}{way:9}{tiles:6}   not available: {result.get('failed')}")
                    continue
                cpu, wall, shown = result["cpu"], result["wall"], result["shown"]
                if way == "none":
                    idle = cpu / wall
                own = max(0.0, cpu / wall - (idle if way != "none" else 0.0))
                per_frame = own * wall / shown * 1000 if shown else 0.0
                print(
                    f"{platform:10}{way:9}{tiles:6}{shown / wall:9.0f}{own * 100:8.1f}{per_frame:10.2f}"
                    f"{server_cpu / (wall + WARM_UP_S) * 100:12.1f}{result['late_p99']:10.1f}",
                    flush=True,
                )
    server.terminate()
    server.wait()


if __name__ == "__main__":
    main()
