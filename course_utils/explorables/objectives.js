// Pretraining objectives on lists of tokens, as course_utils.objectives has them. What is drawn and what is made
// of a draw stand apart, so that the latter can be held to Python's, token for token.

const MASK = "[MASK]";

/** Numbers in [0, 1) from a seed (mulberry32). */
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6D2B79F5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const below = (n, random) => Math.floor(random() * n);
const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
const count = (flags) => flags.filter(Boolean).length;

/** To the nearest integer, halves to the even one, as Python rounds. */
function roundHalfEven(x) {
  const low = Math.floor(x), rest = x - low;
  return rest > 0.5 || (rest === 0.5 && low % 2) ? low + 1 : low;
}

/** The numbers from 0 to n - 1 in random order. */
function shuffled(n, random) {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = below(i + 1, random);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** The n-th sentinel: <X>, <Y>, <Z>, <A>, <B> and so on. */
function sentinel(n) {
  const letters = "XYZABCDEFGHIJKLMNOPQRSTUVW";
  return n < 26 ? `<${letters[n]}>` : `<${letters[n % 26]}${Math.floor(n / 26)}>`;
}

/** Half-open intervals of consecutive true values. */
function runs(flags) {
  const found = [];
  flags.forEach((flag, i) => {
    if (flag && !flags[i - 1]) found.push([i, i + 1]);
    else if (flag) found[found.length - 1][1] = i + 1;
  });
  return found;
}

// ------------------------------------------------------------------ draws

const chooseTokens = (eligible, share, random) => eligible.map((may) => random() < share && may);

/** Half-open intervals of the words: from a start to the next start or to a token that is not eligible. */
function wordSpans(eligible, starts) {
  return runs(eligible).flatMap(([from, to]) => {
    const cuts = [from];
    for (let i = from + 1; i < to; i++) if (starts[i]) cuts.push(i);
    return cuts.map((cut, n) => [cut, n + 1 < cuts.length ? cuts[n + 1] : to]);
  });
}

/** Whole words in random order, up to `share` of the tokens; at least one word. */
function chooseWords(eligible, starts, share, random) {
  const words = wordSpans(eligible, starts), chosen = eligible.map(() => false);
  const budget = roundHalfEven(share * count(eligible));
  for (const i of shuffled(words.length, random)) {
    const [from, to] = words[i], taken = count(chosen);
    if (share > 0 && (!taken || taken + to - from <= budget)) chosen.fill(true, from, to);
  }
  return chosen;
}

/** SpanBERT's spans: whole words, geometric lengths clipped to 1..most, until `share` is reached. */
function chooseSpans(eligible, starts, share, random, { p = 0.2, most = 10 } = {}) {
  const words = wordSpans(eligible, starts), chosen = eligible.map(() => false);
  const budget = roundHalfEven(share * count(eligible));
  for (let draw = 0; draw < 20 * Math.max(1, words.length) && words.length; draw++) {
    const left = budget - count(chosen);
    if (left <= 0) break;
    const length = clippedGeometric(p, most, random), first = below(words.length, random);
    const span = contiguous(words.slice(first, first + length));
    if (!span.some(([from, to]) => chosen.slice(from, to).some(Boolean))) take(chosen, span, left);
  }
  return chosen;
}

function clippedGeometric(p, most, random) {
  const odds = Array.from({ length: most }, (_, i) => p * (1 - p) ** i);
  let draw = random() * sum(odds), length = 1;
  while (length < most && draw >= odds[length - 1]) draw -= odds[length++ - 1];
  return length;
}

function contiguous(span) {
  const gap = span.findIndex(([from], i) => i > 0 && from !== span[i - 1][1]);
  return gap < 0 ? span : span.slice(0, gap);
}

function take(chosen, span, budget) {
  for (const [from, to] of span) {
    if (to - from > budget && chosen.some(Boolean)) return;
    chosen.fill(true, from, to);
    budget -= to - from;
  }
}

/** For each chosen token "mask", "random" or "keep"; null elsewhere. */
const drawKinds = (chosen, [mask, random], draw) => chosen.map((is) => {
  const u = draw();
  return !is ? null : u < mask ? "mask" : u < mask + random ? "random" : "keep";
});

/** T5's noise: exactly round(length * density) tokens in round(that / meanSpan) spans. */
function spanNoise(length, random, { density = 0.15, meanSpan = 3 } = {}) {
  if (length < 2) return Array(length).fill(false);
  const noisy = Math.min(Math.max(roundHalfEven(length * density), 1), length - 1);
  const spans = Math.min(Math.max(roundHalfEven(noisy / meanSpan), 1), length - noisy);
  const kept = cutInto(length - noisy, spans, random), noise = cutInto(noisy, spans, random);
  return kept.flatMap((size, i) => [...Array(size).fill(false), ...Array(noise[i]).fill(true)]);
}

/** `pieces` positive sizes that sum to `total`, every way to cut equally likely. */
function cutInto(total, pieces, random) {
  const borders = shuffled(total - 1, random).slice(0, pieces - 1).map((i) => i + 1).sort((a, b) => a - b);
  return [...borders, total].map((border, i) => border - (i ? borders[i - 1] : 0));
}

/** BART's infilling: lengths of the spans, Poisson, and the gaps between kept tokens that they lie in. */
function drawInfilling(length, random, { share = 0.3, meanSpan = 3 } = {}) {
  const budget = roundHalfEven(share * length), lengths = [];
  while (sum(lengths) < budget) lengths.push(Math.min(poisson(meanSpan, random), budget - sum(lengths)));
  const slots = length - sum(lengths) + 1;
  while (lengths.length > slots) lengths.push(lengths.pop() + lengths.pop());
  const at = shuffled(slots, random).slice(0, lengths.length).sort((a, b) => a - b);
  const order = shuffled(lengths.length, random);
  return at.map((slot, i) => [slot, lengths[order[i]]]);
}

function poisson(mean, random) {
  let k = 0;
  for (let product = random(); product > Math.exp(-mean); product *= random()) k++;
  return k;
}

// ------------------------------------------------------------------ inputs and targets, given the draws

/** Masked LM: `kinds` as drawKinds gives them; labels hold null where nothing is predicted. */
function corrupt(tokens, kinds, replacements) {
  const inputs = tokens.map((token, i) => ({ mask: MASK, random: replacements[i] })[kinds[i]] ?? token);
  return { inputs, labels: tokens.map((token, i) => kinds[i] ? token : null) };
}

const causalLm = (tokens) => ({ inputs: tokens.slice(0, -1), labels: tokens.slice(1) });

function prefixLm(tokens, prefix) {
  const { inputs, labels } = causalLm(tokens);
  return { inputs, labels: labels.map((label, i) => i < prefix - 1 ? null : label) };
}

const replacedLabels = (original, replaced) => original.map((token, i) => token !== replaced[i]);

function replaceSpans(tokens, noise) {
  const spans = runs(noise), first = new Map(spans.map(([from], n) => [from, n]));
  const inputs = tokens.flatMap((token, i) => first.has(i) ? [sentinel(first.get(i))] : noise[i] ? [] : [token]);
  const targets = spans.flatMap(([from, to], n) => [sentinel(n), ...tokens.slice(from, to)]);
  return { inputs, targets: [...targets, sentinel(spans.length)] };
}

const dropTokens = (tokens, noise) => ({ inputs: tokens.filter((_, i) => !noise[i]), targets: tokens.filter((_, i) => noise[i]) });

const maskAll = (tokens, noise) => ({ inputs: tokens.map((token, i) => noise[i] ? MASK : token), targets: [...tokens] });

const deleteTokens = (tokens, noise) => ({ inputs: tokens.filter((_, i) => !noise[i]), targets: [...tokens] });

function massFragment(tokens, start, size) {
  const inputs = tokens.map((token, i) => i >= start && i < start + size ? MASK : token);
  return { inputs, targets: tokens.slice(start, start + size) };
}

const reorder = (tokens, order) => ({ inputs: order.map((i) => tokens[i]), targets: [...tokens] });

/** spans: [slot, length], slots ascending and counted in kept tokens. */
function infill(tokens, spans) {
  const inputs = [];
  let at = 0, before = 0;
  for (const [slot, length] of spans) {
    inputs.push(...tokens.slice(at, at + slot - before), MASK);
    at += slot - before + length;
    before = slot;
  }
  return { inputs: [...inputs, ...tokens.slice(at)], targets: [...tokens] };
}

const rotate = (tokens, start) => ({ inputs: [...tokens.slice(start), ...tokens.slice(0, start)], targets: [...tokens] });

/** The tokens cut before each true value of `starts`; the first token always starts a sentence. */
function sentences(tokens, starts) {
  const cuts = tokens.map((_, i) => i).filter((i) => i === 0 || starts[i]);
  return cuts.map((cut, n) => tokens.slice(cut, cuts[n + 1]));
}

const permuteSentences = (tokens, starts, order) => {
  const parts = sentences(tokens, starts);
  return { inputs: order.flatMap((i) => parts[i]), targets: [...tokens] };
};

// ------------------------------------------------------------------ how they are shown

/** A list item with what the model reads above what it must say; `said` is for screen readers. */
function column(input, kind, under, said) {
  return el("li", { class: "cw-col" }, chip(input, { class: kind }), el("span", { class: "cw-below", text: under ?? "" }), el("span", { class: "cw-hidden", text: said ?? "" }));
}
