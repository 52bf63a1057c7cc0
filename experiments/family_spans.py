"""Token, whole-word and span masking, and the boundary objective: `python -m experiments.family_spans`.

Makes the runs that are missing in the cache folder (about 4 minutes of one core in all) and writes
results/family_spans.json. The design, with the rule of the
verdict, stands in course_utils/family/spans.yml.
"""

from course_utils.family import command

NAME = "spans"


def main() -> None:
    """Go on where the last call stopped, then report."""
    command.main(NAME)


if __name__ == "__main__":
    main()
