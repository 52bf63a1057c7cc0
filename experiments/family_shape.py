"""Layers, heads and width at equal tokens: `python -m experiments.family_shape`.

Makes the runs that are missing in the cache folder (about 4 minutes of one core in all) and writes
results/family_shape.json. The design, with the rule of the
verdict, stands in course_utils/family/shape.yml.
"""

from course_utils.family import command

NAME = "shape"


def main() -> None:
    """Go on where the last call stopped, then report."""
    command.main(NAME)


if __name__ == "__main__":
    main()
