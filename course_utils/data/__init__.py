"""Load the course's data: from a package, the model hub, or the reader's own file."""

from course_utils.data.errors import DataError, SourceUnavailable
from course_utils.data.loading import load
from course_utils.data.rated_reviews import Ratings, raters
from course_utils.data.small_model import small_model_dir

__all__ = ["DataError", "Ratings", "SourceUnavailable", "load", "raters", "small_model_dir"]
