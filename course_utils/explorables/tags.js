// Tags of words on pieces, as course_utils.explorables.label_alignment has them.

const inside = (tag) => (tag.startsWith("B-") ? `I-${tag.slice(2)}` : tag);
const FOLLOW = { first: () => null, all: inside, copied: (tag) => tag };

/** The label of each token of [CLS] pieces [SEP]; null: the loss leaves it out. */
function pieceLabels(counts, tags, scheme) {
  const length = counts.reduce((sum, count) => sum + count, 2);
  if (scheme === "in order") return Array.from({ length }, (_, i) => tags[i] ?? null);
  return [null, ...counts.flatMap((count, w) => Array.from({ length: count }, (_, i) => (i ? FOLLOW[scheme](tags[w]) : tags[w]))), null];
}

/** Entities as [kind, start, end], read as course_utils.metrics.entities does when it is not strict. */
function entitiesOf(tags) {
  const found = [];
  let start = -1, before = ["O", ""];
  [...tags, "O"].forEach((whole, i) => {
    const tag = whole === "O" ? ["O", ""] : [whole[0], whole.slice(2)];
    const goesOn = "IE".includes(tag[0]) && "BI".includes(before[0]) && tag[1] === before[1];
    if (start >= 0 && !goesOn) { found.push([before[1], start, i]); start = -1; }
    if (tag[0] !== "O" && !goesOn) start = i;
    before = tag;
  });
  return found;
}

function countLabels(counts, tags, scheme) {
  const labels = pieceLabels(counts, tags, scheme), named = labels.filter((label) => label !== null);
  let at = 1;
  const wrong = counts.filter((count, w) => { const first = at; at += count; return !count || labels[first] !== tags[w]; });
  return { tokens: labels.length, counted: named.length, wrong: wrong.length, entities: entitiesOf(named).length };
}
