// The dashboard: reads the lists, then follows the events.

import { follow, token } from "./client.js";
import { loadBundles, startBundles } from "./bundles.js";
import { loadJobs, startJobs, takeJob } from "./jobs.js";
import { loadWatched, startWatched } from "./models.js";
import { find, problem } from "./view.js";

async function loadAll() {
  await Promise.all([loadJobs(), loadBundles(), loadWatched()]);
}

// Many jobs may change at once; the lists are read again once for all of them.
let isPlanned = false;
function loadSoon() {
  if (isPlanned) return;
  isPlanned = true;
  setTimeout(() => {
    isPlanned = false;
    loadAll().catch(problem);
  }, 500);
}

function startAccess() {
  find("token").value = token.get();
  find("token-form").addEventListener("submit", (event) => {
    event.preventDefault();
    token.set(find("token").value.trim());
    find("access").open = false;
    problem(null);
    loadAll().catch(problem);
  });
  find("forget").addEventListener("click", () => {
    token.set("");
    find("token").value = "";
  });
}

startAccess();
startJobs();
startBundles();
startWatched();
// Models settle without an event of a job.
setInterval(() => loadWatched().catch(() => {}), 5000);
follow("/v1/events", {
  onOpen() {
    find("connection").textContent = "Live";
    problem(null);
  },
  onEvent(name, value) {
    if (name === "sync") loadAll().catch(problem);
    else if (takeJob(value)) loadSoon();
  },
  onLost(error) {
    find("connection").textContent = "Not connected, trying again";
    if (error?.status) problem(error);
  },
});
