# ruff: noqa: F811, F821
# Known wrong answers of exercise 12. Each must fail its checks with a message that names the mistake.


# %% gap: takes each accuracy over its own rows
# says: You took each system's accuracy over its own rows
def gap_differences(first, second, train):
    def gap(run):
        means = {domain: np.nanmean(right) for domain, right in run.items()}
        inside = means.pop(train)
        return inside - np.mean(list(means.values()))

    return np.array([gap(first[seed]) - gap(second[seed]) for seed in sorted(first.keys() & second.keys())])


# %% gap: counts a missing prediction as wrong
# says: You counted a missing prediction as a wrong one
def gap_differences(first, second, train):
    found = []
    for seed in sorted(first.keys() & second.keys()):
        better = {
            domain: np.mean(np.nan_to_num(first[seed][domain]) - np.nan_to_num(second[seed][domain]))
            for domain in first[seed]
        }
        inside = better.pop(train)
        found.append(inside - np.mean(list(better.values())))
    return np.array(found)


# %% gap: pools the rows of the other domains
# says: You pooled the rows of the other domains
def gap_differences(first, second, train):
    found = []
    for seed in sorted(first.keys() & second.keys()):
        rows = {domain: first[seed][domain] - second[seed][domain] for domain in first[seed]}
        inside = rows.pop(train)
        found.append(np.nanmean(inside) - np.nanmean(np.concatenate(list(rows.values()))))
    return np.array(found)


# %% gap: leaves the train domain among the others
# says: You left the train domain in the mean of the others
def gap_differences(first, second, train):
    found = []
    for seed in sorted(first.keys() & second.keys()):
        better = {domain: np.nanmean(first[seed][domain] - second[seed][domain]) for domain in first[seed]}
        found.append(better[train] - np.mean(list(better.values())))
    return np.array(found)


# %% gap: out of domain minus in domain
# says: You turned a sign around
def gap_differences(first, second, train):
    found = []
    for seed in sorted(first.keys() & second.keys()):
        better = {domain: np.nanmean(first[seed][domain] - second[seed][domain]) for domain in first[seed]}
        inside = better.pop(train)
        found.append(np.mean(list(better.values())) - inside)
    return np.array(found)


# %% gap: pairs seeds by their place
# says: You paired the runs by their place in the dictionaries
def gap_differences(first, second, train):
    found = []
    for one, two in zip(first.values(), second.values(), strict=True):
        better = {domain: np.nanmean(one[domain] - two[domain]) for domain in one}
        inside = better.pop(train)
        found.append(inside - np.mean(list(better.values())))
    return np.array(found)[: len(first.keys() & second.keys())]


# %% gap: does not sort the seeds
# says: You kept the order of the dictionary
def gap_differences(first, second, train):
    found = []
    for seed in first:
        if seed in second:
            better = {
                domain: np.nanmean(first[seed][domain] - second[seed][domain]) for domain in first[seed]
            }
            inside = better.pop(train)
            found.append(inside - np.mean(list(better.values())))
    return np.array(found)


# %% gap: compares out of domain only
# says: You left the accuracy in domain out
def gap_differences(first, second, train):
    found = []
    for seed in sorted(first.keys() & second.keys()):
        better = {domain: np.nanmean(first[seed][domain] - second[seed][domain]) for domain in first[seed]}
        better.pop(train)
        found.append(np.mean(list(better.values())))
    return np.array(found)


# %% gap: never moves on
# says: does a loop in it never end
def gap_differences(first, second, train):
    found, place = [], 0
    while place < len(first):
        found.append(0.0)
    return np.array(found)


# %% seeds: takes the systems for independent
# says: You treated the two systems as independent
def compare(first, second, smallest):
    one, two = first.mean(axis=1), second.mean(axis=1)
    n = len(one)
    df = 2 * n - 2
    mean = one.mean() - two.mean()
    error = np.sqrt(one.var(ddof=1) / n + two.var(ddof=1) / n)
    half = t_quantile(0.975, df) * error
    equal = max(t_above((mean + smallest) / error, df), t_above((smallest - mean) / error, df))
    return np.array([mean, mean - half, mean + half, equal])


# %% seeds: divides by the number of rows
# says: You took rows for samples
def compare(first, second, smallest):
    differences = (first - second).ravel()
    df = len(differences) - 1
    mean, error = differences.mean(), differences.std(ddof=1) / np.sqrt(len(differences))
    half = t_quantile(0.975, df) * error
    equal = max(t_above((mean + smallest) / error, df), t_above((smallest - mean) / error, df))
    return np.array([mean, mean - half, mean + half, equal])


# %% seeds: averages over seeds instead of rows
# says: You averaged over the seeds and kept the rows
def compare(first, second, smallest):
    differences = first.mean(axis=0) - second.mean(axis=0)
    df = len(differences) - 1
    mean, error = differences.mean(), differences.std(ddof=1) / np.sqrt(len(differences))
    half = t_quantile(0.975, df) * error
    equal = max(t_above((mean + smallest) / error, df), t_above((smallest - mean) / error, df))
    return np.array([mean, mean - half, mean + half, equal])


# %% seeds: takes 1.96
# says: You took 1.96
def compare(first, second, smallest):
    differences = first.mean(axis=1) - second.mean(axis=1)
    df = len(differences) - 1
    mean, error = differences.mean(), differences.std(ddof=1) / np.sqrt(len(differences))
    half = 1.96 * error
    equal = max(t_above((mean + smallest) / error, df), t_above((smallest - mean) / error, df))
    return np.array([mean, mean - half, mean + half, equal])


# %% seeds: divides the variance by n
# says: You divided the variance by n
def compare(first, second, smallest):
    differences = first.mean(axis=1) - second.mean(axis=1)
    df = len(differences) - 1
    mean, error = differences.mean(), differences.std() / np.sqrt(len(differences))
    half = t_quantile(0.975, df) * error
    equal = max(t_above((mean + smallest) / error, df), t_above((smallest - mean) / error, df))
    return np.array([mean, mean - half, mean + half, equal])


# %% seeds: forgets the square root of n
# says: You took the standard deviation of one seed
def compare(first, second, smallest):
    differences = first.mean(axis=1) - second.mean(axis=1)
    df = len(differences) - 1
    mean, error = differences.mean(), differences.std(ddof=1)
    half = t_quantile(0.975, df) * error
    equal = max(t_above((mean + smallest) / error, df), t_above((smallest - mean) / error, df))
    return np.array([mean, mean - half, mean + half, equal])


# %% seeds: takes a one-sided quantile
# says: You left 5% out at each end
def compare(first, second, smallest):
    differences = first.mean(axis=1) - second.mean(axis=1)
    df = len(differences) - 1
    mean, error = differences.mean(), differences.std(ddof=1) / np.sqrt(len(differences))
    half = t_quantile(0.95, df) * error
    equal = max(t_above((mean + smallest) / error, df), t_above((smallest - mean) / error, df))
    return np.array([mean, mean - half, mean + half, equal])


# %% seeds: says equal because not significant
# says: Your last number is the p-value against no difference
def compare(first, second, smallest):
    differences = first.mean(axis=1) - second.mean(axis=1)
    df = len(differences) - 1
    mean, error = differences.mean(), differences.std(ddof=1) / np.sqrt(len(differences))
    half = t_quantile(0.975, df) * error
    return np.array([mean, mean - half, mean + half, 2 * t_above(abs(mean) / error, df)])


# %% seeds: takes one minus the p-value
# says: Your last number is 1 minus the p-value against no difference
def compare(first, second, smallest):
    differences = first.mean(axis=1) - second.mean(axis=1)
    df = len(differences) - 1
    mean, error = differences.mean(), differences.std(ddof=1) / np.sqrt(len(differences))
    half = t_quantile(0.975, df) * error
    return np.array([mean, mean - half, mean + half, 1 - 2 * t_above(abs(mean) / error, df)])


# %% seeds: takes the smaller of the two tests
# says: You took the smaller p-value of the two
def compare(first, second, smallest):
    differences = first.mean(axis=1) - second.mean(axis=1)
    df = len(differences) - 1
    mean, error = differences.mean(), differences.std(ddof=1) / np.sqrt(len(differences))
    half = t_quantile(0.975, df) * error
    equal = min(t_above((mean + smallest) / error, df), t_above((smallest - mean) / error, df))
    return np.array([mean, mean - half, mean + half, equal])


# %% seeds: doubles the p-value
# says: You doubled the p-value
def compare(first, second, smallest):
    differences = first.mean(axis=1) - second.mean(axis=1)
    df = len(differences) - 1
    mean, error = differences.mean(), differences.std(ddof=1) / np.sqrt(len(differences))
    half = t_quantile(0.975, df) * error
    equal = max(t_above((mean + smallest) / error, df), t_above((smallest - mean) / error, df))
    return np.array([mean, mean - half, mean + half, min(1, 2 * equal)])


# %% seeds: tests for being far apart
# says: You tested for a difference beyond the bounds
def compare(first, second, smallest):
    differences = first.mean(axis=1) - second.mean(axis=1)
    df = len(differences) - 1
    mean, error = differences.mean(), differences.std(ddof=1) / np.sqrt(len(differences))
    half = t_quantile(0.975, df) * error
    equal = min(t_above((-smallest - mean) / error, df), t_above((mean - smallest) / error, df))
    return np.array([mean, mean - half, mean + half, equal])


# %% mcnemar: counts the totals
# says: You counted how often each model is right in all
def mcnemar(first, second):
    b, c = int(first.sum()), int(second.sum())
    tail = sum(math.comb(b + c, k) for k in range(min(b, c) + 1)) / 2 ** (b + c)
    return min(1.0, 2 * tail)


# %% mcnemar: compares two unpaired accuracies
# says: You tested two accuracies as if they came from different rows
def mcnemar(first, second):
    n = len(first)
    pooled = (first.mean() + second.mean()) / 2
    error = math.sqrt(2 * pooled * (1 - pooled) / n)
    return math.erfc(abs(first.mean() - second.mean()) / error / math.sqrt(2))


# %% mcnemar: counts the concordant rows
# says: You counted the rows on which the models agree
def mcnemar(first, second):
    b, c = int((first & second).sum()), int((~second & ~first).sum())
    tail = sum(math.comb(b + c, k) for k in range(min(b, c) + 1)) / 2 ** (b + c)
    return min(1.0, 2 * tail)


# %% mcnemar: tosses a coin for all rows
# says: You tossed a coin for every row
def mcnemar(first, second):
    b, c = int((first & ~second).sum()), int((second & ~first).sum())
    n = len(first)
    tail = sum(math.comb(n, k) for k in range(min(b, c) + 1)) / 2**n
    return min(1.0, 2 * tail)


# %% mcnemar: is one-sided
# says: You counted one tail
def mcnemar(first, second):
    b, c = int((first & ~second).sum()), int((second & ~first).sum())
    return sum(math.comb(b + c, k) for k in range(min(b, c) + 1)) / 2 ** (b + c)


# %% mcnemar: leaves what was seen out of the tail
# says: You left out what was seen
def mcnemar(first, second):
    b, c = int((first & ~second).sum()), int((second & ~first).sum())
    tail = sum(math.comb(b + c, k) for k in range(min(b, c))) / 2 ** (b + c)
    return min(1.0, 2 * tail)


# %% mcnemar: lets the p-value exceed one
# says: Your p-value exceeds 1
def mcnemar(first, second):
    b, c = int((first & ~second).sum()), int((second & ~first).sum())
    return 2 * sum(math.comb(b + c, k) for k in range(min(b, c) + 1)) / 2 ** (b + c)


# %% mcnemar: takes the chi-squared approximation
# says: You took the chi-squared approximation
def mcnemar(first, second):
    b, c = int((first & ~second).sum()), int((second & ~first).sum())
    return math.erfc(abs(b - c) / math.sqrt(2 * (b + c))) if b + c else 1.0


# %% bootstrap: draws for each model anew
# says: You drew rows for each model by itself
def bootstrap(labels, first, second, draw, resamples):
    found = []
    for _ in range(resamples):
        rows, others = draw(len(labels)), draw(len(labels))
        one = balanced_accuracy(labels[rows], first[rows])
        found.append(one - balanced_accuracy(labels[others], second[others]))
    return np.quantile(found, [0.025, 0.975])


# %% bootstrap: computes the interval from accuracy
# says: You took plain accuracy
def bootstrap(labels, first, second, draw, resamples):
    found = []
    for _ in range(resamples):
        rows = draw(len(labels))
        found.append(np.mean(labels[rows] == first[rows]) - np.mean(labels[rows] == second[rows]))
    return np.quantile(found, [0.025, 0.975])


# %% bootstrap: leaves the labels in place
# says: You drew predictions and left the labels where they were
def bootstrap(labels, first, second, draw, resamples):
    found = []
    for _ in range(resamples):
        rows = draw(len(labels))
        one, two = (balanced_accuracy(labels, said[rows]) for said in (first, second))
        found.append(one - two)
    return np.quantile(found, [0.025, 0.975])


# %% bootstrap: draws once for all rounds
# says: You drew once, before the loop
def bootstrap(labels, first, second, draw, resamples):
    found = []
    rows = draw(len(labels))
    for _ in range(resamples):
        one, two = (balanced_accuracy(labels[rows], said[rows]) for said in (first, second))
        found.append(one - two)
    return np.quantile(found, [0.025, 0.975])


# %% bootstrap: takes a 90% interval
# says: You left 5% out at each end
def bootstrap(labels, first, second, draw, resamples):
    found = []
    for _ in range(resamples):
        rows = draw(len(labels))
        one, two = (balanced_accuracy(labels[rows], said[rows]) for said in (first, second))
        found.append(one - two)
    return np.quantile(found, [0.05, 0.95])


# %% bootstrap: divides the spread by the square root of the rounds
# says: You divided the spread by the square root of the number of rounds
def bootstrap(labels, first, second, draw, resamples):
    found = []
    for _ in range(resamples):
        rows = draw(len(labels))
        one, two = (balanced_accuracy(labels[rows], said[rows]) for said in (first, second))
        found.append(one - two)
    half = 1.96 * np.std(found) / np.sqrt(resamples)
    return np.array([np.mean(found) - half, np.mean(found) + half])


# %% bootstrap: takes second minus first
# says: You took second minus first
def bootstrap(labels, first, second, draw, resamples):
    found = []
    for _ in range(resamples):
        rows = draw(len(labels))
        one, two = (balanced_accuracy(labels[rows], said[rows]) for said in (first, second))
        found.append(two - one)
    return np.quantile(found, [0.025, 0.975])


# %% bootstrap: subtracts the ends of two intervals
# says: You took the quantiles of each model and subtracted them
def bootstrap(labels, first, second, draw, resamples):
    found = []
    for _ in range(resamples):
        rows = draw(len(labels))
        found.append([balanced_accuracy(labels[rows], said[rows]) for said in (first, second)])
    low, high = np.quantile(found, [0.025, 0.975], axis=0)
    return np.array([low[0] - low[1], high[0] - high[1]])


# %% holm: without the running maximum
# says: You left out the running maximum
def holm(p_values):
    p = np.array(p_values)
    order = np.argsort(p)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(p[order] * np.arange(len(p), 0, -1), 1)
    return adjusted


# %% holm: is Bonferroni's
# says: You multiplied every p-value by their number
def holm(p_values):
    return np.minimum(np.array(p_values) * len(p_values), 1)


# %% holm: returns them sorted
# says: You returned them sorted
def holm(p_values):
    p = np.sort(p_values)
    return np.minimum(np.maximum.accumulate(p * np.arange(len(p), 0, -1)), 1)


# %% holm: does not sort at all
# says: You did not sort
def holm(p_values):
    p = np.array(p_values)
    return np.minimum(np.maximum.accumulate(p * np.arange(len(p), 0, -1)), 1)


# %% holm: multiplies the smallest by one
# says: You turned the multipliers around
def holm(p_values):
    p = np.array(p_values)
    order = np.argsort(p)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(1, len(p) + 1)), 1)
    return adjusted


# %% holm: is Benjamini and Hochberg's
# says: You controlled the false discovery rate (Benjamini and Hochberg)
def holm(p_values):
    p = np.array(p_values)
    order = np.argsort(p)
    scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1)
    return adjusted


# %% holm: is Hochberg's
# says: You took the running minimum from the largest down
def holm(p_values):
    p = np.array(p_values)
    order = np.argsort(p)
    scaled = p[order] * np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1)
    return adjusted


# %% holm: lets values exceed one
# says: Some of your values exceed 1
def holm(p_values):
    p = np.array(p_values)
    order = np.argsort(p)
    adjusted = np.empty(len(p))
    adjusted[order] = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    return adjusted


# %% calibration: drops empty bins
# says: You dropped empty bins
def reliability(positive, labels, bins):
    confidence = np.maximum(positive, 1 - positive)
    right = (positive >= 0.5) == (labels == 1)
    place = np.ceil(confidence * bins) - 1
    found = []
    for b in np.unique(place):
        inside = place == b
        found.append([inside.sum(), confidence[inside].mean(), right[inside].mean()])
    return np.array(found)


def calibration_error(table):
    count, confidence, accuracy = table[table[:, 0] > 0].T
    return np.abs(confidence - accuracy) @ count / count.sum()


# %% calibration: fills empty bins with zeros
# says: You gave an empty bin an accuracy of 0
def reliability(positive, labels, bins):
    confidence = np.maximum(positive, 1 - positive)
    right = (positive >= 0.5) == (labels == 1)
    place = np.ceil(confidence * bins) - 1
    table = np.zeros((bins, 3))
    for b in range(bins):
        inside = place == b
        if inside.any():
            table[b] = inside.sum(), confidence[inside].mean(), right[inside].mean()
    return table


def calibration_error(table):
    count, confidence, accuracy = table[table[:, 0] > 0].T
    return np.abs(confidence - accuracy) @ count / count.sum()


# %% calibration: lets an empty bin spoil the sum
# says: An empty bin made your whole sum nan
def reliability(positive, labels, bins):
    confidence = np.maximum(positive, 1 - positive)
    right = (positive >= 0.5) == (labels == 1)
    place = np.ceil(confidence * bins) - 1
    table = np.full((bins, 3), np.nan)
    for b in range(bins):
        inside = place == b
        table[b, 0] = inside.sum()
        if inside.any():
            table[b, 1:] = confidence[inside].mean(), right[inside].mean()
    return table


def calibration_error(table):
    count, confidence, accuracy = table.T
    return np.abs(confidence - accuracy) @ count / count.sum()


# %% calibration: weighs the bins equally
# says: You gave each bin the same weight
def reliability(positive, labels, bins):
    confidence = np.maximum(positive, 1 - positive)
    right = (positive >= 0.5) == (labels == 1)
    place = np.ceil(confidence * bins) - 1
    table = np.full((bins, 3), np.nan)
    for b in range(bins):
        inside = place == b
        table[b, 0] = inside.sum()
        if inside.any():
            table[b, 1:] = confidence[inside].mean(), right[inside].mean()
    return table


def calibration_error(table):
    return np.nanmean(np.abs(table[:, 1] - table[:, 2]))


# %% calibration: takes P positive for the confidence
# says: You took P(positive) for the confidence
def reliability(positive, labels, bins):
    right = (positive >= 0.5) == (labels == 1)
    place = np.ceil(positive * bins) - 1
    table = np.full((bins, 3), np.nan)
    for b in range(bins):
        inside = place == b
        table[b, 0] = inside.sum()
        if inside.any():
            table[b, 1:] = positive[inside].mean(), right[inside].mean()
    return table


def calibration_error(table):
    count, confidence, accuracy = table[table[:, 0] > 0].T
    return np.abs(confidence - accuracy) @ count / count.sum()


# %% calibration: lets a bin take its lower edge
# says: You gave a value on an edge to the bin above
def reliability(positive, labels, bins):
    confidence = np.maximum(positive, 1 - positive)
    right = (positive >= 0.5) == (labels == 1)
    place = np.floor(confidence * bins)
    table = np.full((bins, 3), np.nan)
    for b in range(bins):
        inside = place == b
        table[b, 0] = inside.sum()
        if inside.any():
            table[b, 1:] = confidence[inside].mean(), right[inside].mean()
    return table


def calibration_error(table):
    count, confidence, accuracy = table[table[:, 0] > 0].T
    return np.abs(confidence - accuracy) @ count / count.sum()


# %% calibration: takes the middle of a bin for its confidence
# says: You took the middle of a bin for its confidence
def reliability(positive, labels, bins):
    confidence = np.maximum(positive, 1 - positive)
    right = (positive >= 0.5) == (labels == 1)
    place = np.ceil(confidence * bins) - 1
    table = np.full((bins, 3), np.nan)
    for b in range(bins):
        inside = place == b
        table[b, 0] = inside.sum()
        if inside.any():
            table[b, 1:] = (b + 0.5) / bins, right[inside].mean()
    return table


def calibration_error(table):
    count, confidence, accuracy = table[table[:, 0] > 0].T
    return np.abs(confidence - accuracy) @ count / count.sum()


# %% calibration: lets bins cancel out
# says: You let too much confidence in one bin make up for too little in another
def reliability(positive, labels, bins):
    confidence = np.maximum(positive, 1 - positive)
    right = (positive >= 0.5) == (labels == 1)
    place = np.ceil(confidence * bins) - 1
    table = np.full((bins, 3), np.nan)
    for b in range(bins):
        inside = place == b
        table[b, 0] = inside.sum()
        if inside.any():
            table[b, 1:] = confidence[inside].mean(), right[inside].mean()
    return table


def calibration_error(table):
    count, confidence, accuracy = table[table[:, 0] > 0].T
    return abs((confidence - accuracy) @ count / count.sum())


# %% calibration: takes the worst bin
# says: You took the worst bin
def reliability(positive, labels, bins):
    confidence = np.maximum(positive, 1 - positive)
    right = (positive >= 0.5) == (labels == 1)
    place = np.ceil(confidence * bins) - 1
    table = np.full((bins, 3), np.nan)
    for b in range(bins):
        inside = place == b
        table[b, 0] = inside.sum()
        if inside.any():
            table[b, 1:] = confidence[inside].mean(), right[inside].mean()
    return table


def calibration_error(table):
    return np.nanmax(np.abs(table[:, 1] - table[:, 2]))


# %% calibration: takes the share of positives for accuracy
# says: You took the share of positive rows for the accuracy
def reliability(positive, labels, bins):
    confidence = np.maximum(positive, 1 - positive)
    place = np.ceil(confidence * bins) - 1
    table = np.full((bins, 3), np.nan)
    for b in range(bins):
        inside = place == b
        table[b, 0] = inside.sum()
        if inside.any():
            table[b, 1:] = confidence[inside].mean(), labels[inside].mean()
    return table


def calibration_error(table):
    count, confidence, accuracy = table[table[:, 0] > 0].T
    return np.abs(confidence - accuracy) @ count / count.sum()


# %% stars: fits the cut points on test
# says: You fitted the cut points on the test rows
def quadratic_kappa(true, predicted):
    seen = np.mean((true - predicted) ** 2)
    by_chance = np.mean((true[:, None] - predicted) ** 2)
    return 1 - seen / by_chance


def five_classes(validation, test):
    positive, stars = test
    points = min(
        itertools.combinations(GRID, 4), key=lambda points: np.abs(cut(positive, points) - stars).mean()
    )
    return np.array([*points, quadratic_kappa(stars, cut(positive, points))])


# %% stars: fits on validation and test together
# says: You fitted on validation and test rows together
def quadratic_kappa(true, predicted):
    seen = np.mean((true - predicted) ** 2)
    by_chance = np.mean((true[:, None] - predicted) ** 2)
    return 1 - seen / by_chance


def five_classes(validation, test):
    positive = np.concatenate([validation[0], test[0]])
    stars = np.concatenate([validation[1], test[1]])
    points = min(
        itertools.combinations(GRID, 4), key=lambda points: np.abs(cut(positive, points) - stars).mean()
    )
    return np.array([*points, quadratic_kappa(test[1], cut(test[0], points))])


# %% stars: fits isotonic regression on test
# says: You fitted isotonic regression on the test rows
def quadratic_kappa(true, predicted):
    seen = np.mean((true - predicted) ** 2)
    by_chance = np.mean((true[:, None] - predicted) ** 2)
    return 1 - seen / by_chance


def five_classes(validation, test):
    positive, stars = validation
    points = min(
        itertools.combinations(GRID, 4), key=lambda points: np.abs(cut(positive, points) - stars).mean()
    )
    values = np.unique(test[0])
    groups = [[test[1][test[0] == value].mean(), np.sum(test[0] == value), 1] for value in values]
    place = 0
    while place + 1 < len(groups):
        (mean, weight, size), (mean2, weight2, size2) = groups[place : place + 2]
        if mean > mean2:
            total = weight + weight2
            groups[place : place + 2] = [[(mean * weight + mean2 * weight2) / total, total, size + size2]]
            place = max(0, place - 1)
        else:
            place += 1
    fitted = np.concatenate([[mean] * size for mean, _, size in groups])
    predicted = np.floor(fitted[np.searchsorted(values, test[0])] + 0.5)
    return np.array([*points, quadratic_kappa(test[1], predicted)])


# %% stars: reports the kappa of the validation rows
# says: You reported the kappa of the validation rows, on which the points were fitted
def quadratic_kappa(true, predicted):
    seen = np.mean((true - predicted) ** 2)
    by_chance = np.mean((true[:, None] - predicted) ** 2)
    return 1 - seen / by_chance


def five_classes(validation, test):
    positive, stars = validation
    points = min(
        itertools.combinations(GRID, 4), key=lambda points: np.abs(cut(positive, points) - stars).mean()
    )
    return np.array([*points, quadratic_kappa(stars, cut(positive, points))])


# %% stars: fits by accuracy
# says: You fitted by accuracy
def quadratic_kappa(true, predicted):
    seen = np.mean((true - predicted) ** 2)
    by_chance = np.mean((true[:, None] - predicted) ** 2)
    return 1 - seen / by_chance


def five_classes(validation, test):
    positive, stars = validation
    points = max(itertools.combinations(GRID, 4), key=lambda points: np.mean(cut(positive, points) == stars))
    return np.array([*points, quadratic_kappa(test[1], cut(test[0], points))])


# %% stars: takes fixed cut points
# says: You took 0.2, 0.4, 0.6 and 0.8
def quadratic_kappa(true, predicted):
    seen = np.mean((true - predicted) ** 2)
    by_chance = np.mean((true[:, None] - predicted) ** 2)
    return 1 - seen / by_chance


def five_classes(validation, test):
    points = (0.2, 0.4, 0.6, 0.8)
    return np.array([*points, quadratic_kappa(test[1], cut(test[0], points))])


# %% stars: weighs errors linearly
# says: You weighed errors by their distance
def quadratic_kappa(true, predicted):
    seen = np.mean(np.abs(true - predicted))
    by_chance = np.mean(np.abs(true[:, None] - predicted))
    return 1 - seen / by_chance


def five_classes(validation, test):
    positive, stars = validation
    points = min(
        itertools.combinations(GRID, 4), key=lambda points: np.abs(cut(positive, points) - stars).mean()
    )
    return np.array([*points, quadratic_kappa(test[1], cut(test[0], points))])


# %% stars: weighs all errors alike
# says: You counted errors, all alike
def quadratic_kappa(true, predicted):
    return 1 - np.mean(true != predicted) / np.mean(true[:, None] != predicted)


def five_classes(validation, test):
    positive, stars = validation
    points = min(
        itertools.combinations(GRID, 4), key=lambda points: np.abs(cut(positive, points) - stars).mean()
    )
    return np.array([*points, quadratic_kappa(test[1], cut(test[0], points))])


# %% stars: leaves chance out
# says: You left chance out
def quadratic_kappa(true, predicted):
    return 1 - np.mean((true - predicted) ** 2) / 16


def five_classes(validation, test):
    positive, stars = validation
    points = min(
        itertools.combinations(GRID, 4), key=lambda points: np.abs(cut(positive, points) - stars).mean()
    )
    return np.array([*points, quadratic_kappa(test[1], cut(test[0], points))])


# %% stars: takes the variance of the true stars for chance
# says: You divided by the variance of the true stars
def quadratic_kappa(true, predicted):
    return 1 - np.mean((true - predicted) ** 2) / np.var(true)


def five_classes(validation, test):
    positive, stars = validation
    points = min(
        itertools.combinations(GRID, 4), key=lambda points: np.abs(cut(positive, points) - stars).mean()
    )
    return np.array([*points, quadratic_kappa(test[1], cut(test[0], points))])


# %% stars: is a correlation
# says: You took the correlation
def quadratic_kappa(true, predicted):
    return np.corrcoef(true, predicted)[0, 1]


def five_classes(validation, test):
    positive, stars = validation
    points = min(
        itertools.combinations(GRID, 4), key=lambda points: np.abs(cut(positive, points) - stars).mean()
    )
    return np.array([*points, quadratic_kappa(test[1], cut(test[0], points))])


# %% robustness: fits on the raw scale
# says: You fitted the line on raw accuracies
def effective_robustness(baselines, model):
    slope, intercept = np.polyfit(*baselines.T, 1)
    return model[1] - (intercept + slope * model[0])


# %% robustness: fits on the logit scale
# says: You fitted the line on the logit scale
def effective_robustness(baselines, model):
    logit = lambda p: np.log(p / (1 - p))
    slope, intercept = np.polyfit(*logit(baselines).T, 1)
    return model[1] - 1 / (1 + np.exp(-(intercept + slope * logit(model[0]))))


# %% robustness: returns the distance in probits
# says: You returned the distance in probits
def effective_robustness(baselines, model):
    slope, intercept = np.polyfit(*probit(baselines).T, 1)
    return probit(model[1]) - (intercept + slope * probit(model[0]))


# %% robustness: fits the line through the model too
# says: You fitted the line through the model that is judged
def effective_robustness(baselines, model):
    slope, intercept = np.polyfit(*probit(np.vstack([baselines, model])).T, 1)
    return model[1] - share(intercept + slope * probit(model[0]))


# %% robustness: swaps the axes
# says: You fitted accuracy in domain from accuracy out of domain
def effective_robustness(baselines, model):
    slope, intercept = np.polyfit(*probit(baselines[:, ::-1]).T, 1)
    return model[1] - share(intercept + slope * probit(model[0]))


# %% robustness: compares gaps
# says: You compared gaps
def effective_robustness(baselines, model):
    return np.mean(baselines[:, 0] - baselines[:, 1]) - (model[0] - model[1])


# %% robustness: takes the gap of the model
# says: You returned the gap of the model
def effective_robustness(baselines, model):
    return model[0] - model[1]


# %% robustness: expected minus found
# says: You turned the sign around
def effective_robustness(baselines, model):
    slope, intercept = np.polyfit(*probit(baselines).T, 1)
    return share(intercept + slope * probit(model[0])) - model[1]


# %% robustness: swaps slope and intercept
# says: You swapped slope and intercept
def effective_robustness(baselines, model):
    intercept, slope = np.polyfit(*probit(baselines).T, 1)
    return model[1] - share(intercept + slope * probit(model[0]))


# %% robustness: forces the line through the origin
# says: You forced the line through (0.5, 0.5)
def effective_robustness(baselines, model):
    x, y = probit(baselines).T
    return model[1] - share(x @ y / (x @ x) * probit(model[0]))
