"""The claims that the course repeats, and what became of each when it was put to the test.

`claims.yml` says what is claimed, by whom, and how it is tested; the verdict is never written there. It comes
from the results file that the claim names, where the experiment put it.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

from course_utils import results
from course_utils.boxes import Box, definitions
from course_utils.explorables.base import Html, join, tag
from course_utils.results_format import VERDICTS

UNTESTED = "not yet tested"
# Verdict -> CSS class and sign; the words stand beside the sign, so color never tells alone.
LOOKS = {
    "holds": ("claim-holds", "✓"),
    "holds here only": ("claim-here", "◐"),
    "does not hold": ("claim-fails", "✗"),
    "cannot tell": ("claim-open", "?"),
    UNTESTED: ("claim-untested", "○"),
}
COLUMNS = ("Claim", "Verdict", "What we measured")


@dataclass(frozen=True)
class Claim:
    """One claim of `claims.yml`; the fields are explained at the head of that file."""

    id: str
    chapter: int
    says: str
    by: str
    source: tuple[str, ...]
    test: str
    results: str | None = None

    def found(self) -> dict[str, Any] | None:
        """What the results file says: verdict, estimate, interval, unit, seeds, sentence; None if untested.

        Raises FileNotFoundError if the file is missing, KeyError if the claim is not in it.
        """
        if self.results is None:
            return None
        entries = results.load(self.results).claims
        if self.id not in entries:
            raise KeyError(
                f"results '{self.results}' do not hold claim '{self.id}', only {sorted(entries)}; "
                f"let experiments/{self.results}.py pass it to results.write"
            )
        return entries[self.id]

    def verdict(self) -> str:
        """One of the four verdicts, or "not yet tested"."""
        found = self.found()
        return UNTESTED if found is None else str(found["verdict"])


@cache
def load() -> dict[str, Claim]:
    """Every claim by its id, in the order of `claims.yml`: by chapter."""
    entries = yaml.safe_load(Path(__file__).with_name("claims.yml").read_text(encoding="utf-8"))
    claims = [Claim(**entry | {"source": tuple(entry["source"])}) for entry in entries]
    repeated = [claim for claim, count in Counter(claim.id for claim in claims).items() if count > 1]
    if repeated:
        raise ValueError(f"claims.yml has {repeated} more than once; give each claim an id of its own")
    return {claim.id: claim for claim in claims}


def get(claim_id: str) -> Claim:
    """The claim called `claim_id`; raises KeyError that lists the ids there are."""
    if claim_id not in load():
        raise KeyError(f"there is no claim '{claim_id}' in claims.yml; there are {sorted(load())}")
    return load()[claim_id]


def box(claim_id: str) -> Box:
    """The box of one claim: who said it, what we measured with seeds and interval, the verdict."""
    claim = get(claim_id)
    found, verdict = claim.found(), claim.verdict()
    facts = {"How": claim.test} if found is None else _facts(claim, found)
    sentence = "" if found is None else str(found["sentence"])
    html = tag(
        "div",
        tag("p", tag("span", f"Claim {claim.id}"), _verdict(verdict), class_="claim-head"),
        tag("p", claim.says, class_="claim-says"),
        tag("p", claim.by, class_="claim-by"),
        *([tag("p", sentence, class_="claim-found")] if sentence else []),
        definitions(facts),
        class_=f"claim {LOOKS[verdict][0]}",
        role="group",
        aria_label=f"Claim {claim.id}: {verdict}",
    )
    said = f"Claim ({claim.by}): {claim.says}\nVerdict: {verdict}. {sentence}".rstrip()
    return Box(html, "\n".join([said, *(f"{term}: {fact}" for term, fact in facts.items())]))


def ledger() -> Box:
    """All claims as a table, by chapter, under the count of each verdict."""
    verdicts = {claim.id: claim.verdict() for claim in load().values()}
    counts = Counter(verdicts.values())
    lines = [f"{verdict}: {counts[verdict]}" for verdict in (*VERDICTS, UNTESTED)]
    html = tag(
        "div",
        tag(
            "ul",
            *(tag("li", _verdict(verdict, counts[verdict])) for verdict in LOOKS),
            class_="ledger-counts",
        ),
        tag(
            "table",
            tag("caption", f"{len(verdicts)} claims, by the chapter that tests them"),
            tag(
                "thead",
                _row(*(tag("th", name, scope="col", role="columnheader") for name in COLUMNS)),
                role="rowgroup",
            ),
            *(
                _chapter(number, list(claims))
                for number, claims in groupby(load().values(), lambda c: c.chapter)
            ),
            role="table",
        ),
        class_="ledger",
    )
    said = (
        f"{claim.id} (chapter {claim.chapter}): {verdicts[claim.id]}. {claim.says}"
        for claim in load().values()
    )
    return Box(html, "\n".join([", ".join(lines), *said]))


def _facts(claim: Claim, found: dict[str, Any]) -> dict[str, object]:
    """What stands below the sentence of a claim that was tested."""
    measured = "exact" if found["estimate"] is None else _numbers(found["estimate"], found["interval"])
    return {
        "Measured": f"{measured} {found['unit']}".strip(),
        "Seeds": found["seeds"] or "none, nothing is random",
        "How": claim.test,
        "Again": f"course reproduce {claim.results}",
    }


def _numbers(estimate: float, interval: Sequence[float] | None) -> str:
    """An estimate and its interval, all with the decimals that the width of the interval can tell apart.

    >>> _numbers(-0.0734, [-0.09796, -0.0488891])
    '−0.073 [−0.098, −0.049]'
    """
    if interval is None:
        return f"{estimate:.3g}".replace("-", "\N{MINUS SIGN}")
    low, high = interval
    width = high - low
    decimals = max(0, 1 - math.floor(math.log10(width))) if width else 3
    shown = [f"{number:.{decimals}f}".replace("-", "\N{MINUS SIGN}") for number in (estimate, low, high)]
    return f"{shown[0]} [{shown[1]}, {shown[2]}]"


def _verdict(verdict: str, count: int | None = None) -> Html:
    look, sign = LOOKS[verdict]
    words = verdict if count is None else f"{verdict}: {count}"
    return tag("span", tag("span", sign, aria_hidden="true"), " ", words, class_=f"claim-verdict {look}")


def _chapter(number: int, claims: list[Claim]) -> Html:
    head = tag("th", f"Chapter {number}", scope="rowgroup", colspan=len(COLUMNS), role="rowheader")
    return tag("tbody", _row(head, look="ledger-chapter"), *map(_claim_row, claims), role="rowgroup")


def _claim_row(claim: Claim) -> Html:
    found = claim.found()
    measured = f"To come: {claim.test}" if found is None else str(found["sentence"])
    return _row(
        tag("th", claim.says, " ", tag("span", claim.by, class_="claim-by"), scope="row", role="rowheader"),
        tag("td", _verdict(claim.verdict()), role="cell"),
        tag("td", measured, role="cell"),
    )


def _row(*cells: Html, look: str = "ledger-row") -> Html:
    """A table row; the roles keep it one where narrow pages stack its cells."""
    return tag("tr", join(cells), role="row", class_=look)
