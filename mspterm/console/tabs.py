"""The top line: the views as tabs, each with its key and how many tickets it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mspterm.console.bar import Bar, Run, cut, width_of
from mspterm.domain.views import DomainView


class Tabs(Bar):
    """The views; the shown one in brackets, since colour alone can't be relied on."""

    def __init__(self, views: Sequence[DomainView], shown: DomainView) -> None:
        super().__init__("header", id="tabs")
        self._views = views
        self._view = shown
        self._counts: Mapping[str, int] = {}

    def show(self, view: DomainView, counts: Mapping[str, int]) -> None:
        """Mark `view` and put the counts right; without counts (not known yet) none are shown."""
        self._view, self._counts = view, counts
        self.look()

    def runs(self, width: int) -> Sequence[Run]:
        roomy = [(" mspterm ", "muted"), *self._tabs(short=False, gap="  ")]
        tight = self._tabs(short=False, gap=" ")
        short = self._tabs(short=True, gap=" ")
        made = next((runs for runs in (roomy, tight, short) if width_of(runs) <= width), None)
        return made or cut(self._around(width), width)

    def _tabs(self, *, short: bool, gap: str) -> list[Run]:
        return [run for number, v in enumerate(self._views, 1) for run in self._tab(number, v, short, gap)]

    def _tab(self, number: int, v: DomainView, short: bool, gap: str) -> tuple[Run, ...]:
        title = v.title.split()[-1].capitalize() if short else v.title
        count = self._counts.get(v.name)
        text = f"{number} {title}" + ("" if count is None else f" {count}")
        if v.name == self._view.name:
            return ((gap[1:], "header"), (f"[{text}]", "cursor"))
        role = "warning" if v.name in ("fire", "replied") and count else "header"
        return ((f"{gap}{text} " if len(gap) > 1 else f" {text} ", role),)

    def _around(self, width: int) -> list[Run]:
        """As many as fit, from the first one on where the shown one is among them."""
        at = next(n for n, v in enumerate(self._views) if v.name == self._view.name)
        for start in range(at + 1):
            rest = [
                run
                for n, v in enumerate(self._views[start:], start + 1)
                for run in self._tab(n, v, True, " ")
            ]
            upto = sum(
                len(self._tab(n, v, True, " ")) for n, v in enumerate(self._views[start : at + 1], start + 1)
            )
            if width_of(rest[:upto]) < width:
                break
        return [("<", "muted"), *rest] if start else rest
