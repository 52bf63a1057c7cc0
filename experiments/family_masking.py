"""Static against dynamic masking: `python -m experiments.family_masking`.

Makes the runs that are missing in the cache folder (about 2 minutes of one core in all) and writes
results/family_masking.json. The design, with the rule of the
verdict, stands in course_utils/family/masking.yml.
"""

from course_utils.family import command

NAME = "masking"


def main() -> None:
    """Go on where the last call stopped, then report."""
    command.main(NAME)


if __name__ == "__main__":
    main()
