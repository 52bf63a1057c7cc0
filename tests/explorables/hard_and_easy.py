"""The focal loss curve with made-up predictions, for the tests."""

from course_utils.explorables import Explorable, focal_curve

COUNTS = [round(200 * (i / 40) ** 4) + 2 for i in range(40)]


def curve() -> Explorable:
    return focal_curve(COUNTS, gamma=3, alpha=0.2)
