"""Parameter counter: turn the knobs of an encoder, and see where its parameters are."""

from collections.abc import Mapping
from typing import Any

from course_utils.explorables.base import Explorable, Html, asset, fill, join, tag
from course_utils.models.config import PRESETS, EncoderConfig

# The name a reader sees -> the preset of `models.config`.
MODELS = {
    "BERT base": "bert-base",
    "BERT large": "bert-large",
    "MiniLM, 6 layers": "minilm-l6",
    "DistilBERT": "distilbert-base",
    "ALBERT base": "albert-base",
    "ALBERT large": "albert-large",
    "ALBERT xlarge": "albert-xlarge",
    "ALBERT xxlarge": "albert-xxlarge",
}
# Knob -> its label and the values it can take, smallest first.
KNOBS: dict[str, tuple[str, tuple[int, ...]]] = {
    "layers": ("Layers", (1, 2, 3, 4, 6, 8, 10, 12, 16, 24, 36, 48)),
    "width": ("Width", (64, 128, 192, 256, 312, 384, 512, 640, 768, 1024, 1536, 2048, 4096)),
    "heads": ("Heads", (1, 2, 4, 6, 8, 10, 12, 16, 32, 64)),
    "inner": (
        "Inner size of the feed-forward",
        (256, 512, 768, 1024, 1200, 1536, 2048, 3072, 4096, 8192, 16384),
    ),
    "vocabulary": ("Vocabulary", (1000, 4000, 8000, 16000, 28996, 30000, 30522, 50265, 119547, 250002)),
    "factor": ("Width of the embedding", (0, 32, 64, 128, 256, 512)),
}
SWITCHES = {"shared": "One block for all layers", "segments": "Segments", "pooler": "Pooler"}
SEGMENTS = 2
LEDE = "Turn the knobs of an encoder. A small model is mostly vocabulary, a large one mostly feed-forward."


def parameter_counter(model: str = "BERT base", *, title: str = "Where are the parameters?") -> Explorable:
    """Sliders for the sizes of an encoder, switches for its options, and an exact count of each part.

    model: where to start, one of `MODELS`; every one of them can be chosen in the page. Raises ValueError
    for another name.

    >>> parameter_counter("BERT large").data["model"]
    'BERT large'
    """
    if model not in MODELS:
        raise ValueError(f"model must be one of {', '.join(MODELS)}, got {model!r}")
    presets = {name: settings(PRESETS[preset]) for name, preset in MODELS.items()}
    data = {
        "model": model,
        "presets": presets,
        "knobs": [[key, label, list(values)] for key, (label, values) in KNOBS.items()],
        "switches": list(SWITCHES.items()),
    }
    return Explorable("parameter_counter", title, LEDE, data, _first_state(presets[model]))


def settings(config: Any) -> dict[str, int]:
    """The knobs and switches of an encoder's config; positions are kept as they are.

    >>> settings(EncoderConfig())["vocabulary"]
    30522
    """
    assert isinstance(config, EncoderConfig)
    return {
        "layers": config.num_layers,
        "width": config.hidden_size,
        "heads": config.num_heads,
        "inner": config.intermediate_size,
        "vocabulary": config.vocab_size,
        "factor": config.embedding_size or 0,
        "positions": config.max_positions,
        "shared": int(config.share_layers),
        "segments": int(config.type_vocab_size == SEGMENTS),
        "pooler": int(config.pooler),
    }


def count(sizes: Mapping[str, int]) -> dict[str, int]:
    """Parameters by part, as `models.counting` names and counts them; parts that are absent are left out.

    >>> sum(count(settings(EncoderConfig())).values())
    109482240
    """
    width, inner = sizes["width"], sizes["inner"]
    row = sizes["factor"] or width
    blocks = 1 if sizes["shared"] else sizes["layers"]
    parts = {
        "token embeddings": sizes["vocabulary"] * row,
        "position embeddings": sizes["positions"] * row,
        "segment embeddings": sizes["segments"] * SEGMENTS * row,
        "embedding projection": (row + 1) * width if sizes["factor"] else 0,
        "attention": blocks * 4 * width * (width + 1),
        "feed-forward": blocks * (2 * width * inner + inner + width),
        "norms": 2 * row + blocks * 4 * width,
        "pooler": width * (width + 1) if sizes["pooler"] else 0,
    }
    return {part: number for part, number in parts.items() if number}


def _first_state(sizes: Mapping[str, int]) -> Html:
    parts = count(sizes)
    total = sum(parts.values())
    return fill(
        asset("parameter_counter.html"),
        total=f"{total:,}",
        rows=join(_row(part, number, number / total) for part, number in parts.items()),
    )


def _row(part: str, number: int, share: float) -> Html:
    bar = tag("span", class_="cw-share", style=f"width: {100 * share:.2f}%")
    return tag(
        "tr",
        tag("th", part, scope="row"),
        tag("td", f"{number:,}", class_="cw-number"),
        tag("td", f"{100 * share:.1f}%", class_="cw-number"),
        tag("td", bar, class_="cw-shares", aria_hidden="true"),
    )
