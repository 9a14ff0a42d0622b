"use strict";
/* Asks the service and shows the answers. What comes from the service is only ever set as text. */

const $ = (id) => document.getElementById(id);
const KINDS = {
  cross_sell: "May fit too", upsell: "Step up", replenish: "Buys again", win_back: "Win back",
  bundle: "Together", retention: "Stay with us", service: "Service",
};
const STAGES = {
  eligibility: "Not for this customer", applicability: "Does not apply now", suitability: "Not suitable",
  availability: "Not available", consent: "No consent", contact: "Asked often enough",
  service_first: "Service first", arbitration: "Others are worth more",
};
const FACTS = [
  ["expected_date_of_next_order", "Next order expected", day],
  ["predicted_number_of_orders", "Orders in a year", (n) => number(n, 1)],
  ["historic_number_of_orders", "Orders so far", (n) => number(n, 0)],
  ["average_order_value", "Average order", (n) => number(n, 2)],
  ["average_days_between_orders", "Days between orders", (n) => number(n, 1)],
  ["historic_clv", "Earned so far", (n) => number(n, 2)],
];

const ROOMY = matchMedia("(min-width: 820px)");

const ANSWERS = [
  ["accepted", "Yes", "The customer takes it"],
  ["snoozed", "Later", "The customer may want it another time"],
  ["rejected", "No", "The customer does not want it: it is not offered again for a while"],
];

const MOST_TAGS = 4;

let key = "";
let shown = "";
let asked = 0;
let listed = 0;

function el(tag, look, ...inside) {
  const node = document.createElement(tag);
  if (look) node.className = look;
  node.append(...inside.filter((part) => part !== null && part !== undefined));
  return node;
}

function number(value, digits) {
  return typeof value === "number"
    ? value.toLocaleString(undefined, { minimumFractionDigits: digits, maximumFractionDigits: digits })
    : "—";
}

function percent(value) {
  if (typeof value !== "number") return "—";
  return value > 0 && value < 0.01 ? "< 1 %" : `${Math.round(value * 100)} %`;
}

function day(text) {
  if (!text) return "—";
  const [year, month, date] = text.slice(0, 10).split("-").map(Number);
  return new Date(Date.UTC(year, month - 1, date)).toLocaleDateString(undefined, {
    timeZone: "UTC", day: "numeric", month: "short", year: "numeric",
  });
}

function plain(name) {
  return name.replaceAll("_", " ");
}

/* Segments come in families; the family is told by the name's first word and said in the title. */
function segmentLabel(name) {
  const [, family, rest] = /^(rfm|value|lifecycle|cluster)_(.+)$/.exec(name) ?? [null, "", name];
  return plain(family === "value" ? `${rest} value` : rest);
}

function tagLabel(name) {
  const [fact, about] = name.split(/:(.*)/s);
  if (!about) return plain(fact);
  return `${plain(fact)}: ${about === about.toUpperCase() ? about.toLowerCase() : about}`;
}

class Refused extends Error {
  constructor(status, error) {
    super([error.message, error.hint].filter(Boolean).join(" "));
    this.status = status;
  }
}

async function ask(path, body) {
  const headers = key ? { authorization: `Bearer ${key}` } : {};
  if (body !== undefined) headers["content-type"] = "application/json";
  const answer = await fetch(path, {
    method: body === undefined ? "GET" : "POST", headers, credentials: "same-origin",
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const said = await answer.json().catch(() => null);
  if (!answer.ok) throw new Refused(answer.status, said?.error ?? { message: `The service answered ${answer.status}.` });
  return said;
}

function tell(error) {
  const signIn = error instanceof Refused && error.status === 401;
  $("signin").hidden = !signIn;
  $("trouble").hidden = signIn;
  $("trouble").textContent = error instanceof Refused ? error.message : "The service cannot be reached. Try again in a moment.";
  if (signIn) $("key").focus();
}

function clear() {
  $("trouble").hidden = true;
  $("signin").hidden = true;
}

/* -- who ---------------------------------------------------------------------------------------- */

function showWho(customer) {
  const { value } = customer;
  const head = el("header", "", el("h2", "", `Customer ${customer.customer_id}`));
  if (customer.live) head.append(el("span", "live", "live"));
  if (customer.segments.length) head.append(chips(customer.segments.map((name) => ["chip", segmentLabel(name), plain(name)])));
  const parts = [head];
  if (customer.open_issue) parts.push(el("p", "issue", `Open complaint: ${plain(customer.open_issue)}. Help first.`));
  if (!customer.known) {
    parts.push(el("p", "quiet", "Nothing is known of this customer yet. The hints are what is popular with everybody."));
    $("who").replaceChildren(...parts);
    return;
  }
  parts.push(el("div", "worth",
    el("div", "", el("strong", "", number(value.predicted_clv, 2)), el("span", "quiet", "expected in a year")),
    alive(value.probability_alive)));
  if (customer.tags.length) parts.push(tags(customer.tags));
  parts.push(facts(value), madeOf(customer));
  $("who").replaceChildren(...parts);
}

function chips(list) {
  return el("div", "chips", ...list.map(([look, text, title]) => {
    const chip = el("span", look, text);
    if (title) chip.title = title;
    return chip;
  }));
}

function tags(list) {
  const shown = list.slice(0, MOST_TAGS).map((tag) => [
    "chip tag", tagLabel(tag.name), `From ${tag.source}, since ${day(tag.since)}`,
  ]);
  const more = list.slice(MOST_TAGS).map((tag) => tagLabel(tag.name));
  if (more.length) shown.push(["chip tag", `+ ${more.length}`, more.join(", ")]);
  return chips(shown);
}

function alive(probability) {
  const fill = el("i");
  const bar = el("div", probability < 0.5 ? "bar low" : "bar", fill);
  fill.style.width = `${Math.round((probability ?? 0) * 100)}%`;
  return el("div", "alive", el("span", "quiet", "Active"), el("b", "", percent(probability)), bar);
}

function facts(value) {
  const list = el("dl", "facts");
  for (const [name, label, format] of FACTS) {
    list.append(el("div", "", el("dt", "", label), el("dd", "", format(value[name]))));
  }
  const folded = el("details", "", el("summary", "", "Orders and earnings"), list);
  folded.open = ROOMY.matches;
  return folded;
}

function madeOf(customer) {
  const list = el("dl", "parts");
  for (const [name, part] of Object.entries(customer.parts)) {
    const text = typeof part === "number" ? String(Number(part.toPrecision(6))) : String(part ?? "—");
    list.append(el("dt", "", plain(name)), el("dd", "", text));
  }
  return el("details", "", el("summary", "", "What the value is made of"), list);
}

/* -- hints -------------------------------------------------------------------------------------- */

function showOffers(decision) {
  const cards = decision.hints.map((hint) => hintCard(hint, decision));
  if (!cards.length) {
    cards.push(el("article", "card silence", el("h3", "", "Nothing to offer now"), el("p", "quiet", decision.silence)));
  }
  $("hints").replaceChildren(...cards);
  showHeld(decision);
  $("stamp").textContent = `Decision ${decision.decision_id} · ${decision.snapshot}` +
    (decision.model_version ? ` · ${decision.model_version}` : "");
}

function hintCard(hint, decision) {
  const card = el("article", "card hint",
    el("header", "", el("h3", "", hint.name), el("span", "kind", KINDS[hint.kind] ?? plain(hint.kind))));
  if (hint.words) card.append(el("blockquote", "words", hint.words));
  if (hint.reasons.length) card.append(el("ul", "why", ...hint.reasons.map((reason) => el("li", "", reason))));
  const sum = el("p", "sum",
    el("span", "", el("b", "", percent(hint.propensity)), " likely"),
    el("span", "", el("b", "", number(hint.value, 2)), " if accepted"),
    el("span", "", "priority ", el("b", "", number(hint.priority, 2))));
  sum.title = "Priority is likelihood x context x value x lever.";
  card.append(sum, actions(hint, decision));
  return card;
}

function actions(hint, decision) {
  const row = el("div", "acts");
  const buttons = ANSWERS.map(([outcome, label, title]) => {
    const button = el("button", "plain", label);
    button.type = "button";
    button.title = title;
    button.addEventListener("click", () => answered(outcome, hint, decision, buttons, button));
    return button;
  });
  row.append(...buttons);
  if (hint.words && navigator.clipboard) row.append(copyButton(hint.words));
  return row;
}

function copyButton(words) {
  const copy = el("button", "plain quieter", "Copy");
  copy.type = "button";
  copy.title = "Copy the words";
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(words);
    copy.textContent = "Copied";
    setTimeout(() => { copy.textContent = "Copy"; }, 1500);
  });
  return copy;
}

/* An answer of the customer is told once; that it was said at all is told with it. */
async function answered(outcome, hint, decision, buttons, chosen) {
  for (const button of buttons) button.disabled = true;
  try {
    await ask(`/v1/decisions/${encodeURIComponent(decision.decision_id)}/outcomes`, {
      outcomes: ["presented", outcome].map((name) => ({ offer_id: hint.offer_id, outcome: name })),
    });
    chosen.setAttribute("aria-pressed", "true");
    clear();
  } catch (error) {
    for (const button of buttons) button.disabled = false;
    tell(error);
  }
}

function showHeld(decision) {
  const held = $("held");
  held.hidden = decision.refused_total === 0;
  const more = decision.refused_total - decision.refused.length;
  held.querySelector("summary").textContent =
    `${decision.refused_total} held back, and why` + (more > 0 ? ` (the ${decision.refused.length} likeliest)` : "");
  held.querySelector("ul").replaceChildren(...decision.refused.map((offer) => el("li", "",
    el("b", "", offer.name || offer.offer_id), el("span", "stage", STAGES[offer.stage] ?? plain(offer.stage)),
    el("p", "", offer.reason))));
}

/* -- asking ------------------------------------------------------------------------------------- */

function moment() {
  return {
    text: $("said").value.trim(),
    context: { channel: "chat", locale: $("locale").value, intent: $("intent").value },
  };
}

async function show(customer) {
  const turn = ++asked;
  const path = `/v1/customers/${encodeURIComponent(customer)}`;
  $("desk").setAttribute("aria-busy", "true");
  try {
    const [who, offers] = await Promise.all([ask(path), ask(`${path}/next-best-offers`, moment())]);
    if (turn !== asked) return;
    clear();
    shown = customer;
    showWho(who);
    showOffers(offers);
    $("desk").hidden = false;
    $("start").hidden = true;
    mark();
    history.replaceState(null, "", `?customer=${encodeURIComponent(customer)}`);
  } catch (error) {
    if (turn === asked) {
      if (customer !== shown) putAway();  // nobody reads one customer's hints to another
      tell(error);
    }
  } finally {
    if (turn === asked) $("desk").removeAttribute("aria-busy");
  }
}

function putAway() {
  shown = "";
  $("desk").hidden = true;
  mark();
}

function mark() {
  for (const button of $("picks").querySelectorAll("button")) {
    button.toggleAttribute("aria-current", button.dataset.customer === shown);
  }
}

async function listSegments() {
  try {
    const { segments } = await ask("/v1/segments");
    const full = segments.filter((segment) => segment.customers > 0);
    if (!full.length) return;
    $("segment").replaceChildren(...full.map((segment) => {
      const option = el("option", "", `${plain(segment.name)} (${segment.customers.toLocaleString()})`);
      option.value = segment.name;
      return option;
    }));
    $("pick").hidden = false;
    await listPicks();
  } catch (error) {
    // an agent who may not see lists types the id; a key that is missing is asked for
    if (error instanceof Refused && error.status === 401) tell(error);
  }
}

async function listPicks() {
  const turn = ++listed;
  const path = `/v1/segments/${encodeURIComponent($("segment").value)}/customers?limit=8`;
  const page = await ask(path).catch((error) => { if (turn === listed) throw error; });
  if (turn !== listed) return;  // another segment was chosen meanwhile
  $("picks").replaceChildren(...page.customers.map(({ customer_id }) => {
    const button = el("button", "", customer_id);
    button.type = "button";
    button.dataset.customer = customer_id;
    button.addEventListener("click", () => { $("customer").value = customer_id; show(customer_id); });
    return el("li", "", button);
  }));
  mark();
}

$("find").addEventListener("submit", (event) => {
  event.preventDefault();
  const customer = $("customer").value.trim();
  if (customer) show(customer);
});
$("moment").addEventListener("submit", (event) => { event.preventDefault(); if (shown) show(shown); });
$("intent").addEventListener("change", () => { if (shown) show(shown); });
$("locale").addEventListener("change", () => { if (shown) show(shown); });
$("segment").addEventListener("change", () => { listPicks().catch(tell); });
$("signin").addEventListener("submit", (event) => {
  event.preventDefault();
  key = $("key").value.trim();
  $("key").value = "";
  clear();
  listSegments();
  if ($("customer").value) show($("customer").value.trim());
});

listSegments();
const linked = new URLSearchParams(location.search).get("customer");
if (linked) { $("customer").value = linked; show(linked); } else { $("customer").focus(); }
