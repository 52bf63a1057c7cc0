"""The entrants of the frontier (compression_frontier.py): what each starts from, and its recipe."""

from dataclasses import dataclass

POOL = 40_000  # unlabeled sentences that small students see
FEW = "vocabulary=1:characters=used"  # the pieces of the training sentences


@dataclass(frozen=True)
class Entrant:
    """A point of the frontier: what it starts from and what is done to it.

    start: "teacher"; "general:NAME", a student of experiments/distillation_general.py under a new head;
    "layers:NAME", one of experiments/distillation_layers.py, trained; or "@NAME", another entrant.
    """

    name: str
    family: str
    start: str
    recipe: str = ""


HALVED = f"imitate=2:unlabeled={POOL // 2}:rate=1e-4"
NARROW, QUICK = (f"imitate={passes}:unlabeled={POOL}:rate=5e-4" for passes in (4, 6))
# A third of the arithmetic of three layers is left, as much as the narrow student has; here every weight
# comes from the pretrained teacher.
THIN = f"heads=0.5,ffn=0.75,imitate=3:unlabeled={POOL}:rate=2e-4"
ENTRANTS = (
    Entrant("teacher", "teacher", "teacher"),
    # Fewer bits.
    Entrant("fp16", "quantization", "teacher", "fp16"),
    Entrant("int8", "quantization", "teacher", "int8"),
    Entrant("int8-aware", "quantization", "teacher", "qat=1:rate=2e-5"),
    Entrant("int4", "quantization", "teacher", "int4"),
    Entrant("mixed", "quantization", "teacher", "mixed"),
    Entrant("onnx-int8", "quantization", "teacher", "onnx-int8"),
    # Fewer heads, neurons, coordinates, layers.
    Entrant("heads-40", "head pruning", "teacher", "heads=0.4"),
    Entrant("heads-40-trained", "head pruning", "teacher", "heads=0.4,imitate=1:rate=5e-5"),
    Entrant("ffn-50", "width pruning", "teacher", "ffn=0.5"),
    Entrant("ffn-50-trained", "width pruning", "teacher", "ffn=0.5,imitate=1:rate=5e-5"),
    Entrant("width-192", "width pruning", "teacher", f"width=192,imitate=1:unlabeled={POOL // 4}:rate=3e-4"),
    Entrant("drop-2", "layer dropping", "teacher", "drop-layers=2,imitate=1:rate=5e-5"),
    Entrant("drop-3", "layer dropping", "teacher", "drop-layers=3,imitate=1:rate=1e-4"),
    # A smaller table.
    Entrant("vocabulary", "vocabulary", "teacher", "vocabulary"),
    Entrant("vocabulary-few", "vocabulary", "teacher", FEW),
    Entrant("vocabulary-twice", "vocabulary", "teacher", "vocabulary=2:characters=used"),
    Entrant("rank-128", "factorization", "teacher", "factorize=128"),
    # Students.
    Entrant("halved", "distillation", "general:halved", HALVED),
    Entrant("narrow", "distillation", "general:narrow", NARROW),
    Entrant("quick", "distillation", "general:quick", QUICK),
    Entrant("tinybert", "distillation by layers", "layers:tiny"),
    Entrant("pkd", "distillation by layers", "layers:patient"),
    Entrant("minilm", "distillation by layers", "layers:minilm"),
    Entrant("theseus", "module replacement", "layers:theseus"),
    Entrant("bilstm", "distillation into a BiLSTM", "layers:bilstm-augmented"),
    # Combinations.
    Entrant("few-int8", "combination", "@vocabulary-few", "int8"),
    Entrant("few-mixed", "combination", "@vocabulary-few", "mixed"),
    Entrant("few-onnx-int8", "combination", "@vocabulary-few", "onnx-int8"),
    Entrant("few-rank-128", "combination", "@vocabulary-few", "factorize=128,imitate=1:rate=5e-5"),
    Entrant("few-rank-128-int8", "combination", "@few-rank-128", "int8"),
    Entrant("halved-few-int8", "combination", "@halved", f"{FEW},int8"),
    Entrant("halved-few-onnx-int8", "combination", "@halved", f"{FEW},onnx-int8"),
    Entrant("halved-few-rank-128", "combination", "@halved", f"{FEW},factorize=128,imitate=1:rate=5e-5"),
    Entrant("halved-few-rank-128-int8", "combination", "@halved-few-rank-128", "int8"),
    Entrant("halved-few-rank-128-onnx-int8", "combination", "@halved-few-rank-128", "onnx-int8"),
    Entrant("halved-thin", "combination", "@halved", THIN),
    Entrant("halved-thin-few-int8", "combination", "@halved-thin", f"{FEW},int8"),
    Entrant("halved-thin-few-onnx-int8", "combination", "@halved-thin", f"{FEW},onnx-int8"),
    Entrant("narrow-few-int8", "combination", "@narrow", f"{FEW},int8"),
    Entrant("narrow-few-onnx-int8", "combination", "@narrow", f"{FEW},onnx-int8"),
    Entrant("quick-few-fp16", "combination", "@quick", f"{FEW},fp16"),
    Entrant("quick-few-int8", "combination", "@quick", f"{FEW},int8"),
    Entrant("quick-few-onnx-int8", "combination", "@quick", f"{FEW},onnx-int8"),
)  # fmt: skip
BY_NAME = {entrant.name: entrant for entrant in ENTRANTS}
