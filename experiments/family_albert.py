"""A narrow table and shared layers, apart and together: `python -m experiments.family_albert`.

Makes the runs that are missing in the cache folder (about 3 minutes of one core in all) and writes
results/family_albert.json. The design, with the rule of the
verdict, stands in course_utils/family/albert.yml.
"""

from course_utils.family import command, costs

NAME = "albert"


def main() -> None:
    """Go on where the last call stopped, then report."""
    command.main(NAME, costs.rows)


if __name__ == "__main__":
    main()
