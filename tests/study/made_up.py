"""A study whose truth is known: log-odds with effects of system, domain, seed and row."""

import numpy as np

from course_utils.study.runs import Key, Rows, Run, Study, gather


def rows(rng, count, positive=0.5, group_size=1, unlabeled=0.0):
    """Rows of one domain; stars from 1 to 5 that fit the labels, three where there is none."""
    labels = (np.arange(count) < round(positive * count)).astype(np.int8)
    labels[rng.random(count) < unlabeled] = -1
    stars = np.where(labels == 1, rng.choice([4, 5], count), rng.choice([1, 2], count))
    return Rows(
        ids=np.array([f"row {n}" for n in range(count)]),
        labels=labels,
        ratings=np.where(labels < 0, 3, stars).astype(np.float32),
        groups=np.array([f"group {n // group_size}" for n in range(count)]),
        words=rng.integers(5, 60, count).astype(np.int32),
    )


def study(
    rng,
    skill,
    domains=("films", "games", "shops"),
    seeds=5,
    count=400,
    seed_sd=0.0,
    one_seed=(),
    trains=(),
    **more,
) -> Study:
    """skill: system -> log-odds per star in each domain (a number, or one a domain); rest 2.

    Every system sees the same difficulty of a row; a seed shifts a system's skill everywhere. trains: the
    train domains, by default the first one; what was trained on makes no difference.
    """
    about_rows = {(domain, "test"): rows(rng, count, **more) for domain in domains}
    about_rows |= {(domain, "validation"): rows(rng, count // 2, **more) for domain in domains}
    hard = {part: rng.normal(size=len(found)) for part, found in about_rows.items()}
    made = []
    for system, given in skill.items():
        of_domain = given if isinstance(given, dict) else dict.fromkeys(domains, given)
        runs = [(t, n) for t in trains or domains[:1] for n in range(1 if system in one_seed else seeds)]
        for train, seed in runs:
            shift = seed_sd * rng.normal()
            scores = {
                part: (
                    (of_domain[part[0]] + shift) * (found.ratings - 3)
                    + 2 * hard[part]
                    + 2 * rng.normal(size=len(found))
                ).astype(np.float32)
                for part, found in about_rows.items()
            }
            key = Key(system, train, seed)
            made.append(Run({**key._asdict(), "kind": "log_odds"}, about_rows, scores))
    return gather("made-up", made)
