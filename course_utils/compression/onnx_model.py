"""The course's encoder and head in the ONNX format, and ONNX Runtime to run it: another engine.

`to_onnx` writes the graph out of torch; `to_onnx_int8` lets ONNX Runtime store weights as int8, with one
scale a matrix, and find the scales of activations for each input (dynamic). On CPUs without VNNI
instructions its sums of 8-bit products may overflow: measure accuracy on the machine that will run it.
"""

import io
import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from course_utils.models.heads import EncoderWithHead

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
OPSET = 20  # the first with Gelu as one operation
_MISSING = "needs the packages onnx, onnxscript and onnxruntime: `pip install onnx onnxscript onnxruntime`"


class EngineError(RuntimeError):
    """ONNX is not installed, or cannot take the model; the message says what to do."""


class OnnxModel(nn.Module):
    """A model that ONNX Runtime runs, called like the torch model that it was made from."""

    def __init__(self, data: bytes, threads: int | None = None) -> None:
        """data: an ONNX file. threads: of each run; None takes torch's number at the first run.

        Raises EngineError for data that ONNX Runtime cannot read.
        """
        super().__init__()
        self.data = data
        self.threads = threads
        self._session: Any = None
        self.session()  # damaged data must not wait for the first text

    def session(self) -> Any:
        """The session of ONNX Runtime, made anew where the number of threads has changed."""
        threads = self.threads or torch.get_num_threads()
        if self._session is None or self._session[0] != threads:
            self._session = (threads, _open(self.data, threads))
        return self._session[1]

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, token_type_ids: Tensor | None = None
    ) -> Tensor:
        """(batch, length) each -> logits (batch, classes)."""
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask.long()
        segments = torch.zeros_like(input_ids) if token_type_ids is None else token_type_ids
        session = self.session()
        given = dict(zip(INPUTS, (input_ids, mask, segments), strict=True))
        wanted = {i.name for i in session.get_inputs()}  # a model without segments does not ask for them
        feed = {name: tensor.cpu().numpy() for name, tensor in given.items() if name in wanted}
        return torch.from_numpy(session.run(None, feed)[0])

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_session": None}


def to_onnx(model: EncoderWithHead) -> bytes:
    """The ONNX file of a classifier in floating point, for every batch size and length.

    Raises EngineError where a package is missing or the model holds what ONNX has no operation for.
    """
    try:
        import onnx
        import onnxscript  # noqa: F401
    except ImportError as problem:
        raise EngineError(f"ONNX {_MISSING}") from problem
    batch = torch.export.Dim("batch")
    length = torch.export.Dim("length", max=model.encoder.config.max_positions)
    ids = torch.ones(2, 3, dtype=torch.long)
    mask = torch.tensor([[1, 1, 1], [1, 1, 0]])
    try:
        with _quiet():
            program = torch.onnx.export(
                _Graph(model).eval(),
                (ids, mask, torch.zeros_like(ids)),
                input_names=INPUTS,
                output_names=["logits"],
                opset_version=OPSET,
                dynamo=True,
                verbose=False,
                dynamic_shapes={name: {0: batch, 1: length} for name in INPUTS},
            )
    except (torch.onnx.errors.OnnxExporterError, RuntimeError) as problem:
        raise EngineError(f"the model cannot be written as ONNX: {_first_line(problem)}") from problem
    graph: Any = program.model_proto  # type: ignore[union-attr]
    del graph.graph.value_info[:]  # the exporter's shapes of transposed weights are wrong, and not needed
    onnx.checker.check_model(graph)
    return graph.SerializeToString()


def to_onnx_int8(data: bytes) -> bytes:
    """The same graph with weights and tables in int8 and integer products (dynamic quantisation)."""
    try:
        from onnxruntime.quantization import QuantType, quantize_dynamic
    except ImportError as problem:
        raise EngineError(f"ONNX {_MISSING}") from problem
    with tempfile.TemporaryDirectory() as folder, _quiet():
        before, after = Path(folder, "float.onnx"), Path(folder, "int8.onnx")
        before.write_bytes(data)
        quantize_dynamic(before, after, weight_type=QuantType.QInt8)
        return after.read_bytes()


class _Graph(nn.Module):
    """The model with its inputs by position, as the exporter wants them."""

    def __init__(self, model: EncoderWithHead) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        """(batch, length) each -> logits."""
        return self.model(input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)


def _open(data: bytes, threads: int) -> Any:
    try:
        import onnxruntime
    except ImportError as problem:
        raise EngineError(f"this model {_MISSING}") from problem
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 4  # what goes wrong is raised
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as problem:  # its errors share no class but Exception
        raise EngineError(f"ONNX Runtime cannot read the model: {_first_line(problem)}") from problem


@contextmanager
def _quiet() -> Iterator[None]:
    """Exporter and quantiser announce steps, packages that nobody needs and future changes."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _first_line(problem: Exception) -> str:
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0]
