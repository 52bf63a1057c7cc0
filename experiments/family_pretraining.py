"""All studies of what the BERT family changed in pretraining: `python -m experiments.family_pretraining`.

Makes the runs that are missing in the cache folder (about 20 minutes of one core in all) and writes the
results files of the seven studies, which have a command each. The designs stand in course_utils/family/*.yml.
"""

from experiments import (
    family_albert,
    family_batch,
    family_electra,
    family_masking,
    family_nsp,
    family_shape,
    family_spans,
)

STUDIES = (
    family_masking,
    family_nsp,
    family_batch,
    family_spans,
    family_electra,
    family_albert,
    family_shape,
)


def main() -> None:
    """One study after the other; each goes on where the last call stopped."""
    for study in STUDIES:
        study.main()


if __name__ == "__main__":
    main()
