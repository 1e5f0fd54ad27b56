// Building the page, and numbers for people. Text of the service only ever becomes text: a hostile name is a name.

export const find = (id) => document.getElementById(id);

// element("td", { class: "number" }, "text", child)
export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  return fill(node, attributes, children);
}

export function drawing(name, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name.startsWith("--")) node.style.setProperty(name, value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export function cell(label, ...children) {
  return element("td", { role: "cell", "data-label": label }, element("div", {}, ...children));
}

export function table(head, rows) {
  const titles = head.map((title) => element("th", { scope: "col" }, title));
  return scrolling(
    head[0],
    element("table", {}, element("thead", {}, element("tr", {}, ...titles)), element("tbody", {}, ...rows)));
}

// What is wider than a phone scrolls by itself, with the keyboard too.
export function scrolling(label, node) {
  return element("div", { class: "wide", tabindex: "0", role: "region", "aria-label": label }, node);
}

export function number(value, digits = 4) {
  return Number.isFinite(value) ? String(Number(value.toPrecision(digits))) : "-";
}

export function bytes(value) {
  if (!Number.isFinite(value)) return "-";
  const units = ["B", "kB", "MB", "GB", "TB"];
  let place = 0;
  while (value >= 1000 && place < units.length - 1) {
    value /= 1000;
    place += 1;
  }
  return `${place ? value.toPrecision(3) : value} ${units[place]}`;
}

export function quantity(value, unit) {
  if (value === null || value === undefined) return "not on this machine";
  if (unit === "B") return bytes(value);
  if (unit === "s" && value < 1) return `${number(value * 1000, 3)} ms`;
  return `${number(value, unit === "nats" ? 4 : 3)} ${unit}`.trim();
}

export function duration(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${number(seconds / 3600, 2)} h`;
}

export function time(text) {
  return element("time", { datetime: text }, new Date(text).toLocaleString());
}

export function announce(text) {
  find("announcer").textContent = text;
}

// Shows why something was refused; null takes it away.
export function problem(error) {
  const place = find("problem");
  place.hidden = !error;
  place.textContent = error ? error.message : "";
  if (error && (error.status === 401 || error.status === 403)) find("access").open = true;
}
