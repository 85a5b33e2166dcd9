// The console's comforts: keys, the viewer, countdowns, words filled in. Every page
// works without them. No framework: it moves a view box and clicks what is there.
"use strict";

document.documentElement.classList.add("scripting");

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const one = (selector, root = document) => root.querySelector(selector);
const say = (text) => { one("#announce").textContent = text; };

// ---- countdowns ----

const loaded = Date.now();
const english = document.documentElement.lang === "en";
const units = english ? [" d", " h", " min", " s", " "] : ["天", "小时", "分", "秒", ""];

function span(ms) {
  const sign = ms < 0 ? "−" : "";
  const s = Math.round(Math.abs(ms) / 1000);
  const [d, h, m] = [Math.floor(s / 86400), Math.floor(s / 3600) % 24, Math.floor(s / 60) % 60];
  if (d) return `${sign}${d}${units[0]}${units[4]}${h}${units[1]}`;
  if (h) return `${sign}${h}${units[1]}${units[4]}${m}${units[2]}`;
  if (m >= 10) return `${sign}${m}${units[2]}`;
  if (m) return `${sign}${m}${units[2]}${units[4]}${s % 60}${units[3]}`;
  return `${sign}${s % 60}${units[3]}`;
}

function tick() {
  for (const el of all("[data-deadline]")) el.textContent = span(Date.parse(el.dataset.deadline) - Date.now());
  for (const el of all("[data-until]")) {
    const left = Number(el.dataset.until) - (Date.now() - loaded);
    el.textContent = span(Math.max(0, left));
    if (left <= 0) {
      const form = el.closest("form");
      if (form) form.remove();
    }
  }
}
tick();
setInterval(tick, 1000);

// A claim is kept while its page is looked at.
for (const form of all("[data-renew]")) {
  setInterval(() => {
    if (!document.hidden) fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) }).catch(() => {});
  }, Number(form.dataset.renew));
}

// ---- viewer ----

class Viewer {
  constructor(svg) {
    this.svg = svg;
    this.width = Number(svg.dataset.width);
    this.height = Number(svg.dataset.height);
    this.quarter = 0;
    this.pointers = new Map();
    this.fit();
    svg.addEventListener("wheel", (e) => { e.preventDefault(); this.zoom(e.deltaY < 0 ? 1.2 : 1 / 1.2, this.at(e)); }, { passive: false });
    svg.addEventListener("pointerdown", (e) => this.down(e));
    svg.addEventListener("pointermove", (e) => this.move(e));
    for (const end of ["pointerup", "pointercancel"]) svg.addEventListener(end, (e) => this.up(e));
    svg.addEventListener("dblclick", (e) => this.zoom(2, this.at(e)));
  }

  // size of the picture as it is turned now
  get size() { return this.quarter % 2 ? [this.height, this.width] : [this.width, this.height]; }

  set(x, y, w, h) {
    const [width, height] = this.size;
    w = Math.min(Math.max(w, 40), 4 * width);
    h = Math.min(Math.max(h, 40), 4 * height);
    this.box = [Math.min(Math.max(x, -w * 0.9), width - w * 0.1), Math.min(Math.max(y, -h * 0.9), height - h * 0.1), w, h];
    this.svg.setAttribute("viewBox", this.box.map((n) => n.toFixed(1)).join(" "));
  }

  fit() { this.set(0, 0, ...this.size); }

  // a point of the screen in the coordinates of the view box
  at(e) { return new DOMPoint(e.clientX, e.clientY).matrixTransform(this.svg.getScreenCTM().inverse()); }

  zoom(factor, at) {
    const [x, y, w, h] = this.box;
    at = at || { x: x + w / 2, y: y + h / 2 };
    this.set(at.x - (at.x - x) / factor, at.y - (at.y - y) / factor, w / factor, h / factor);
  }

  pan(dx, dy) {
    const [x, y, w, h] = this.box;
    this.set(x + dx * w, y + dy * h, w, h);
  }

  turn() {
    this.quarter = (this.quarter + 1) % 4;
    const shift = [[0, 0], [this.height, 0], [this.width, this.height], [0, this.width]][this.quarter];
    one(".turned", this.svg).setAttribute("transform", `translate(${shift[0]} ${shift[1]}) rotate(${90 * this.quarter})`);
    this.fit();
  }

  // shows an outline with some of what is around it
  show(target) {
    const shape = target.getBBox(), matrix = one(".turned", this.svg).getCTM(), mine = this.svg.getCTM();
    const turned = mine.inverse().multiply(matrix);
    const corners = [[shape.x, shape.y], [shape.x + shape.width, shape.y + shape.height]].map(([x, y]) => new DOMPoint(x, y).matrixTransform(turned));
    const [x0, x1] = [Math.min(corners[0].x, corners[1].x), Math.max(corners[0].x, corners[1].x)];
    const [y0, y1] = [Math.min(corners[0].y, corners[1].y), Math.max(corners[0].y, corners[1].y)];
    const [w, h] = [(x1 - x0) * 1.3, Math.max((y1 - y0) * 4, (x1 - x0) * 0.3)];
    this.set((x0 + x1 - w) / 2, (y0 + y1 - h) / 2, w, h);
  }

  down(e) {
    if (e.button > 0) return;
    this.pointers.set(e.pointerId, { x: e.clientX, y: e.clientY });
    this.moved = false;
  }

  move(e) {
    const before = this.pointers.get(e.pointerId);
    if (!before) return;
    const scale = 1 / this.svg.getScreenCTM().a;
    if (this.pointers.size === 2) {
      const [other] = [...this.pointers].filter(([id]) => id !== e.pointerId).map(([, p]) => p);
      const apart = (p) => Math.hypot(p.x - other.x, p.y - other.y);
      const ratio = apart({ x: e.clientX, y: e.clientY }) / Math.max(apart(before), 1);
      this.zoom(ratio, this.at({ clientX: (e.clientX + other.x) / 2, clientY: (e.clientY + other.y) / 2 }));
    } else if (this.moved || Math.hypot(e.clientX - before.x, e.clientY - before.y) > 4) {
      if (!this.moved) this.svg.setPointerCapture(e.pointerId);
      this.moved = true;
      this.svg.classList.add("dragged");
      const [x, y, w, h] = this.box;
      this.set(x - (e.clientX - before.x) * scale, y - (e.clientY - before.y) * scale, w, h);
    } else return;
    this.pointers.set(e.pointerId, { x: e.clientX, y: e.clientY });
  }

  up(e) {
    this.pointers.delete(e.pointerId);
    this.svg.classList.remove("dragged");
  }
}

const viewers = all(".canvas").map((svg) => {
  const viewer = new Viewer(svg);
  svg.addEventListener("click", (e) => { if (viewer.moved) e.preventDefault(); }, true); // the end of a drag is no click
  return viewer;
});
// What is shown: both pictures, where there is room, or one of them.
const pictures = one(".canvases");
const paged = () => Boolean(pictures && pictures.matches(".only-page"));
const current = () => viewers[paged() ? 1 : 0];
const others = ["", "only-photo", "only-page"];

const views = {
  in: () => current().zoom(1.4),
  out: () => current().zoom(1 / 1.4),
  fit: () => current().fit(),
  turn: () => current().turn(),
  page: () => {
    const narrow = matchMedia("(max-width: 800px)").matches;
    const now = others.findIndex((name) => name && pictures.classList.contains(name));
    pictures.classList.remove(...others.slice(1));
    const next = others[narrow ? (paged() || now === 2 ? 0 : 2) : (Math.max(now, 0) + 1) % 3];
    if (next) pictures.classList.add(next);
  },
  boxes: (button) => button.setAttribute("aria-pressed", !pictures.classList.toggle("bare")),
};
for (const button of all("[data-view]")) button.addEventListener("click", () => views[button.dataset.view](button));

const light = () => {
  const value = (name) => Number((one(`[data-light=${name}]`) || { value: 100 }).value) / 100;
  for (const g of all(".light")) g.style.filter = `brightness(${value("brightness")}) contrast(${value("contrast")})`;
};
for (const range of all("[data-light]")) range.addEventListener("input", light);

function brighten(name, by) {
  const range = one(`[data-light=${name}]`);
  if (!range) return;
  range.value = Number(range.value) + by > Number(range.max) ? range.min : Number(range.value) + by;
  light();
}

// ---- lists and outlines, both ways ----

// mark shows an entry of a list and its outline on the picture.
function mark(entry, move) {
  for (const el of all(".current")) el.classList.remove("current");
  if (!entry) return;
  entry.classList.add("current");
  if (!entry.dataset.box) return;
  viewers.forEach((viewer, i) => {
    const box = document.getElementById((i ? "page-" : "") + entry.dataset.box);
    if (!box) return;
    box.classList.add("current");
    if (move && viewer.svg.clientWidth) viewer.show(box);
  });
}

const entries = () => all("[data-field]").filter((el) => el.offsetParent);

document.addEventListener("click", (e) => {
  const box = e.target.closest("a.box");
  const link = e.target.closest(".field h3 a, .reason h3 a");
  if (box) {
    e.preventDefault();
    const entry = document.getElementById(box.dataset.target);
    if (!entry) return;
    const folded = entry.closest("details");
    if (folded) folded.open = true;
    mark(entry, false);
    box.classList.add("current");
    entry.scrollIntoView({ block: "center" });
    entry.focus({ preventScroll: true });
  } else if (link) {
    e.preventDefault();
    mark(link.closest("[data-box]"), true);
  }
});

function step(by) {
  const list = entries();
  const at = list.indexOf(one(".field.current"));
  const next = list[Math.min(Math.max(at + by, 0), list.length - 1)];
  if (!next) return;
  mark(next, true);
  next.scrollIntoView({ block: "nearest" });
  say(one("h3", next).textContent);
}

// ---- decision ----

// The words for the applicant are those of the chosen reasons until they are edited.
for (const [name, key] of [["message.zh", "zh"], ["message.en", "en"]]) {
  const area = one(`textarea[name="${name}"]`);
  if (!area) continue;
  let edited = area.value !== "";
  area.addEventListener("input", () => { edited = area.value !== ""; });
  const fill = () => {
    if (!edited) area.value = all('input[name="reason"]:checked').map((box) => box.dataset[key]).join("\n");
  };
  for (const box of all('input[name="reason"]')) box.addEventListener("change", fill);
  fill();
}

function choose(kind) {
  const radio = one(`input[name="kind"][value="${kind}"]`);
  if (!radio) return;
  radio.checked = true;
  const first = one('.choices input[data-key="1"]');
  // One machine reason needs no choosing.
  if ((kind === "reject" || kind === "new_photo") && first && !one('input[name="reason"]:checked') && !one('.choices input[data-key="2"]')) {
    first.checked = true;
    first.dispatchEvent(new Event("change", { bubbles: true }));
  }
  const send = one("#send");
  send.focus({ preventScroll: true });
  send.scrollIntoView({ block: "nearest" });
}

for (const radio of all('input[name="kind"]')) radio.addEventListener("click", () => { if (radio.matches(":focus-visible")) return; choose(radio.value); });

const decision = one("#decision");
if (decision) {
  // Enter in a correction makes the checks again; it must not decide.
  decision.addEventListener("keydown", (e) => {
    if (e.key === "Enter" && e.target.matches(".correction")) {
      e.preventDefault();
      e.target.blur();
    }
  });
  decision.addEventListener("submit", (e) => {
    if (e.submitter && e.submitter.id === "send") e.submitter.disabled = true;
  });
  addEventListener("pageshow", () => { const send = one("#send"); if (send) send.disabled = false; });
}
const problems = one("#problems");
if (problems) problems.focus();

// ---- keys ----

const keyed = {
  j: () => step(1),
  k: () => step(-1),
  i: () => {
    const input = one(".field.current .correction") || one(".correction");
    if (!input) return;
    const value = input.placeholder;
    if (!input.value) input.value = value;
    input.focus();
    input.select();
  },
  b: () => brighten("brightness", 25),
  v: () => brighten("contrast", 40),
  s: () => one("#main").focus(),
  ArrowLeft: () => current().pan(-0.15, 0),
  ArrowRight: () => current().pan(0.15, 0),
  ArrowUp: () => current().pan(0, -0.15),
  ArrowDown: () => current().pan(0, 0.15),
};

document.addEventListener("keydown", (e) => {
  const field = e.target.matches("input:not([type=checkbox], [type=radio], [type=range], [type=hidden]), textarea, select");
  if (e.key === "Escape" && field) {
    e.target.blur();
    return;
  }
  if (field || e.ctrlKey || e.metaKey || e.altKey || one("dialog[open]")) return;
  if (e.key.startsWith("Arrow") && (!viewers.length || e.target.matches("input"))) return;
  const key = e.key.length === 1 ? e.key.toLowerCase() : e.key;
  const target = one(`[data-key="${CSS.escape(key === "=" ? "+" : key)}"]`);
  if (keyed[key]) {
    e.preventDefault();
    keyed[key]();
  } else if (target && target.offsetParent !== null || target && target.matches("input")) {
    e.preventDefault();
    if (target.matches("input[type=radio]")) choose(target.value);
    else if (target.matches("input[type=checkbox]")) { target.click(); one("#send").focus({ preventScroll: true }); }
    else if (target.matches("input, textarea")) { target.focus(); target.scrollIntoView({ block: "center" }); }
    else target.click();
  }
});

for (const button of all("[data-opens]")) button.addEventListener("click", () => one("#" + button.dataset.opens).showModal());
