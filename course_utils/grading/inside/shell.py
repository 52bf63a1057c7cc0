"""The shell that runs cells in a forked kernel: IPython's, showing values as ipykernel does.

It is made once, in the sandboxed parent, and every forked kernel has its own copy. Streams do not go
through here: file descriptors 1 and 2 lead out of the sandbox.
"""

from __future__ import annotations

import ast
import base64
import inspect
import os
import signal
import sys
from operator import attrgetter
from types import CodeType
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Any as AnyTrait
from traitlets import Type
from traitlets.config import Config

Output = dict[str, Any]
_LONGEST = 10_000  # characters of a traceback: of an endless recursion, the end is enough
_STREAMS = (sys.stdout, sys.stderr)  # the code may have put others in their place
# What IPython runs a cell with. Code may put its own in their place, here or on the shell itself.
_METHODS = ("run_cell", "run_cell_async", "run_ast_nodes", "run_code", "transform_cell", "transform_ast")
_methods = attrgetter(*_METHODS)


class _Hook(DisplayHook):
    """Keeps what the last expression of a cell shows."""

    def compute_format_data(self, result: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """A string, as all checks show one, without asking ten formatters that have nothing to say of it."""
        if type(result) is str:
            return {"text/plain": repr(result)}, {}
        return super().compute_format_data(result)

    def write_output_prompt(self) -> None:
        """No "Out[1]:" is printed."""

    def write_format_data(self, format_dict: dict[str, Any], md_dict: Any = None) -> None:
        """Keep the value in all its formats."""
        Shell.instance().outputs.append({"type": "execute_result", "data": _encoded(format_dict)})

    def finish_displayhook(self) -> None:
        """No newline is printed."""


class _Publisher(DisplayPublisher):
    """Keeps what `display` shows."""

    def publish(self, data: dict[str, Any], metadata: Any = None, source: Any = None, **kwargs: Any) -> None:
        """Keep the value in all its formats."""
        Shell.instance().outputs.append({"type": "display_data", "data": _encoded(data)})

    def clear_output(self, wait: bool = False) -> None:
        """ipykernel sends a message that changes nothing in what nbval compares."""


class Shell(InteractiveShell):
    """IPython without terminal, history and prompts."""

    displayhook_class = Type(_Hook)
    display_pub_class = Type(_Publisher)
    outputs: list[Output] = AnyTrait()  # type: ignore[assignment]  # of the cell that runs now
    prepared: dict[str, list[CodeType]] = AnyTrait()  # type: ignore[assignment]  # source -> `compiled`, before the fork
    made: tuple[Any, ...] = AnyTrait()  # type: ignore[assignment]  # its `ways` when it was made

    def enable_gui(self, gui: str | None = None) -> None:
        """There are no windows in here."""

    def ask_exit(self) -> None:
        """`exit` asks the front end to leave; there is none."""

    def ways(self) -> tuple[Any, ...]:
        """Through what code can change how IPython runs a cell; equal for as long as none did."""
        transformers: Any = self.input_transformer_manager
        return (
            [list(vars(part)) for part in (self, self.compile, self.events, transformers)],
            _methods(Shell),
            self.compile,
            self.custom_exceptions,
            self.ast_node_interactivity,
            self.ast_transformers[:],
            self.input_transformers_post[:],
            transformers.cleanup_transforms[:],
            transformers.line_transforms[:],
            transformers.token_transformers[:],
            [called[:] for called in self.events.callbacks.values()],
        )

    def compiled(self, source: str) -> list[CodeType]:
        """A cell of plain Python as code to run, the last one so that it shows its value; [] for any other.

        Of a cell without magics IPython would take three times as long, to search for them and to look after
        a prompt, a history and a front end that are not here. What it does with the rest is all here.
        """
        if source in self.prepared:
            return self.prepared[source]
        compile_: Any = self.compile  # which remembers `from __future__` from cell to cell
        try:
            tree = ast.parse(source)
            name = self.compile.cache(source)  # for the lines in a traceback
            shown = [tree.body.pop()] if tree.body and isinstance(tree.body[-1], ast.Expr) else []
            codes = [compile_(tree, name, "exec")] if tree.body else []
            return codes + [compile_(ast.Interactive([node]), name, "single") for node in shown]
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return []

    def run_compiled(self, codes: list[CodeType]) -> None:
        """Run code as IPython does, which catches everything: a cell may interrupt itself, or call exit."""
        try:
            with self.builtin_trap, self.display_trap:
                for code in codes:
                    exec(code, self.user_global_ns, self.user_ns)
        except BaseException:
            self.showtraceback()

    def showtraceback(self, exc_tuple: Any = None, *args: Any, **kwargs: Any) -> None:
        """Show where an error was raised, not the whole way there: each frame takes IPython milliseconds,
        and a student is told of the last one alone."""
        raised: Any = exc_tuple or sys.exc_info()
        kind, value, frame = raised
        while frame is not None and frame.tb_next is not None:
            frame = frame.tb_next
        if frame is not None and (file := frame.tb_frame.f_code.co_filename).startswith("<"):
            # A cell is no module's file. `inspect` would look for it in every module, again for each error.
            inspect.modulesbyfile.update(dict.fromkeys((file, os.path.abspath(file)), ""))
        super().showtraceback((kind, value, frame), *args, **{**kwargs, "tb_offset": 0})

    def _showtraceback(self, etype: Any, evalue: BaseException, stb: list[str]) -> None:
        """Keep an error as ipykernel sends it."""
        error = {"ename": getattr(etype, "__name__", str(etype)), "evalue": str(evalue)[:_LONGEST]}
        lines = "\n".join(map(str, stb))[-_LONGEST:].split("\n")
        self.outputs.append({"type": "error", **error, "traceback": lines})


def make() -> Shell:
    """The shell, as ipykernel sets up its own, but without a history file."""
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    shell: Shell = Shell.instance(config=config)
    shell.outputs, shell.prepared = [], {}
    # What IPython makes and imports late is there before the fork.
    shell.run_cell("undefined", store_history=False)
    assert shell.display_formatter is not None
    shell.display_formatter.format(("", 0))
    shell.made = shell.ways()
    return shell


def run(shell: Shell, code: str) -> list[Output]:
    """Run one cell. Returns what it showed, in order, an error last.

    As in ipykernel, an interrupt reaches the cell's code and nothing behind it: a timer that the code
    left running must not hit the kernel.
    """
    shell.outputs = []
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        if shell.ways() == shell.made and (codes := shell.compiled(code)):
            shell.run_compiled(codes)
        else:
            shell.run_cell(code, store_history=False)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    for stream in _STREAMS:
        stream.flush()
    return shell.outputs


def _encoded(data: dict[str, Any]) -> dict[str, Any]:
    """Formats as JSON can hold them: images are written in base 64, as the notebook format has them."""
    return {
        kind: base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else value
        for kind, value in data.items()
    }
