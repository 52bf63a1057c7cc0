/** What BERT is given, token by token, as course_utils.explorables.input_builder.build_input has it. */
function buildInput(texts, length, { vocab, specials, lowercase, unknown, longest }) {
  const pieces = (text) => bertWords(text, lowercase).flatMap((word) => walkWord(word, vocab, { unknown, longest }).pieces);
  const used = texts.map(pieces).filter((text, i) => i === 0 || text.length);
  const rows = [[specials.first, 0]];
  used.forEach((text, segment) => rows.push(...[...text, specials.between].map((token) => [token, segment])));
  const real = rows.length;
  while (rows.length < length) rows.push([specials.padding, 0]);
  return rows.map(([token, segment], position) => ({ token, id: vocab.get(token), segment, position, mask: +(position < real) }));
}

function start(root, data) {
  const rules = { ...data, vocab: new Map(data.vocab.split("\n").map((token, id) => [token, id])) };
  const tables = Object.fromEntries(Object.entries(data.tables).map(([name, packed]) => [name, unpack(packed)]));
  const fields = [part(root, "first"), part(root, "second")], pad = part(root, "pad");
  pad.replaceChildren(el("option", { value: 0, text: "none" }), ...data.padded.map((length) => el("option", { value: length, text: `to ${length} tokens` })));
  fields.forEach((field, i) => { field.value = data.texts[i]; onTyping(field, show); });
  pad.addEventListener("change", show);

  function show() {
    const rows = buildInput(fields.map((field) => field.value), +pad.value, rules);
    const limit = largestOf(rows, tables, data.numbers);
    part(root, "rows").replaceChildren(...rows.map((row) => rowOf(row, tables, data.numbers, limit)));
    const list = (key) => `[${rows.map((row) => row[key]).join(", ")}]`;
    part(root, "ids").textContent = list("id");
    part(root, "types").textContent = list("segment");
    part(root, "mask").textContent = list("mask");
    const real = rows.filter(({ mask }) => mask).length;
    const words = `${plural(rows.length, "token")}${real < rows.length ? `, ${rows.length - real} of them padding` : ""}`;
    part(root, "caption").textContent = `${words}; the first ${data.numbers} numbers of each embedding`;
    announce(root, `${words}: ${rows.filter(({ mask }) => mask).map(({ token }) => token).join(" ")}`);
  }
  show();
}

/** The three rows that are added for one token, and their sum. */
function vectorsOf({ id, position, segment }, tables, n) {
  const row = (name, at) => [...tables[name].subarray(n * at, n * (at + 1))];
  const three = [row("tokens", id), row("positions", position), row("segments", segment)];
  return [...three, three[0].map((_, i) => three[0][i] + three[1][i] + three[2][i])];
}

const largestOf = (rows, tables, n) => Math.max(...rows.flatMap((row) => vectorsOf(row, tables, n).flat().map(Math.abs)));

function rowOf(row, tables, n, limit) {
  const names = ["token row", "position row", "segment row", "sum"];
  const strips = vectorsOf(row, tables, n).map((vector, i) => {
    const label = `${names[i]} of ${row.token}: ${vector.map((x) => x.toFixed(2)).join(", ")}`;
    return el("td", { class: i < 3 ? "cw-part" : "cw-sum" }, strip(vector, limit, label));
  });
  const number = (text) => el("td", { class: "cw-number", text });
  return el("tr", { class: row.mask ? row.segment ? "cw-second" : "" : "cw-padding" },
    number(row.position), el("th", { scope: "row" }, chip(row.token, { class: row.mask && row.segment ? "cw-made" : "" })),
    number(row.id), number(row.segment), number(row.mask), ...strips);
}
