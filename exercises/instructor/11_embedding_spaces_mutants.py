# ruff: noqa: F811, F821
# Known wrong answers of exercise 11. Each must fail its checks with a message that names the mistake.


# %% mean-cosine: counts the diagonal
# says: You counted each vector with itself
def mean_cosine(vectors):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return (unit @ unit.T).mean()


# %% mean-cosine: leaves the diagonal out but divides by all
# says: You left the diagonal out of the sum, and not out of the count
def mean_cosine(vectors):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = unit @ unit.T
    return (cosines.sum() - np.trace(cosines)) / cosines.size


# %% mean-cosine: takes dot products
# says: You took dot products
def mean_cosine(vectors):
    products = vectors @ vectors.T
    n = len(vectors)
    return (products.sum() - np.trace(products)) / (n * (n - 1))


# %% mean-cosine: compares columns
# says: You compared columns
def mean_cosine(vectors):
    vectors = vectors.T
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    cosines = unit @ unit.T
    n = len(vectors)
    return (cosines.sum() - np.trace(cosines)) / (n * (n - 1))


# %% mean-cosine: takes absolute values
# says: You took absolute values
def mean_cosine(vectors):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = np.abs(unit @ unit.T)
    n = len(vectors)
    return (cosines.sum() - np.trace(cosines)) / (n * (n - 1))


# %% mean-cosine: compares with the mean vector
# says: You compared each vector with the mean vector
def mean_cosine(vectors):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    middle = vectors.mean(axis=0)
    middle = middle / max(np.linalg.norm(middle), 1e-12)
    return (unit @ middle).mean()


# %% mean-cosine: never moves on
# says: does a loop in it never end
def mean_cosine(vectors):
    total, row = 0.0, 0
    while row < len(vectors):
        total += 1.0
    return total


# %% center: wrong axis
# says: You took the mean of each vector's own numbers
def center(vectors, languages):
    return vectors - vectors.mean(axis=1, keepdims=True)


# %% center: one mean for all
# says: You subtracted one mean for all languages
def center(vectors, languages):
    return vectors - vectors.mean(axis=0)


# %% center: one number a language
# says: You subtracted one number for a language
def center(vectors, languages):
    names = np.array(languages)
    centered = np.array(vectors, dtype=float)
    for name in set(languages):
        rows = names == name
        centered[rows] = vectors[rows] - vectors[rows].mean()
    return centered


# %% center: works in place
# says: You changed the vectors that you were given
def center(vectors, languages):
    names = np.array(languages)
    for name in set(languages):
        vectors[names == name] -= vectors[names == name].mean(axis=0)
    return vectors


# %% center: expects runs of one language
# says: You treated every run of one language as a language of its own
def center(vectors, languages):
    centered = np.array(vectors, dtype=float)
    start = 0
    for end in range(1, len(languages) + 1):
        if end == len(languages) or languages[end] != languages[start]:
            centered[start:end] -= vectors[start:end].mean(axis=0)
            start = end
    return centered


# %% center: returns the centroids
# says: You returned the centroids
def center(vectors, languages):
    names = np.array(languages)
    return np.stack([vectors[names == name].mean(axis=0) for name in languages])


# %% center: standardizes too
# says: You also divided by the deviations
def center(vectors, languages):
    names = np.array(languages)
    centered = np.array(vectors, dtype=float)
    for name in set(languages):
        rows = names == name
        spread = np.maximum(vectors[rows].std(axis=0), 1e-9)
        centered[rows] = (vectors[rows] - vectors[rows].mean(axis=0)) / spread
    return centered


# %% attention: padding counted
# says: You counted the rows of padded queries
def average_attention(maps, real):
    return maps.mean(axis=(0, 1, 2))


# %% attention: averages over keys
# says: You averaged over the keys
def average_attention(maps, real):
    return maps.mean(axis=(0, 1, 3))


# %% attention: zeroes padded queries but divides by all
# says: You left padded queries out of the sum, and not out of the count
def average_attention(maps, real):
    return (maps.mean(axis=(0, 1)) * real[:, None]).mean(axis=0)


# %% attention: last layer only
# says: You took the last layer alone
def average_attention(maps, real):
    return maps[-1].mean(axis=0)[real == 1].mean(axis=0)


# %% attention: first head only
# says: You took the first head alone
def average_attention(maps, real):
    return maps[:, 0].mean(axis=0)[real == 1].mean(axis=0)


# %% attention: the row of the first token
# says: You took the row of the first token
def average_attention(maps, real):
    return maps.mean(axis=(0, 1))[0]


# %% attention: adds instead of averaging
# says: You added the queries up
def average_attention(maps, real):
    return maps.mean(axis=(0, 1))[real == 1].sum(axis=0)


# %% attention: multiplies the layers
# says: You multiplied the layers
def average_attention(maps, real):
    flow = np.eye(maps.shape[-1])
    for layer in maps.mean(axis=1):
        flow = layer @ flow
    return flow[real == 1].mean(axis=0)


# %% bic: wrong sign
# says: You turned the sign around
def bic(log_likelihood, components, dimensions, samples):
    free = components * (dimensions + dimensions * (dimensions + 1) / 2) + components - 1
    return 2 * log_likelihood - free * np.log(samples)


# %% bic: adds the log-likelihood
# says: You added the log-likelihood
def bic(log_likelihood, components, dimensions, samples):
    free = components * (dimensions + dimensions * (dimensions + 1) / 2) + components - 1
    return free * np.log(samples) + 2 * log_likelihood


# %% bic: is AIC
# says: You let each number pay 2
def bic(log_likelihood, components, dimensions, samples):
    free = components * (dimensions + dimensions * (dimensions + 1) / 2) + components - 1
    return 2 * free - 2 * log_likelihood


# %% bic: counts all of the covariance
# says: You counted d * d numbers in a covariance
def bic(log_likelihood, components, dimensions, samples):
    free = components * (dimensions + dimensions**2) + components - 1
    return free * np.log(samples) - 2 * log_likelihood


# %% bic: counts all weights
# says: You counted k free weights
def bic(log_likelihood, components, dimensions, samples):
    free = components * (dimensions + dimensions * (dimensions + 1) / 2) + components
    return free * np.log(samples) - 2 * log_likelihood


# %% bic: forgets the means
# says: You forgot the means
def bic(log_likelihood, components, dimensions, samples):
    free = components * dimensions * (dimensions + 1) / 2 + components - 1
    return free * np.log(samples) - 2 * log_likelihood


# %% bic: takes the mean log-likelihood
# says: You divided the log-likelihood by the number of points
def bic(log_likelihood, components, dimensions, samples):
    free = components * (dimensions + dimensions * (dimensions + 1) / 2) + components - 1
    return free * np.log(samples) - 2 * log_likelihood / samples


# %% bic: takes logarithms to base 10
# says: You took the logarithm to base 10
def bic(log_likelihood, components, dimensions, samples):
    free = components * (dimensions + dimensions * (dimensions + 1) / 2) + components - 1
    return free * np.log10(samples) - 2 * log_likelihood


# %% bic: forgets the factor 2
# says: You forgot the factor 2
def bic(log_likelihood, components, dimensions, samples):
    free = components * (dimensions + dimensions * (dimensions + 1) / 2) + components - 1
    return free * np.log(samples) - log_likelihood


# %% faithful: fits on the projection only
# says: You found both groupings in the same place
def faithful(vectors, project, fit, seeds):
    found = []
    for seed in seeds:
        points = project(vectors, seed)
        found.append(agreement(fit(points, seed), fit(points, seed)))
    return sum(found) / len(found)


# %% faithful: never projects
# says: You found both groupings in the same place
def faithful(vectors, project, fit, seeds):
    found = []
    for seed in seeds:
        project(vectors, seed)
        found.append(agreement(fit(vectors, seed), fit(vectors, seed)))
    return sum(found) / len(found)


# %% faithful: compares names of groups
# says: You compared the names of the groups
def faithful(vectors, project, fit, seeds):
    found = []
    for seed in seeds:
        before, after = fit(vectors, seed), fit(project(vectors, seed), seed)
        found.append(float(np.mean(np.asarray(before) == np.asarray(after))))
    return sum(found) / len(found)


# %% faithful: keeps the best seed
# says: You kept the best seed
def faithful(vectors, project, fit, seeds):
    found = []
    for seed in seeds:
        found.append(agreement(fit(vectors, seed), fit(project(vectors, seed), seed)))
    return max(found)


# %% faithful: uses the first seed for all
# says: You used the first seed for all
def faithful(vectors, project, fit, seeds):
    found = []
    for _ in seeds:
        found.append(agreement(fit(vectors, seeds[0]), fit(project(vectors, seeds[0]), seeds[0])))
    return sum(found) / len(found)


# %% faithful: adds the seeds up
# says: You added the seeds up
def faithful(vectors, project, fit, seeds):
    found = []
    for seed in seeds:
        found.append(agreement(fit(vectors, seed), fit(project(vectors, seed), seed)))
    return sum(found)


# %% faithful: compares the seeds with each other
# says: You compared the pictures of different seeds
def faithful(vectors, project, fit, seeds):
    groups = [fit(project(vectors, seed), seed) for seed in seeds]
    found = [agreement(groups[0], other) for other in groups]
    return sum(found) / len(found)
