// Requests to the service that this page came from, with the token that the user entered.

const key = "fettle-token";

export const token = {
  get: () => sessionStorage.getItem(key) ?? "",
  set: (text) => (text ? sessionStorage.setItem(key, text) : sessionStorage.removeItem(key)),
};

export class Refusal extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

function headers(more = {}) {
  return token.get() ? { ...more, Authorization: `Bearer ${token.get()}` } : more;
}

async function checked(response) {
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  throw new Refusal(response.status, problem.detail ?? `refused with status ${response.status}`);
}

export async function read(path) {
  return (await checked(await fetch(path, { headers: headers(), cache: "no-store" }))).json();
}

export async function change(path, value) {
  const body = value === undefined ? undefined : JSON.stringify(value);
  const response = await fetch(path, {
    method: "POST", body, headers: headers(body ? { "Content-Type": "application/json" } : {}),
  });
  return (await checked(response)).json();
}

// A file for which a plain link would lack the token.
export async function download(path, name) {
  const content = await (await checked(await fetch(path, { headers: headers() }))).blob();
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

// Server-sent events for ever. Not EventSource, which cannot send the token.
export async function follow(path, { onOpen, onEvent, onLost }) {
  let last = "";
  let wait = 2000;
  for (;;) {
    try {
      const more = last ? { "Last-Event-ID": last } : {};
      const response = await checked(await fetch(path, { headers: headers(more), cache: "no-store" }));
      onOpen();
      for await (const event of events(response.body)) {
        if (event.retry) wait = event.retry;
        if (event.id) last = event.id;
        if (event.data) onEvent(event.name, JSON.parse(event.data));
      }
      onLost(null);
    } catch (error) {
      onLost(error);
    }
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

async function* events(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    const blocks = text.split("\n\n");
    text = blocks.pop();
    for (const block of blocks) {
      const event = { name: "message", data: "" };
      for (const line of block.split("\n")) {
        const [, field, content] = /^(\w*): ?(.*)$/.exec(line) ?? [];
        if (field === "event") event.name = content;
        else if (field === "id") event.id = content;
        else if (field === "retry") event.retry = Number(content);
        else if (field === "data") event.data += content;
      }
      yield event;
    }
  }
}
