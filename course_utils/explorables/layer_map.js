const WIDE = 320, NODE = [112, 32], GAP = 10, TOP = 26;
const START_STUDENT = "start";
const layerName = (layer) => (layer === 0 ? "embeddings" : `layer ${layer}`);

function start(root, data) {
  const method = part(root, "method"), kind = part(root, "kind"), who = part(root, "who");
  method.replaceChildren(...Object.entries(data.methods).map(([value, { name }]) => el("option", { value, text: name })));
  method.value = data.method;

  /** A method offers its own kinds first; the table may compare by any that was measured. */
  function offer() {
    const own = data.methods[method.value].kinds, before = kind.value;
    const all = Object.keys(data.kinds).filter((one) => data.tables[START_STUDENT][one]);
    const order = [...all.filter((one) => own.includes(one)), ...all.filter((one) => !own.includes(one))];
    kind.replaceChildren(...order.map((value) => el("option", { value, text: data.kinds[value] })));
    kind.value = own.length || !before ? order[0] : before;
    const trained = data.tables[method.value] ? [[method.value, `trained: ${data.methods[method.value].name}`]] : [];
    who.replaceChildren(...[...trained, [START_STUDENT, "as it starts"]].map(([value, text]) => el("option", { value, text })));
  }

  function show(silent) {
    const table = data.tables[who.value][kind.value] || data.tables[START_STUDENT][kind.value];
    const chosen = data.methods[method.value], begin = data.tables[START_STUDENT][kind.value];
    const compared = chosen.kinds.includes(kind.value);
    const pairs = compared ? chosen.pairs.filter(([m, g]) => table.text[m][g] !== "") : [];
    const trained = who.value !== START_STUDENT;
    part(root, "map").replaceChildren(drawMap(data, method.value, compared ? table : null));
    part(root, "caption").textContent = `${data.kinds[kind.value]}. Student layers (rows) against teacher layers (columns), ${trained ? data.source : "at the start"}`;
    part(root, "rows").replaceChildren(...tableRows(table, pairs));
    const text = story(chosen, pairs, table, begin, trained);
    part(root, "story").textContent = text;
    if (!silent) announce(root, text);
  }
  method.addEventListener("change", () => { offer(); show(); });
  for (const select of [kind, who]) select.addEventListener("change", () => show());
  offer();
  who.value = START_STUDENT;
  show(true);
}

/** The pairs in words: how far apart, and before training; and whether the nearest layer is the one to follow. */
function story(chosen, pairs, table, begin, trained) {
  const losses = pairs.map(([m, g]) => `${layerName(m)} from ${layerName(g)}: ${table.text[m][g]}${trained ? ` (at the start ${begin.text[m][g]})` : ""}`);
  const near = pairs.filter(([m, g]) => table.nearest[m] === g).length;
  const told = losses.length ? ` Student ${losses.join("; ")}. The layer to follow is the nearest for ${near} of ${pairs.length}.` : "";
  return `${chosen.name}. ${chosen.note}${told}`;
}

function tableRows(table, pairs) {
  const joined = new Set(pairs.map(([m, g]) => `${m} ${g}`));
  return table.text.map((row, m) => {
    const cells = row.map((text, g) => {
      const nearest = table.nearest[m] === g && text !== "";
      const marks = ["cw-number", joined.has(`${m} ${g}`) && "cw-joined", nearest && "cw-nearest"].filter(Boolean);
      return el("td", { class: marks.join(" "), text: text + (nearest ? "*" : "") });
    });
    return el("tr", {}, el("th", { scope: "row", text: m === 0 ? "emb." : m }), ...cells);
  }).reverse();
}

/** Two columns of layers, the answers on top, and a line for each pair. */
function drawMap(data, method, table) {
  const { pairs, name } = data.methods[method], step = NODE[1] + GAP;
  const height = TOP + (data.teacher + 2) * step, module = method === "theseus";
  const spread = data.teacher / data.student;
  const yOfTeacher = (layer) => height - step * (layer + 1) + GAP / 2;
  // The student's layers stand beside those that they follow at even distances.
  const yOfStudent = (layer) => height - step * (layer * spread + 1) + GAP / 2;
  const top = height - step * (data.teacher + 2) + GAP / 2;
  const image = svg("svg", { viewBox: `0 0 ${WIDE} ${height}`, role: "img", "aria-label": `${name}: ${pairs.length ? pairs.map(([m, g]) => `student ${layerName(m)} and teacher ${layerName(g)}`).join(", ") : "only the answers"}` });
  const right = WIDE - NODE[0], middle = NODE[1] / 2;
  const link = (g, m, kind) => {
    const [y1, y2] = [g + middle, m + middle], bend = (right - NODE[0]) / 2;
    image.append(svg("path", { class: `cw-link ${kind}`, d: `M ${NODE[0]} ${y1} C ${NODE[0] + bend} ${y1} ${right - bend} ${y2} ${right} ${y2}` }));
  };
  image.append(svg("text", { class: "cw-side", x: NODE[0] / 2, y: 9, text: "teacher" }), svg("text", { class: "cw-side", x: right + NODE[0] / 2, y: 9, text: "student" }));
  if (method !== "theseus") link(top, top, "cw-answers");
  for (const [m, g] of pairs) link(yOfTeacher(g), yOfStudent(m), module ? "cw-module" : "");
  const node = (x, y, lines, on) => {
    const texts = lines.map((text, i) => svg("text", { class: i ? "cw-loss" : "", x: x + NODE[0] / 2 + (lines.length > 1 ? (i ? 32 : -20) : 0), y: y + middle + 1, text }));
    image.append(svg("g", { class: `cw-node ${on ? "cw-on" : ""}` }, svg("rect", { x, y, width: NODE[0], height: NODE[1], rx: 7 }), ...texts));
  };
  for (let g = 0; g <= data.teacher; g++) node(0, yOfTeacher(g), [layerName(g)], pairs.some((pair) => pair[1] === g));
  for (let m = 0; m <= data.student; m++) {
    const pair = pairs.find(([one]) => one === m), loss = table && pair && !module && table.text[m][pair[1]];
    node(right, yOfStudent(m), loss ? [m === 0 ? "embedd." : layerName(m), loss] : [layerName(m)], Boolean(pair));
  }
  node(0, top, [method === "theseus" ? "labels" : "answers"], method !== "theseus");
  node(right, top, ["answers"], true);
  return image;
}
