// What was made: verdicts, layers, the trade-off, what one more unit would buy.

import { download, read, token } from "./client.js";
import { frontOf } from "./front.js";
import { bytes, element, find, number, problem, quantity, scrolling, table, time } from "./view.js";

let limit = 20;
let last = "";

export async function loadBundles() {
  const { bundles } = await read("/v1/bundles");
  const text = JSON.stringify([bundles, limit]);
  if (text === last) return;
  last = text;
  const open = new Set([...document.querySelectorAll("#bundle-list details[open]")].map((details) => details.id));
  find("bundle-list").replaceChildren(...bundles.slice(0, limit).map((bundle) => article(bundle, open)));
  find("no-bundles").hidden = bundles.length > 0;
  find("more-bundles").hidden = bundles.length <= limit;
}

export function startBundles() {
  find("more-bundles").addEventListener("click", () => {
    limit += 50;
    loadBundles().catch(problem);
  });
}

function article(bundle, open) {
  const path = `/v1/bundles/${encodeURIComponent(bundle.name)}`;
  const content = element("div", {}, "Loading");
  const id = `bundle-${bundle.name}`;
  const load = async (event) => {
    if (!event.target.open || content.dataset.loaded) return;
    content.dataset.loaded = "yes";
    try {
      content.replaceChildren(...inside(bundle, await read(path)));
    } catch (error) {
      delete content.dataset.loaded;
      problem(error);
    }
  };
  const details = element("details", { id, ontoggle: load }, element("summary", {}, "Verdicts, layers and trade-off"), content);
  details.open = open.has(id);
  return element(
    "article", { "aria-label": bundle.name },
    element("h3", {}, `${bundle.model} on ${bundle.profile}`),
    element(
      "p", {},
      element("strong", { class: bundle.met ? "met" : "missed" }, bundle.met ? "✓ every goal met" : "✕ a goal is not met"),
      ` · KL ${number(bundle.kl)} nats · ${bytes(bundle.stored_bytes)} · `, time(bundle.created),
      bundle.latest ? "" : " · an older version"),
    links(bundle, path),
    details);
}

function links(bundle, path) {
  const files = new Set(bundle.files.map((file) => file.name));
  const items = [];
  if (files.has("report.html")) items.push(link("Report", `${path}/files/report.html`, "report.html"));
  items.push(link("Download (tar)", `${path}/archive`, `${bundle.name}.tar`));
  for (const name of ["model.safetensors", "model.gguf", "bundle.json", "SHA256SUMS"]) {
    if (files.has(name)) items.push(link(name, `${path}/files/${encodeURIComponent(name)}`, name));
  }
  return element("ul", { class: "links", "aria-label": `Files of ${bundle.name}` }, ...items.map((item) => element("li", {}, item)));
}

function link(text, path, name) {
  // Where reads need the token, the browser cannot follow a link by itself.
  const follow = async (event) => {
    if (!token.get() || isLoopback()) return;
    event.preventDefault();
    await download(path, name).catch(problem);
  };
  return element("a", { href: path, onclick: follow }, text);
}

function isLoopback() {
  return ["localhost", "[::1]"].includes(location.hostname) || location.hostname.startsWith("127.");
}

function inside(bundle, manifest) {
  return [
    element("h4", {}, "Verdicts"), verdicts(manifest.verdicts),
    element("h4", {}, "Layers: darker is more bits"), layers(manifest.plan.groups),
    element("h4", {}, "Quality against size"), frontOf(manifest, bundle.stored_bytes),
    element("h4", {}, "What one more unit would buy"), prices(manifest.shadow_prices),
  ];
}

function word(verdict) {
  if (verdict.unmeasured) return `✕ not measured: ${verdict.unmeasured}`;
  return verdict.met ? "✓ met" : "✕ not met";
}

function verdicts(list) {
  if (!list.length) return element("p", {}, "The profile sets no goal.");
  return table(
    ["constraint", "goal", "predicted", "measured", "verdict"],
    list.map((verdict) =>
      element(
        "tr", {},
        element("th", { scope: "row" }, verdict.constraint),
        element("td", {}, quantity(verdict.goal, verdict.unit)),
        element("td", {}, quantity(verdict.predicted, verdict.unit)),
        element("td", {}, quantity(verdict.measured, verdict.unit)),
        element("td", { class: verdict.met ? "met" : "missed" }, word(verdict)))));
}

// blk.3.attn_qkv stands in row 3, column attn_qkv; anything else in a row of its own.
function layers(groups) {
  const rows = new Map();
  const columns = [];
  for (const group of groups) {
    const [, layer, rest] = /^blk\.(\d+)\.(.+)$/.exec(group.name) ?? [null, group.name, "matrix"];
    if (!columns.includes(rest)) columns.push(rest);
    if (!rows.has(layer)) rows.set(layer, new Map());
    rows.get(layer).set(rest, group);
  }
  const head = ["layer", ...columns].map((title) => element("th", { scope: "col" }, title));
  const body = [...rows].map(([layer, cells]) =>
    element("tr", {}, element("th", { scope: "row" }, layer), ...columns.map((column) => square(cells.get(column)))));
  return scrolling(
    "Formats by layer",
    element("table", { class: "heat" }, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...body)));
}

function square(group) {
  if (!group) return element("td", {});
  const bits = Number(/\d+/.exec(group.format)?.[0] ?? 16);
  const title = `${group.name}: ${group.format}/${group.activation} ${group.refinement}, `
    + `${number(group.sensitivity, 3)} nats, ${bytes(group.stored_bytes)}`;
  return element("td", { title, "--share": Math.max(0, Math.min(1, (bits - 2) / 6.5)) }, group.format);
}

function prices(shadow) {
  const units = [
    ["memory", 1048576, "one MiB of memory"], ["storage", 1048576, "one MiB of storage"],
    ["prefill", 1e-3, "one ms of prefill"], ["decode", 1e-3, "one ms a token"], ["energy", 1e-3, "one mJ a token"],
  ];
  const binding = units.filter(([name]) => shadow?.[name] > 0).map(([name, unit, text]) =>
    element("li", {}, `${text} more would buy ${number(shadow[name] * unit, 3)} nats`));
  return binding.length ? element("ul", {}, ...binding) : element("p", {}, "No constraint binds.");
}
