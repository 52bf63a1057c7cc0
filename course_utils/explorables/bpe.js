// Byte-pair encoding, recounting everything at each step: slow and plain, for texts of a few lines.

const PAIR = 2 ** 24; // one number for a pair of token ids: left * PAIR + right; orders by left, then right

/** Words of a text with their counts, first seen first; splits where Python's str.split() splits. */
function wordCounts(text) {
  const counts = new Map();
  for (const word of text.split(/[\p{White_Space}\x1c-\x1f]+/u)) {
    if (word) counts.set(word, (counts.get(word) || 0) + 1);
  }
  return [...counts];
}

/** Pairs of neighbors as {left, right, count}: highest count first, then smallest token ids. */
function rankPairs(words) {
  const counts = new Map();
  for (const { ids, count } of words) {
    for (let i = 0; i + 1 < ids.length; i++) {
      const pair = ids[i] * PAIR + ids[i + 1];
      counts.set(pair, (counts.get(pair) || 0) + count);
    }
  }
  return [...counts]
    .sort(([a, m], [b, n]) => n - m || a - b)
    .map(([pair, count]) => ({ left: Math.floor(pair / PAIR), right: pair % PAIR, count }));
}

/** Replace each left-right by `token`, from left to right; `fresh` lists where the new ones stand. */
function mergeWord({ ids, count }, left, right, token) {
  const merged = [], fresh = [];
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] === left && ids[i + 1] === right) {
      fresh.push(merged.length);
      merged.push(token);
      i++;
    } else merged.push(ids[i]);
  }
  return { ids: merged, count, fresh };
}

/**
 * Train on [[word, count], ...] until merges made `limit` new tokens or no pair is seen `least` times.
 * Returns {tokens, alphabet, states}: states[k] is the text after k merges: {words, pairs, size, merge}.
 * Ties: the smallest pair of token ids; ids are the alphabet in code point order, then merges in order.
 */
function trainBpe(counts, limit, least) {
  const tokens = [...new Set(counts.flatMap(([word]) => [...word]))].sort(byCodePoint);
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const alphabet = tokens.length;
  let words = counts.map(([word, count]) => ({ ids: [...word].map((c) => ids.get(c)), count, fresh: [] }));
  const states = [{ words, pairs: rankPairs(words), size: alphabet, merge: null }];
  while (tokens.length < alphabet + limit) {
    const best = states[states.length - 1].pairs[0];
    if (!best || best.count < least) break;
    const token = tokens[best.left] + tokens[best.right];
    const known = ids.has(token); // two ways can spell one token, which keeps its first id
    if (!known) ids.set(token, tokens.push(token) - 1);
    words = words.map((word) => mergeWord(word, best.left, best.right, ids.get(token)));
    states.push({ words, pairs: rankPairs(words), size: tokens.length, merge: { ...best, id: ids.get(token), known } });
  }
  return { tokens, alphabet, states };
}
