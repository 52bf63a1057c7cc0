"""Figures that a reader can play with, in static HTML: no kernel, no network, no framework.

- :func:`~course_utils.explorables.merge_stepper.merge_stepper`: BPE training, merge by merge
- :func:`~course_utils.explorables.wordpiece_walker.wordpiece_walker`: WordPiece's longest match, try by try
- :func:`~course_utils.explorables.fertility.fertility_explorer`: tokens per word against vocabulary size
- :func:`~course_utils.explorables.attention_steps.attention_steps`: one query, scores to weighted sum
- :func:`~course_utils.explorables.input_builder.input_builder`: what BERT is given for one text or two
- :func:`~course_utils.explorables.parameter_counter.parameter_counter`: where an encoder's parameters are
- :func:`~course_utils.explorables.polysemy.polysemy_explorer`: one word in many sentences, layer by layer
- :func:`~course_utils.explorables.masking_sampler.masking_sampler`: BERT's 15% and 80/10/10, drawn live
- :func:`~course_utils.explorables.objective_gallery.objective_gallery`: every objective on the reader's text
- :func:`~course_utils.explorables.span_corruption.span_corruption`: spans, sentinels, and what T5 writes
- :func:`~course_utils.explorables.mask_patterns.mask_patterns`: who sees whom, and what it costs
- :func:`~course_utils.explorables.family_tree.family_tree`: BERT's relatives in time, filtered and compared
- :func:`~course_utils.explorables.focal_curve.focal_curve`: loss and gradient against gamma and alpha
- :func:`~course_utils.explorables.label_alignment.label_alignment`: labels of words on pieces of words
- :func:`~course_utils.explorables.answer_picker.answer_picker`: start and end logits, and the best valid span
- :func:`~course_utils.explorables.temperature.temperature_explorer`: a teacher's logits, softened
- :func:`~course_utils.explorables.layer_map.layer_map`: which layer of a student learns from which
- :func:`~course_utils.explorables.frontier.frontier`: compressed models within a budget of size and time
- :func:`~course_utils.explorables.projection.projection_explorer`: one cloud in many pictures
- :func:`~course_utils.explorables.error_browser.error_browser`: what classifiers got wrong, and how sure

A new explorable is four files named alike in this folder and at most 60 lines of Python:

1. ``name.py``: one public function. It checks its arguments, computes the data, draws the first state as HTML
   with ``tag`` and ``fill`` (which escape) and returns ``Explorable("name", title, lede, data, body)``.
2. ``name.html``: the markup, with ``$slots`` for ``fill``. Mark places with ``data-part="rows"`` and never
   with an id: a page may show two. Controls are native (button, input, select) and inside an element with
   ``data-live hidden``, which appears once the script runs. ``$steps`` takes ``steps.html``.
3. ``name.js``: ``function start(root, data)``, called once for each explorable. It finds places with
   ``part(root, "rows")`` and builds nodes with ``el`` (which sets text, never HTML).
4. ``name.css``: rules that start with ``.cw``, colored by ``--text``, ``--muted``, ``--surface``, ``--soft``,
   ``--tint``, ``--border``, ``--edge``, ``--accent``, ``--on-accent`` and ``--bad``, to follow the theme.

What ``runtime.js`` offers: ``stepper(root, show)`` (buttons, slider, arrow keys; ``show(at)`` draws a step,
returns its name), ``announce(root, text)`` for screen readers (call it on every change), ``chip(token)``,
``glide(host, render)`` (things with a ``data-key`` move to their new place), ``onTyping(field, act)``,
``byCodePoint``. With ``uses=("chart.js",)`` there is ``lineChart(host)`` too, with ``vectors.js``
``unpack`` and ``strip``. Transitions and ``glide`` stop for readers who ask for less motion.

A complete example::

    def counter(last: int) -> Explorable:
        body = fill('$steps<p>The square is <b data-part="out">0</b>.</p>', steps=asset("steps.html"))
        return Explorable("counter", "Squares", "Step through them.", {"last": last}, body)

    function start(root, data) {
      stepper(root, (at) => {
        part(root, "out").textContent = at * at;
        announce(root, `The square is ${at * at}.`);
        return `${at} of ${data.last}`;
      }).reset(data.last + 1);
    }

Tests drive it by keyboard in a browser, in light and dark (tests/explorables).
"""

from course_utils.explorables.answer_picker import answer_picker
from course_utils.explorables.attention_steps import attention_steps
from course_utils.explorables.base import Explorable
from course_utils.explorables.error_browser import error_browser
from course_utils.explorables.family_tree import family_tree
from course_utils.explorables.fertility import fertility_explorer
from course_utils.explorables.focal_curve import focal_curve
from course_utils.explorables.frontier import frontier
from course_utils.explorables.input_builder import input_builder
from course_utils.explorables.label_alignment import label_alignment
from course_utils.explorables.layer_map import layer_map
from course_utils.explorables.mask_patterns import mask_patterns
from course_utils.explorables.masking_sampler import masking_sampler
from course_utils.explorables.merge_stepper import merge_stepper
from course_utils.explorables.objective_gallery import objective_gallery
from course_utils.explorables.parameter_counter import parameter_counter
from course_utils.explorables.polysemy import polysemy_explorer
from course_utils.explorables.projection import projection_explorer
from course_utils.explorables.span_corruption import span_corruption
from course_utils.explorables.temperature import temperature_explorer
from course_utils.explorables.wordpiece_walker import wordpiece_walker

__all__ = [
    "Explorable",
    "answer_picker",
    "attention_steps",
    "error_browser",
    "family_tree",
    "fertility_explorer",
    "focal_curve",
    "frontier",
    "input_builder",
    "label_alignment",
    "layer_map",
    "mask_patterns",
    "masking_sampler",
    "merge_stepper",
    "objective_gallery",
    "parameter_counter",
    "polysemy_explorer",
    "projection_explorer",
    "span_corruption",
    "temperature_explorer",
    "wordpiece_walker",
]
