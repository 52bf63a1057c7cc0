const FACTS = [
  ["shape", "Shape"], ["objective", "Objective"], ["sentences", "Sentence pairs"], ["masking", "Masking"], ["sharing", "Sharing"],
  ["attention", "Attention"], ["vocabulary", "Vocabulary"], ["positions", "Longest text"], ["layers", "Layers"], ["width", "Width"],
  ["parameters", "Parameters"], ["corpus", "Text"],
];
const ANY = "any";

function start(root, data) {
  const { members } = data, byId = new Map(members.map((member) => [member.id, member]));
  const sizes = [...new Set(members.map((member) => member.parameters))].sort((a, b) => a - b);
  const most = part(root, "most"), first = part(root, "first"), second = part(root, "second");
  const filters = fillFilters(part(root, "filters"), data.labels, members, () => filter());
  const filter = (silent) => showMatches(root, members, filters, sizes[+most.value], silent);
  const compare = (silent) => showPair(root, byId.get(first.value), byId.get(second.value), byId, silent);

  for (const select of [first, second]) {
    select.replaceChildren(...members.map(({ id, name }) => el("option", { value: id, text: name })));
    select.addEventListener("change", () => compare());
  }
  [first.value, second.value, most.max, most.value] = [data.first, data.second, sizes.length - 1, sizes.length - 1];
  most.addEventListener("input", () => filter());
  part(root, "all").addEventListener("click", () => {
    for (const select of filters.values()) select.value = ANY;
    most.value = most.max;
    filter();
  });
  drawButtons(part(root, "rows"), (id) => {
    [first.value, second.value] = [byId.get(id).parents[0] || id, id];
    compare();
  });
  filter(true);
  compare(true);
}

/** Names become buttons once they can do something. */
function drawButtons(host, act) {
  for (const row of host.children) {
    const name = row.querySelector(".cw-name");
    name.replaceWith(el("button", { type: "button", text: name.textContent, onclick: () => act(row.dataset.member) }));
  }
}

/** One select for each feature, with the values that occur. */
function fillFilters(host, labels, members, act) {
  const made = new Map();
  for (const [feature, label] of Object.entries(labels)) {
    const values = [...new Set(members.map((member) => member[feature]))].sort();
    const select = el("select", { "data-filter": feature, onchange: act }, ...[ANY, ...values].map((value) => el("option", { value, text: value })));
    host.append(el("label", {}, el("span", { class: "cw-label", text: label }), select));
    made.set(feature, select);
  }
  return made;
}

const short = (parameters) => `${Math.round(parameters / 1e6).toLocaleString("en")} million`;

/** Members that do not match stay in the tree, hollow and without words, so that the tree keeps its shape. */
function showMatches(root, members, filters, largest, silent) {
  const wanted = [...filters].filter(([, select]) => select.value !== ANY);
  const matches = members.filter((member) => member.parameters <= largest && wanted.every(([feature, select]) => member[feature] === select.value));
  const kept = new Set(matches.map(({ id }) => id));
  for (const row of part(root, "rows").children) row.classList.toggle("cw-off", !kept.has(row.dataset.member));
  part(root, "mostText").textContent = short(largest);
  part(root, "most").setAttribute("aria-valuetext", `${short(largest)} parameters`);
  const names = matches.length && matches.length <= 6 ? `: ${matches.map(({ name }) => name).join(", ")}` : "";
  const all = matches.length === members.length;
  const text = all ? `All ${members.length} members, oldest first.` : `${matches.length} of ${members.length} members${names}.`;
  part(root, "count").textContent = text;
  if (!silent) announce(root, text);
}

/** The path from a member up to the root, by first parents. */
function lineage(member, byId) {
  const path = [];
  for (let at = member; at; at = byId.get(at.parents[0])) path.push(at.id);
  return path;
}

function showPair(root, first, second, byId, silent) {
  const ids = new Set([first.id, second.id]);
  for (const row of part(root, "rows").children) {
    const chosen = ids.has(row.dataset.member);
    row.classList.toggle("cw-chosen", chosen);
    row.querySelector("button").setAttribute("aria-pressed", String(chosen));
  }
  const path = lineage(second, byId);
  for (const edge of root.querySelectorAll(".cw-edge")) {
    const at = path.indexOf(edge.dataset.to);
    edge.classList.toggle("cw-on", at >= 0 && path[at + 1] === edge.dataset.from);
  }
  const differing = FACTS.filter(([key]) => first[key] !== second[key]);
  part(root, "firstName").textContent = first.name;
  part(root, "secondName").textContent = second.name;
  part(root, "caption").textContent = `${first.name} (${first.model}) beside ${second.name} (${second.model}): ≠ marks what differs`;
  part(root, "table").replaceChildren(...FACTS.map(([key, label]) => factRow(label, say(first, key), say(second, key))));
  const story = tell(first, second, differing.map(([, label]) => label.toLowerCase()), path, byId);
  part(root, "story").textContent = story;
  if (!silent) announce(root, story);
}

const say = (member, key) => (typeof member[key] === "number" ? member[key].toLocaleString("en") : member[key]);

function factRow(label, one, other) {
  const differs = one !== other;
  const sign = el("span", { class: "cw-sign", text: differs ? " ≠" : "" });
  return el("tr", { class: differs ? "cw-differs" : "" }, el("th", { scope: "row" }, el("span", { text: label }), sign), el("td", { text: one }), el("td", { text: other }));
}

function tell(first, second, differing, path, byId) {
  const line = path.map((id) => byId.get(id).name).reverse().join(" → ");
  if (first === second) return `${line}. ${second.change}.`;
  const times = second.parameters / first.parameters;
  const size = times >= 1.995 ? `${times.toFixed(1)} times as many parameters` : `${Math.round(100 * times)}% of the parameters`;
  return `${line}. ${second.change}. Beside ${first.name}, ${second.name} has ${size} and differs in ${differing.length} of ${FACTS.length} features: ${differing.join(", ")}.`;
}
