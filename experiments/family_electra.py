"""Sampled against uniform replacement: `python -m experiments.family_electra`.

Makes the runs that are missing in the cache folder (about 4 minutes of one core in all) and writes
results/family_electra.json. The design, with the rule of the
verdict, stands in course_utils/family/electra.yml.
"""

from course_utils.family import command

NAME = "electra"


def main() -> None:
    """Go on where the last call stopped, then report."""
    command.main(NAME)


if __name__ == "__main__":
    main()
