"""The screen itself: tasks on the left, laws above, the chosen law below; it looks at the store every second."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rich.measure import Measurement
from rich.text import Text
from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import DataTable, Footer, Input, OptionList, Static, TabbedContent, TabPane
from textual.widgets.option_list import Option

from discover.errors import DiscoverError
from discover.tui.app import views
from discover.tui.app.entries import CANDIDATE, SORTS, Entry, matches, ordered
from discover.tui.app.source import Source
from discover.tui.words import number

if TYPE_CHECKING:
    from discover.task import Task
    from discover.tui.extrapolation import Drawn

_SECONDS_BETWEEN_LOOKS = 1.0
_WIDE = 110  # from this width on the plot stands beside the other tabs
_TABS = ("law", "plot", "lineage", "compare", "run")
_BOX_EDGES = 6  # columns: border, padding and a scroll bar
_STYLES = {"discovered": "bold", "baseline": "dim", CANDIDATE: "cyan"}


@dataclass(frozen=True)
class Actions:
    """What keys set off; each gives what to say, and raises DiscoverError where it cannot be done.

    Attributes:
        formats: Names that `export` takes.
        export: (leaderboard row, format) -> writes a file.
        verify: leaderboard row -> (a table of checks, whether all match). Takes seconds.
        report: task -> writes its report and opens it. Takes seconds. None where there is no such thing.
    """

    formats: tuple[str, ...] = ()
    export: Callable[[Mapping[str, Any], str], str] | None = None
    verify: Callable[[Mapping[str, Any]], tuple[Any, bool]] | None = None
    report: Callable[[str], str] | None = None


class Pick(ModalScreen[str | None]):
    """One of a few words."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "back")]

    def __init__(self, title: str, words: tuple[str, ...]) -> None:
        super().__init__()
        self._title, self._words = title, words

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Static(Text(self._title))
            yield OptionList(*(Option(word, id=word) for word in self._words))

    @on(OptionList.OptionSelected)
    def _picked(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)


class Told(ModalScreen[None]):
    """Something to read."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter,space", "dismiss", "back")]

    def __init__(self, shown: Any) -> None:
        super().__init__()
        self._shown = shown

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="box"):
            shown, console = Static(self._shown), self.app.console
            # Its own width, or what the terminal leaves: else the box is as wide as the line below.
            natural = Measurement.get(console, console.options, self._shown).maximum
            shown.styles.width = min(natural, self.app.size.width - _BOX_EDGES)
            yield shown
            yield Static(Text("Escape closes this", style="dim"))


_HELP = """\
up, down   choose a law, or a task on the left; Tab goes between them
/          filter: words that a law must contain, and conditions such as
           size<20 valid>0.9 heldout>=0.5 par<6 rank<=5; Escape ends it
s S        sort by the next column; turn the order; or click a heading
1 2 3 4 5  law, plot, lineage, two laws compared, the newest run
x g        another axis of the plot; another cell (group or target)
c          mark a law; the next one chosen is compared with it
a          the newest run's best 500 candidates, or the leaderboard again
e v r      export the law; derive its row again (verify); write the report
z          the lower half alone, or both
q          leave

held out is what the leaderboard stored when the run ended: nothing here
opens the held-out rows but verify. A candidate (#17) has no rank yet.
"""


@dataclass
class _Shown:
    """What the table shows."""

    task: str = ""
    entries: tuple[Entry, ...] = ()
    every_candidate: bool = False
    sort: str = "#"
    turned: bool = False
    wanted: str = ""
    cursor: str = ""  # the id of the chosen law
    visible: list[Entry] = field(default_factory=list)


class LeaderboardApp(App[None]):
    """Tasks, their laws, and what is known of the chosen one.

    Args:
        store: Looked at every second; may be missing yet.
        actions: What the keys e, v and r do.
        task: Which one to begin with.

    Raises:
        StoreError: The store is none of this version.
    """

    TITLE = "discover"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    #head { height: 1; background: $panel; }
    #tasks { width: 19; height: 1fr; border: none; padding: 0; background: $surface; }
    #right { width: 1fr; }
    #filter { height: 1; border: none; padding: 0 1; display: none; }
    #filter.on { display: block; }
    #laws { height: 2fr; min-height: 5; }
    #lower { height: 3fr; }
    #detail { width: 1fr; height: 100%; }
    #detail ContentSwitcher { height: 1fr; }
    #detail TabPane { padding: 0 1; height: 100%; }
    #beside { width: 1fr; height: 100%; display: none; border-left: solid $panel; padding: 0 1; }
    .wide #beside { display: block; }
    .wide #tasks { width: 26; }
    .zoomed #laws { display: none; }
    Pick, Told { align: center middle; }
    #box { width: auto; max-width: 100%; height: auto; max-height: 90%; border: round $primary; padding: 0 1;
           background: $surface; }
    #box OptionList { border: none; height: auto; width: 30; }
    #box Static { width: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "filter", key_display="/"),
        Binding("s", "sort(1)", "sort"),
        Binding("S", "turn", "turn", show=False),
        Binding("x", "axis", "axis"),
        Binding("g", "cell", "cell"),
        Binding("c", "compare", "compare"),
        Binding("e", "export", "export"),
        Binding("v", "verify", "verify"),
        Binding("r", "report", "report"),
        Binding("a", "every_candidate", "all", show=False),
        Binding("z", "zoom", "zoom", show=False),
        Binding("escape", "unfilter", "", show=False),
        Binding("question_mark", "explain", "help", key_display="?"),
        Binding("q", "quit", "quit"),
        *(Binding(str(place), f"tab('{name}')", name, show=False) for place, name in enumerate(_TABS, 1)),
    ]

    def __init__(self, store: Path, actions: Actions, task: str = "") -> None:
        super().__init__()
        self._source, self._actions = Source(store), actions
        self._shown = _Shown(task)
        self._marked: Entry | None = None
        self._axis, self._cell = 0, 0
        self._trouble = ""

    def compose(self) -> ComposeResult:
        yield Static(id="head")
        with Horizontal():
            yield OptionList(id="tasks")
            with Vertical(id="right"):
                yield Input(id="filter", placeholder="words, or size<20 valid>0.9 heldout>0.5 par<6", compact=True)
                yield DataTable(id="laws", cursor_type="row", zebra_stripes=False)
                with Horizontal(id="lower"):
                    with TabbedContent(id="detail"):
                        for name in _TABS:
                            with TabPane(name, id=name), VerticalScroll():
                                yield Static(id=f"{name}-text")
                    yield Static(id="beside")
        yield Footer(compact=True)

    def on_mount(self) -> None:
        self._table.focus()
        self._fill_tasks()
        self._read()
        self.set_interval(_SECONDS_BETWEEN_LOOKS, self._look)

    def on_unmount(self) -> None:
        self._source.close()

    def on_resize(self) -> None:
        self.screen.set_class(self.size.width >= _WIDE, "wide")
        self.call_after_refresh(self._draw)

    @property
    def _table(self) -> DataTable[Any]:
        return self.query_one("#laws", DataTable)

    # reading

    def _look(self) -> None:
        """Every second: reads again where something was written."""
        try:
            if not self._source.changed():
                return
            self._trouble = ""
            self._fill_tasks()
            self._read()
        except DiscoverError as error:  # busy, or gone: it is looked for again
            self._trouble = str(error)
            self._head()

    def _fill_tasks(self) -> None:
        """The list on the left; the chosen task stays chosen."""
        names, tasks = self._source.tasks(), self.query_one("#tasks", OptionList)
        shown = self._shown
        if shown.task not in names:
            shown.task = next((n for n in names if shown.task and n.startswith(shown.task)), names[0] if names else "")
        if [option.id for option in tasks.options] != list(names):
            with self.prevent(OptionList.OptionHighlighted):
                tasks.clear_options()
                tasks.add_options([Option(Text(name.removesuffix("_scaling")), id=name) for name in names])
        if shown.task in names:
            with self.prevent(OptionList.OptionHighlighted):
                tasks.highlighted = names.index(shown.task)

    def _read(self) -> None:
        shown = self._shown
        try:
            entries = self._source.entries(shown.task, shown.every_candidate) if shown.task else ()
        except DiscoverError as error:
            self._trouble, entries = str(error), shown.entries
        if entries != shown.entries or not shown.visible:
            shown.entries = entries
            self._fill_table()
        else:
            self._head()
            if self.query_one("#detail", TabbedContent).active == "run":
                self._draw()

    def _task_of(self, entry: Entry) -> Task | str:
        return self._source.task(self._shown.task, entry.run)

    # the table

    def _fill_table(self) -> None:
        """The laws that are wanted, in order; the chosen law stays chosen where it is still there."""
        shown, table = self._shown, self._table
        shown.visible = ordered([e for e in shown.entries if matches(e, shown.wanted)], shown.sort, shown.turned)
        with self.prevent(DataTable.RowHighlighted):
            table.clear(columns=True)
            rows = [_cells(entry, marked=entry == self._marked) for entry in shown.visible]
            for column, heading in enumerate(SORTS):
                told = heading + ((" ▲" if shown.turned else " ▼") if heading == shown.sort else "")
                # Measured here: the table's own measuring misses rows that are replaced before it is idle.
                width = max([len(told), *(row[column].cell_len for row in rows)])
                table.add_column(told, key=heading, width=width)
            table.add_rows(rows)
            at = next((n for n, entry in enumerate(shown.visible) if entry.id == shown.cursor), None)
            if at is None:
                at = next((n for n, entry in enumerate(shown.visible) if entry.chosen), 0)
            if shown.visible:
                table.move_cursor(row=at, animate=False)
                shown.cursor = shown.visible[at].id
        self._head()
        self._draw()

    @property
    def _entry(self) -> Entry | None:
        return next((entry for entry in self._shown.visible if entry.id == self._shown.cursor), None)

    @on(DataTable.RowHighlighted)
    def _law_chosen(self, event: DataTable.RowHighlighted) -> None:
        if 0 <= event.cursor_row < len(self._shown.visible):
            chosen = self._shown.visible[event.cursor_row].id
            if chosen != self._shown.cursor:
                self._shown.cursor = chosen
                self._draw()

    @on(DataTable.HeaderSelected)
    def _heading_clicked(self, event: DataTable.HeaderSelected) -> None:
        heading = str(event.column_key.value)
        self._shown.turned = heading == self._shown.sort and not self._shown.turned
        self._shown.sort = heading
        self._fill_table()

    @on(OptionList.OptionHighlighted, "#tasks")
    def _task_chosen(self, event: OptionList.OptionHighlighted) -> None:
        if event.option.id and event.option.id != self._shown.task:
            self._shown.task, self._shown.cursor, self._marked, self._axis, self._cell = event.option.id, "", None, 0, 0
            self._read()

    @on(Input.Changed, "#filter")
    def _filter_typed(self, event: Input.Changed) -> None:
        self._shown.wanted = event.value
        self._fill_table()

    @on(Input.Submitted, "#filter")
    def _filter_done(self) -> None:
        self._table.focus()

    # the lower half

    def _head(self) -> None:
        shown, run = self._shown, self._run()
        told = [f"{shown.task or 'no task'}: {len(shown.visible)} of {len(shown.entries)} laws"]
        if shown.every_candidate:
            told.append("candidates of the newest run")
        if shown.wanted:
            told.append(f"filter {shown.wanted!r}")
        if run is not None and run.going:
            told.append(f"● a run goes on: {0 if run.batch is None else run.batch.candidates:,} candidates")
        head = Text("  ".join(told), no_wrap=True, overflow="ellipsis")
        if self._trouble:
            head = Text(self._trouble, style="bold red", no_wrap=True, overflow="ellipsis")
        self.query_one("#head", Static).update(head)

    def _run(self) -> Any:
        try:
            return self._source.run(self._shown.task) if self._shown.task else None
        except DiscoverError as error:
            self._trouble = str(error)
            return None

    @on(TabbedContent.TabActivated)
    def _tab_chosen(self) -> None:
        self._draw()

    def _draw(self) -> None:
        """The open tab, and the plot where it stands beside; what is not seen is not computed."""
        detail = self.query_one("#detail", TabbedContent)
        entry, name = self._entry, detail.active
        if not name or not detail.size.width:  # not laid out yet
            return
        self.query_one(f"#{name}-text", Static).update(self._text(name, entry))
        if self.screen.has_class("wide"):
            self.query_one("#beside", Static).update(self._plot(entry, *self._room("#beside", 3)))

    def _room(self, place: str, taken: int) -> tuple[int, int]:
        size = self.query_one(place).size
        return max(size.width - taken, 20), max(size.height, 4)

    def _text(self, name: str, entry: Entry | None) -> Any:
        width, height = self._room("#detail", 4)
        if name == "run":
            run = self._run()
            known = [e.validation_r2 for e in self._shown.entries if run is not None and e.run == run.id]
            best = max((r2 for r2 in known if r2 is not None), default=None)
            return views.run_now_view(run, best, width)
        if entry is None:
            hint = "no law matches the filter" if self._shown.entries else "no law yet; in another terminal: "
            return Text(hint if self._shown.entries else f"{hint}discover run {self._shown.task or 'TASK'}")
        if name == "law":
            return views.law_view(entry, self._task_of(entry), width)
        if name == "plot":
            return self._plot(entry, width - 2, height - 3)
        if name == "lineage":
            return views.lineage_view(entry, self._source.ancestors(entry))
        return self._comparison(entry)

    def _drawn(self, entry: Entry, task: Task) -> Drawn | None:
        from discover.tui.extrapolation import drawn

        given = entry.parameters if entry.record is None else entry.record.get("parameters")
        if given is None:
            return None
        try:
            return drawn(task, entry.formula, given)
        except (DiscoverError, KeyError, ValueError):  # a task whose groups or inputs are others by now
            return None

    def _plot(self, entry: Entry | None, width: int, height: int) -> Any:
        from discover.tui.extrapolation import axes_of, law_plot

        if entry is None:
            return Text("no law to draw")
        task = self._task_of(entry)
        if isinstance(task, str):
            return Text(f"no plot: {task}")
        laws = [self._drawn(one, task) for one in (entry, self._marked) if one is not None]
        if laws[0] is None:
            return Text(f"no plot: the parameters of {entry.id} are not those of {task.name} as it is now")
        axes = axes_of(task)
        axis, cell = axes[self._axis % len(axes)], self._cell % len(task.cells)
        laws = laws[:1] if self._marked == entry else laws
        return law_plot(task, [law for law in laws if law], axis=axis, cell=cell, width=width, height=height)

    def _comparison(self, entry: Entry) -> Any:
        from discover.tui.extrapolation import gaps

        if self._marked is None or self._marked == entry:
            return Text("press c on one law, then choose another: they stand here side by side")
        task = self._task_of(entry)
        apart: list[tuple[str, float, float]] = []
        if not isinstance(task, str):
            first, second = self._drawn(self._marked, task), self._drawn(entry, task)
            apart = gaps(task, first, second) if first is not None and second is not None else []
        return views.compare_view(self._marked, entry, task, apart)

    # keys

    def action_filter(self) -> None:
        field = self.query_one("#filter", Input)
        field.add_class("on")
        field.focus()

    def action_unfilter(self) -> None:
        field = self.query_one("#filter", Input)
        field.remove_class("on")
        self._table.focus()
        with self.prevent(Input.Changed):
            field.value = ""
        self._shown.wanted = ""
        self._fill_table()

    def action_sort(self, step: int) -> None:
        headings = list(SORTS)
        self._shown.sort = headings[(headings.index(self._shown.sort) + step) % len(headings)]
        self._shown.turned = False
        self._fill_table()

    def action_turn(self) -> None:
        self._shown.turned = not self._shown.turned
        self._fill_table()

    def action_tab(self, name: str) -> None:
        self.query_one("#detail", TabbedContent).active = name

    def action_axis(self) -> None:
        self._axis += 1
        self._show_plot()

    def action_cell(self) -> None:
        self._cell += 1
        self._show_plot()

    def _show_plot(self) -> None:
        if not self.screen.has_class("wide"):
            self.action_tab("plot")
        self._draw()

    def action_compare(self) -> None:
        entry = self._entry
        if entry is None:
            return
        if self._marked is not None and self._marked != entry:
            self.action_tab("compare")
        else:
            self._marked = None if self._marked == entry else entry
            self._fill_table()
            self.notify(f"{entry.id} {'marked: choose another' if self._marked else 'no longer marked'}", timeout=3)

    def action_every_candidate(self) -> None:
        self._shown.every_candidate = not self._shown.every_candidate
        self._shown.sort, self._shown.cursor = ("valid." if self._shown.every_candidate else "#"), ""
        self._read()

    def action_zoom(self) -> None:
        self.screen.toggle_class("zoomed")
        self.call_after_refresh(self._draw)

    def action_explain(self) -> None:
        self.push_screen(Told(Text(_HELP)))

    def _ranked(self, what: str) -> Mapping[str, Any] | None:
        """The row of the chosen law; says why there is none."""
        entry = self._entry
        if entry is not None and entry.record is not None:
            return entry.record
        told = "no law is chosen" if entry is None else f"{entry.id} is on no leaderboard yet"
        self.notify(f"{told}: nothing to {what}", severity="warning")
        return None

    def action_export(self) -> None:
        row, export = self._ranked("export"), self._actions.export
        if row is None or export is None:
            return

        def write(form: str | None) -> None:
            if form is not None:
                self._aside(lambda: export(row, form))

        self.push_screen(Pick(f"export {row['law']} as", self._actions.formats), write)

    def action_verify(self) -> None:
        row, verify = self._ranked("verify"), self._actions.verify
        if row is None or verify is None:
            return

        def work() -> str:
            shown, matching = verify(row)
            self.call_from_thread(self.push_screen, Told(shown))
            return f"{row['law']}: " + ("all checks match" if matching else "DIFFERS from what is stored")

        self.notify(f"verifying {row['law']}", timeout=3)
        self._aside(work)

    def action_report(self) -> None:
        report, task = self._actions.report, self._shown.task
        if report is None:
            self.notify("this discover writes no reports", severity="warning")
        elif task:
            self.notify(f"writing the report of {task}", timeout=3)
            self._aside(lambda: report(task))

    def _aside(self, work: Callable[[], str]) -> None:
        """Does `work` in a thread and says what it gives, so that the screen goes on."""

        def do() -> None:
            try:
                told, severity = work(), "information"
            except DiscoverError as error:
                told, severity = str(error), "error"
            except Exception as error:  # a fault of ours must not take the terminal with it
                told, severity = f"internal error: {type(error).__name__}: {error}", "error"
            self.call_from_thread(self.notify, told, severity=severity, timeout=10, markup=False)

        self.run_worker(do, thread=True, group="aside", exclusive=False)


def _cells(entry: Entry, marked: bool) -> list[Text]:
    style = _STYLES.get(entry.origin, "")
    rank = "" if entry.rank is None else str(entry.rank)
    texts = [
        f"{'◆' if marked else ''}{rank}{'*' if entry.chosen else ' '}",
        entry.short_id,
        entry.origin,
        number(entry.validation_r2),
        number(entry.held_out_r2),
        "" if entry.size is None else str(entry.size),
        "" if entry.n_parameters is None else str(entry.n_parameters),
        entry.recipe,
        entry.formula[:200],
    ]
    right = {0, 3, 4, 5, 6}
    return [Text(text, style=style, justify="right" if n in right else "left") for n, text in enumerate(texts)]
