"""DESIGN 6 in full on the demo MSP, in a pty of 200x50 in truecolor, for each number of tickets.

`python -m bench.demo [TICKETS...]` (1,000 with as many devices, then 10,000 and 50,000 with 20,000): the
console itself fills each store from the sandbox, whose servers stay up. Linux, for the memory.
"""

from __future__ import annotations

import contextlib
import re
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.measure import (
    DOWN,
    UP,
    Wire,
    first_queue,
    in_pairs,
    key_to_answer,
    leave,
    open_app,
    percentile,
    queue_cost,
    size_line,
    used,
)
from bench.msp import NUMBER, PSA, Msp, msp, numbers
from bench.wire import idle, row_changed

RUNS, KEYS, IDLE_S, POLL_S, OVERLAP_S = 7, 300, 90.0, 30.0, 120.0
END = "\x1b[F"
SECONDS = re.compile(r"[^\d]{0,8}\d:\d\d\b")


@dataclass
class Found:
    """What is compared between sizes. Seconds, bytes, MB."""

    memory: float = 0.0
    poll_cpu: float = 0.0
    poll_bytes: float = 0.0
    queue: list[tuple[float, float]] = field(default_factory=list)
    floor: list[tuple[float, float]] = field(default_factory=list)


def resident(pid: int) -> float:
    """RSS in MB."""
    [line] = [at for at in Path(f"/proc/{pid}/status").read_text().splitlines() if at.startswith("VmRSS:")]
    return int(line.split()[1]) / 1024


def filled(on: Msp, found: Found) -> None:
    """The first run, and what it costs to stand there afterwards."""
    with on.open() as terminal:
        seen, whole = on.filled(terminal)
        print(
            f"sandbox ready in {on.ready_s:.1f} s; empty console: tickets on screen after {seen:.1f} s, "
            f"all there after {whole:.1f} s"
        )
        on.marker = numbers(terminal)[3].encode()
        burning(terminal)
        # What changed shortly before the world began is read again for as long as a delta overlaps it.
        idle(terminal, max(0.0, OVERLAP_S + POLL_S - (time.monotonic() - on.started)))
        terminal.send(END)
        idle(terminal, 4.0)
        stand(on, terminal, found)
        print(f"memory after the first run: {resident(terminal.pid):.0f} MB")
        leave(terminal)


def burning(terminal: Wire) -> None:
    """At the top clocks are in their last five minutes, where every second is shown."""
    idle(terminal, 3.0)
    packed, seconds = terminal.compressed, 30.0
    drawn, ticking = idle(terminal, seconds), sum(map(bool, map(SECONDS.match, rows(terminal))))
    print(
        f"at the top, {ticking} clocks in their last five minutes: {drawn / seconds:.0f} bytes a second, "
        f"{(terminal.compressed - packed) / seconds:.0f} with zlib"
    )


def rows(terminal: Wire) -> list[str]:
    return [line for line in terminal.lines() if NUMBER.search(line)]


def stand(on: Msp, terminal: Wire, found: Found) -> None:
    """At the end of the queue, where no clock shows its seconds."""
    on.endpoints("DELETE")
    before, packed = used(terminal), terminal.compressed
    drawn = idle(terminal, IDLE_S)
    spent, packed = used(terminal) - before, terminal.compressed - packed
    polls, minutes = IDLE_S / POLL_S, IDLE_S / 60
    size_line(f"idle minute, {len(rows(terminal))} clocks", drawn / minutes, 6144, packed / minutes)
    for vendor, (asked, size) in on.calls().items():
        print(
            f"poll of {vendor} with nothing new: {asked / polls:.1f} requests, {size / polls:.0f} bytes "
            "(budget 1 small request)"
        )
        found.poll_bytes += size / polls
    found.poll_cpu = spent / polls
    print(f"both polls and what is drawn meanwhile: {1000 * found.poll_cpu:.0f} ms of the processor in 30 s")


def wire(on: Msp, found: Found) -> None:
    with on.open() as terminal:
        at_end(terminal, on)
        moved = [cost(terminal, UP, 0.1) for _ in range(9)]
        told("cursor moved", moved, 1536)
        idle(terminal, 1.0)
        told("cursor moved and at rest", [cost(terminal, UP, 0.6) for _ in range(9)], 1536)
        ref = f"{PSA}:{numbers(terminal)[-20]}"
        changed = row_changed(on.state, terminal, ref)
        print(f"row changed: {changed} bytes (budget 1024)")
        found.memory = resident(terminal.pid)
        leave(terminal)


def at_end(terminal: Wire, on: Msp) -> None:
    """The console on its last tickets, where no clock shows its seconds: what a key brings is its own."""
    first_queue(terminal, on.marker)
    idle(terminal, 2.0)
    terminal.send(END)
    idle(terminal, 4.0)


def cost(terminal: Wire, keys: str, quiet: float) -> tuple[int, int]:
    packed = terminal.compressed
    return terminal.cost(keys, quiet), terminal.compressed - packed


def told(what: str, costs: list[tuple[int, int]], budget: int) -> None:
    plain, packed = (median(column) for column in zip(*costs, strict=True))
    size_line(what, plain, budget, packed)


def keys(on: Msp) -> None:
    """Key to last byte, in turns with the bare list."""
    with on.open() as console, open_app("bench.floor_app", "bare", str(on.tickets)) as bare:
        at_end(console, on)
        first_queue(bare)
        taken: dict[Wire, list[float]] = {console: [], bare: []}
        for number in range(KEYS):
            for terminal, values in taken.items():
                # Up in the console, which is at its end, and down in the bare list.
                back = (number % 40 < 30) == (terminal is console)
                values.append(key_to_answer(terminal, UP if back else DOWN))
        for terminal in taken:
            leave(terminal)
    ours, floor = (percentile(values, 0.99) * 1000 for values in taken.values())
    middle, least = (median(values) * 1000 for values in taken.values())
    print(
        f"key to last byte: p50 {middle:.1f} ms, p99 {ours:.1f} ms; bare list {least:.1f} and {floor:.1f} ms, "
        f"{ours / floor:.2f}x (budget 2x or 16 ms)"
    )


def queues(found: dict[Msp, Found]) -> None:
    """The first queue of every size and of its floor, in turns."""
    for _ in range(RUNS):
        for on, of in found.items():
            with on.open() as terminal:
                of.queue.append(queue_cost(terminal, on.marker))
                leave(terminal)
            with open_app("bench.floor_app", "bare", str(on.tickets)) as terminal:
                of.floor.append(queue_cost(terminal))
                leave(terminal)
    for on, of in found.items():
        in_pairs(f"first queue, {on.tickets:,} tickets", of.queue, of.floor)


def compared(found: dict[Msp, Found]) -> None:
    def middle(queues: list[tuple[float, float]]) -> float:
        return median(wall for wall, _ in queues)

    small, least = next(iter(found.items()))
    for on, of in list(found.items())[1:]:
        print(
            f"{on.tickets:,} tickets and {on.devices:,} devices against {small.tickets:,}: first queue "
            f"{middle(of.queue) / middle(least.queue):.2f}x, memory {of.memory / least.memory:.2f}x, "
            f"poll {of.poll_bytes / least.poll_bytes:.2f}x the bytes and "
            f"{of.poll_cpu / least.poll_cpu:.2f}x the processor"
        )


def main() -> None:
    sizes = [int(word) for word in sys.argv[1:]] or [1_000, 10_000, 50_000]
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as open_:
        found: dict[Msp, Found] = {}
        for tickets in sizes:
            devices = 20_000 if tickets >= 10_000 else tickets
            print(f"-- {tickets:,} tickets, {devices:,} devices", flush=True)
            on = open_.enter_context(msp(Path(scratch) / str(tickets), tickets, devices))
            found[on] = Found()
            filled(on, found[on])
            wire(on, found[on])
            keys(on)
            print(f"memory of a console opened anew: {found[on].memory:.0f} MB (budget 150 MB)", flush=True)
        print("-- all sizes in turns", flush=True)
        queues(found)
        compared(found)


if __name__ == "__main__":
    main()
