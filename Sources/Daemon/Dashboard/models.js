// What is watched: models, and the profiles that they are tuned for.

import { read } from "./client.js";
import { bytes, cell, element, find } from "./view.js";

const shown = 50;
let isWhole = false;
let last = "";

export async function loadWatched() {
  const [{ models }, { profiles }] = await Promise.all([read("/v1/models"), read("/v1/profiles")]);
  // What has not changed is left alone: a list that a user has open must not close.
  const text = JSON.stringify([models, profiles, isWhole]);
  if (text === last) return;
  last = text;
  models.sort((first, second) => first.name.localeCompare(second.name));
  const rows = (isWhole ? models : models.slice(0, shown)).map((model) =>
    element(
      "tr", { role: "row" },
      cell("Model", model.name),
      cell("State", model.state, model.reason ? element("span", { class: "detail" }, model.reason) : null),
      cell("Size", bytes(model.bytes))));
  find("model-rows").replaceChildren(...rows);
  find("no-models").hidden = models.length > 0;
  find("more-models").hidden = rows.length === models.length;
  find("profile-list").replaceChildren(...profiles.map(profile));
  choose("submit-model", models.filter((model) => model.state === "ready").map((model) => model.name));
  choose("submit-profile", profiles.filter((profile) => !profile.error).map((profile) => profile.name));
}

export function startWatched() {
  find("more-models").addEventListener("click", () => {
    isWhole = true;
    loadWatched();
  });
}

function profile({ name, source, error }) {
  const detail = error ?? (source === name ? "" : source);
  return element("li", {}, name, detail ? element("span", { class: error ? "missed" : "detail" }, ` ${detail}`) : null);
}

function choose(id, names) {
  const list = find(id);
  const chosen = list.value;
  list.replaceChildren(...names.map((name) => element("option", { value: name }, name)));
  if (names.includes(chosen)) list.value = chosen;
}
