const LOOKS = { mask: "cw-masked", random: "cw-random", keep: "cw-kept" };
const CLS = "[CLS]", SEP = "[SEP]";

function start(root, data) {
  const vocab = new Map(data.vocab.split("\n").map((token, id) => [token, id]));
  const text = part(root, "text"), share = part(root, "share"), family = part(root, "family");
  const other = data.other.map((sentence) => readTokens(sentence, vocab, data).tokens);
  let seed = 1;
  const show = () => draw(root, objectivesOf(readTokens(text.value, vocab, data), { share: share.value / 100, other }, seed), seed);

  [text.value, share.value] = [data.text, Math.round(100 * data.share)];
  onTyping(text, () => { seed = 1; show(); });
  part(root, "again").addEventListener("click", () => { seed++; show(); });
  share.addEventListener("input", show);
  family.addEventListener("change", show);
  show();
}

/** The pieces of a text, which of them start a word, and which a sentence. */
function readTokens(text, vocab, data) {
  const tokens = bertWords(text, data.lowercase).flatMap((word) => walkWord(word, vocab, data).pieces);
  const starts = tokens.map((token) => !token.startsWith("##"));
  const opens = tokens.map((token, i) => i === 0 || (/^[.!?]$/.test(tokens[i - 1]) && !/^[.!?]$/.test(token)));
  return { tokens, starts, opens };
}

/** Every objective on these tokens: {name, by, family, ...} with labels in place, a written target, or a class. */
function objectivesOf({ tokens, starts, opens }, { share, other }, seed) {
  if (tokens.length < 2) return [];
  const numbers = generator(seed), all = tokens.map(() => true);
  const noise = spanNoise(tokens.length, numbers, { density: share }), single = someToken(chooseTokens(all, share, numbers), numbers);
  return [...inPlace(tokens, starts, all, share, numbers), ...written(tokens, opens, noise, single, share, numbers), ...pairs(sentences(tokens, opens), other, numbers)];
}

/** At least one token is corrupted, so that there is something to see. */
const someToken = (chosen, numbers) => chosen.some(Boolean) ? chosen : chosen.with(below(chosen.length, numbers), true);

function inPlace(tokens, starts, all, share, numbers) {
  const draws = tokens.map(() => tokens[below(tokens.length, numbers)]);
  const masked = (name, by, chosen) => {
    const kinds = drawKinds(chosen, [0.8, 0.1], numbers);
    return { name, by, family: "place", ...corrupt(tokens, kinds, draws), looks: kinds.map((kind) => LOOKS[kind]) };
  };
  const framed = [CLS, ...tokens], prefix = 1 + below(tokens.length, numbers);
  const judged = someToken(chooseTokens(all, share, numbers), numbers);
  const filled = tokens.map((token, i) => judged[i] ? draws[i] : token), wrong = replacedLabels(tokens, filled);
  return [
    masked("Masked LM", "BERT", someToken(chooseTokens(all, share, numbers), numbers)),
    masked("Whole-word masking", "BERT, 2019", chooseWords(all, starts, share, numbers)),
    masked("Span masking", "SpanBERT", chooseSpans(all, starts, share, numbers)),
    { name: "Causal LM", by: "GPT", family: "place", ...causalLm(framed), looks: framed.map((_, i) => i ? "" : "cw-special"), note: "each place reads itself and what stands before it" },
    { name: "Prefix LM", by: "UniLM, T5", family: "place", ...prefixLm(framed, prefix), looks: framed.map((_, i) => i < prefix ? "cw-prefix" : ""), note: "the tinted prefix is read in both directions" },
    { name: "Replaced-token detection", by: "ELECTRA", family: "place", inputs: filled, labels: wrong.map((is) => is ? "replaced" : "original"), looks: wrong.map((is) => is ? "cw-random" : ""), sampled: judged, note: replacedNote(judged, wrong) },
  ];
}

function replacedNote(judged, wrong) {
  const same = count(judged) - count(wrong);
  return `${plural(count(judged), "place")} drawn from a stand-in for the generator${same ? `; ${same} came out as the original and ${same === 1 ? "counts" : "count"} as original` : ""}`;
}

function written(tokens, opens, noise, single, share, numbers) {
  const size = Math.min(Math.max(1, roundHalfEven(tokens.length / 2)), tokens.length);
  const start = below(tokens.length - size + 1, numbers);
  const random = tokens.map(() => tokens[below(tokens.length, numbers)]);
  const kinds = drawKinds(single, [0.9, 0.1], numbers);
  const order = shuffled(tokens.length, numbers), parts = shuffled(count(opens), numbers);
  const write = (name, by, pair) => ({ name, by, family: "written", ...pair });
  return [
    write("Span corruption", "T5", replaceSpans(tokens, noise)),
    write("Single tokens replaced", "T5's i.i.d. variant", replaceSpans(tokens, single)),
    write("Tokens dropped", "T5's variant", dropTokens(tokens, single)),
    write("BERT-style, rewritten", "T5's variant", { inputs: corrupt(tokens, kinds, random).inputs, targets: [...tokens] }),
    write("Deshuffling", "T5's variant", reorder(tokens, order)),
    write("A masked fragment", "MASS", massFragment(tokens, start, size)),
    write("Token masking", "BART", maskAll(tokens, single)),
    write("Token deletion", "BART", deleteTokens(tokens, single)),
    write("Text infilling", "BART", infill(tokens, drawInfilling(tokens.length, numbers, { share: Math.min(1, 2 * share) }))),
    write("Sentence permutation", "BART", permuteSentences(tokens, opens, parts)),
    write("Document rotation", "BART", rotate(tokens, below(tokens.length, numbers))),
  ];
}

function pairs(parts, other, numbers) {
  const cut = 1 + below(Math.max(1, parts.length - 1), numbers), swap = numbers() < 0.5, foreign = numbers() < 0.5;
  const from = below(other.length, numbers), short = parts.length < 2;
  const [first, second] = [parts.slice(0, cut).flat(), parts.slice(cut).flat()];
  const frame = (a, b) => [CLS, ...a, SEP, ...b, SEP];
  const lacking = "This needs two sentences: end the first with a period.";
  return [
    { name: "Next-sentence prediction", by: "BERT", family: "pair", lacking: short && lacking, inputs: frame(first, foreign ? other.slice(from).flat() : second), says: foreign ? "NotNext" : "IsNext" },
    { name: "Sentence-order prediction", by: "ALBERT", family: "pair", lacking: short && lacking, inputs: swap ? frame(second, first) : frame(first, second), says: swap ? "swapped" : "in order" },
  ];
}

function draw(root, all, seed) {
  const family = part(root, "family").value, shown = all.filter((one) => family === "all" || one.family === family);
  part(root, "shareText").textContent = `${part(root, "share").value}%`;
  part(root, "share").setAttribute("aria-valuetext", `${part(root, "share").value}%`);
  part(root, "drawn").textContent = `Draw ${seed}`;
  const none = el("li", { class: "cw-card", text: "There is too little text yet: type two tokens or more." });
  part(root, "cards").replaceChildren(...(shown.length ? shown.map(card) : [none]));
  announce(root, shown.length ? `Draw ${seed}: ${plural(shown.length, "objective")} shown. ${shown[0].name} reads: ${shown[0].inputs?.join(" ")}` : "Too little text.");
}

function card(one) {
  const head = el("p", { class: "cw-name" }, one.name, " ", el("small", { text: one.by }));
  const parts = one.lacking ? [el("p", { text: one.lacking })] : one.family === "place" ? [columns(one)] : [flow("reads", one.inputs), one.says ? el("p", { text: `must say: ${one.says}` }) : flow("writes", one.targets)];
  return el("li", { class: "cw-card" }, head, ...parts, el("p", { class: "cw-teaches", text: one.lacking ? "" : teaches(one) }));
}

const columns = ({ inputs, labels, looks }) => el("ul", { class: "cw-cols" }, ...inputs.map((token, i) => column(token, looks[i] ?? "", labels[i] ?? "–", labels[i] === null ? "" : `must say ${labels[i]}`)));

const flow = (role, tokens) => el("ul", { class: "cw-chips" }, el("li", { class: "cw-role", text: role }), ...tokens.map((token) => el("li", {}, chip(token, { class: look(token) }))));

const look = (token) => token === MASK ? "cw-masked" : /^<[A-Z]\d*>$/.test(token) ? "cw-sentinel" : [CLS, SEP].includes(token) ? "cw-special" : "";

function teaches({ family, inputs, labels, targets, note }) {
  if (family === "pair") return "One answer for the whole text teaches.";
  if (family === "written") return `Reads ${plural(inputs.length, "token")}, writes ${plural(targets.length, "token")}, and each written one teaches.`;
  const taught = labels.filter((label) => label !== null).length;
  return `${taught} of ${plural(inputs.length, "place")} ${taught === 1 ? "teaches" : "teach"}${note ? `; ${note}` : ""}.`;
}
