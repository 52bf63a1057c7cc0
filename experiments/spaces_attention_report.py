"""Verdicts and claims of `experiments.spaces_attention`; its docstring has the rules."""

from collections.abc import Mapping, Sequence
from typing import Any

WAYS = ("mean", "rollout", "last layer", "gradient", "rarity")
Found = Mapping[tuple[str, str | None], Mapping[str, Any]]


def explains_verdict(low: float, high: float) -> str:
    """`attention-explains`, from the interval of the share.

    >>> explains_verdict(0.7, 0.9)
    'holds here only'
    """
    if low > 0.5:
        return "holds here only"
    return "does not hold" if high < 0.5 else "cannot tell"


def averaged_verdict(deleted: tuple[float, float], order: tuple[float, float]) -> str:
    """`attention-averaged`, from the intervals of mean minus random and of mean minus rarity.

    >>> averaged_verdict((0.02, 0.1), (-0.1, 0.2))
    'cannot tell'
    """
    if deleted[0] <= 0 or order[1] < 0:
        return "does not hold"
    return "holds here only" if order[0] > 0 else "cannot tell"


def said(row: Mapping[str, Any], name: str) -> str:
    """An estimate with its interval, as text."""
    return f"{row[name]:.2f} [{row[f'{name}_low']:.2f}, {row[f'{name}_high']:.2f}]"


def claims_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The entries of both claims."""
    found = {(r["part"], r.get("way", r.get("kind"))): r for r in rows}
    return {"attention-explains": explains(found), "attention-averaged": averaged(found)}


def explains(found: Found) -> dict[str, Any]:
    """The entry of `attention-explains`."""
    attack, shuffled = found["adversarial", None], found["replaced", "words"]
    return {
        "verdict": explains_verdict(attack["far_low"], attack["far_high"]),
        "estimate": attack["far"],
        "interval": [attack["far_low"], attack["far_high"]],
        "unit": "of sentences have attention this far (0.35 nats) from the own one and the same output",
        "seeds": 1,
        "sentence": (
            f"For {attack['sentences']} film sentences a search finds attention that is "
            f"{attack['median']:.2f} nats (median; 0.69 shares nothing) from the model's own and moves its "
            f"output by at most 0.01. Shuffled among the words, attention moves the output by "
            f"{said(shuffled, 'moved')} and flips {said(shuffled, 'flipped')} of the predictions. Whether "
            f"attention is plausible only people can say: not tested."
        ),
    }


def averaged(found: Found) -> dict[str, Any]:
    """The entry of `attention-averaged`."""
    order, gone = found["difference", "mean minus rarity"], found["difference", "mean minus random"]
    tau = {way: said(found["weights", way], "leave_out") for way in (*WAYS, "best head")}
    return {
        "verdict": averaged_verdict(
            (gone["fall_low"], gone["fall_high"]), (order["leave_out_low"], order["leave_out_high"])
        ),
        "estimate": order["leave_out"],
        "interval": [order["leave_out_low"], order["leave_out_high"]],
        "unit": "Kendall's tau with leaving words out, mean attention minus the rarity of a word",
        "seeds": 1,
        "sentence": (
            f"Agreement with leaving each word out (tau): mean attention {tau['mean']}, rollout "
            f"{tau['rollout']}, last layer {tau['last layer']}, best single head {tau['best head']}, "
            f"gradient {tau['gradient']}, and the rarity of the word, without any model, {tau['rarity']}. "
            f"Deleting its three heaviest words lowers the predicted probability by {said(gone, 'fall')} "
            f"more than deleting three at random."
        ),
    }
