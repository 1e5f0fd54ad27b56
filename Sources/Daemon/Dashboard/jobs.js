// The table of jobs: what waits, how far what runs is, what came of the rest.

import { change, read } from "./client.js";
import { announce, bytes, cell, duration, element, find, number, problem, time } from "./view.js";

// Words and marks: a state must not be told by its colour alone.
const marks = { queued: "○", running: "▶", done: "✓", failed: "✕", infeasible: "≠", cancelled: "–" };
const jobs = new Map();
let next = null;

export async function loadJobs(before = null) {
  const state = find("state").value;
  const query = new URLSearchParams({ limit: "50", ...(state && { state }), ...(before && { before }) });
  const page = await read(`/v1/jobs?${query}`);
  if (before === null) jobs.clear();
  for (const job of page.jobs) jobs.set(job.id, job);
  next = page.next ?? null;
  showCounts(page.counts);
  show();
}

// Takes a change; says whether the counts have changed with it.
export function takeJob(job) {
  const known = jobs.get(job.id);
  const isMoved = known?.state !== job.state;
  if (isMoved && known) announce(`Job ${job.id}, ${job.model} for ${job.profile}: ${job.state}`);
  const wanted = find("state").value;
  if (wanted && job.state !== wanted) jobs.delete(job.id);
  else jobs.set(job.id, job);
  if (known && !isMoved && jobs.has(job.id)) replace(job);
  else show();
  return isMoved;
}

export function startJobs() {
  for (const state of Object.keys(marks)) find("state").append(element("option", { value: state }, state));
  find("state").addEventListener("change", () => loadJobs().catch(problem));
  find("more-jobs").addEventListener("click", () => loadJobs(next).catch(problem));
  find("submit-form").addEventListener("submit", (event) => {
    event.preventDefault();
    act("/v1/jobs", {
      model: find("submit-model").value, profile: find("submit-profile").value,
      priority: Number(find("submit-priority").value),
    });
  });
}

function showCounts(counts) {
  const entries = Object.keys(marks).map((state) =>
    element("div", {}, element("dt", {}, `${marks[state]} ${state}`), element("dd", {}, String(counts[state] ?? 0))));
  find("counts").replaceChildren(...entries);
}

function show() {
  const rows = [...jobs.values()].sort((first, second) => second.id - first.id).map(row);
  keepFocus(() => find("job-rows").replaceChildren(...rows));
  find("no-jobs").hidden = rows.length > 0;
  find("more-jobs").hidden = next === null;
}

function replace(job) {
  const old = find(`job-${job.id}`);
  if (old) keepFocus(() => old.replaceWith(row(job)));
}

// Rows are built anew at each change; who stands on a button stays on it.
function keepFocus(body) {
  const id = document.activeElement?.id;
  body();
  if (id && document.activeElement?.id !== id) find(id)?.focus();
}

function row(job) {
  return element(
    "tr", { role: "row", id: `job-${job.id}`, "data-state": job.state },
    cell("Job", String(job.id), job.priority ? element("span", { class: "detail" }, `priority ${job.priority}`) : null),
    cell("Model", job.model, element("span", { class: "detail" }, `for ${job.profile}`)),
    cell("State", element("span", { class: `state state-${job.state}` }, `${marks[job.state] ?? ""} ${job.state}`)),
    cell("Progress", ...progress(job)),
    cell("Result", ...result(job)),
    cell("Actions", actions(job)));
}

function progress(job) {
  if (job.state === "running") {
    const share = job.fraction ?? 0;
    const percent = Math.floor(share * 100);
    const left = job.seconds_left === undefined ? "" : `, about ${duration(job.seconds_left)} left`;
    const label = `Job ${job.id}: ${job.stage ?? "starting"}`;
    return [
      element(
        "span", { class: "bar", role: "progressbar", "aria-label": label, "aria-valuenow": percent, "aria-valuemin": 0, "aria-valuemax": 100 },
        element("span", { "--share": share })),
      element("span", { class: "detail" }, `${job.stage ?? "starting"}, ${percent} %${left}`),
    ];
  }
  if (job.state === "queued") {
    const attempts = job.attempts ? `attempt ${job.attempts + 1}` : "waits for a worker";
    return [attempts, job.not_before ? element("span", { class: "detail" }, "not before ", time(job.not_before)) : null];
  }
  const moment = job.finished ?? job.created;
  return [time(moment), job.started && job.finished
    ? element("span", { class: "detail" }, `took ${duration((new Date(job.finished) - new Date(job.started)) / 1000)}`)
    : null];
}

function result(job) {
  if (job.state === "done") {
    return [
      job.kl === undefined ? "-" : `KL ${number(job.kl)} nats`,
      job.stored_bytes === undefined ? null : element("span", { class: "detail" }, bytes(job.stored_bytes)),
    ];
  }
  return [job.message ? element("span", { class: "detail" }, job.message) : "-"];
}

function actions(job) {
  const isOpen = job.state === "queued" || job.state === "running";
  const name = isOpen ? "cancel" : "retry";
  const title = isOpen ? "Cancel" : "Retry";
  return element(
    "div", { class: "actions" },
    element(
      "button", { type: "button", id: `${name}-${job.id}`, "aria-label": `${title} job ${job.id}`, onclick: () => act(`/v1/jobs/${job.id}/${name}`) },
      title),
    element(
      "button", { type: "button", id: `log-${job.id}`, "aria-label": `Log of job ${job.id}`, onclick: () => showLog(job) },
      "Log"));
}

async function act(path, value) {
  try {
    problem(null);
    const job = await change(path, value);
    takeJob(job);
    announce(`Job ${job.id} is ${job.state}`);
  } catch (error) {
    problem(error);
  }
}

async function showLog(job) {
  try {
    const { lines } = await read(`/v1/jobs/${job.id}/log`);
    find("log-title").textContent = `Log of job ${job.id}: ${job.model} for ${job.profile}`;
    find("log-lines").textContent = lines.length ? lines.join("\n") : "The job has written nothing.";
    find("log").showModal();
  } catch (error) {
    problem(error);
  }
}
