// Talks to the server. EventSource cannot send the token, so the event stream is read by hand.

const POLL_MS = 3000;
const AGAIN_MS = 1000;
const SEND_MS = 20000;
const SILENCE_MS = 60000; // the server says something at least every 25 seconds
const LONGEST_PAUSE_MS = 30000;

/** The server refused a request; trying the same again is useless when `permanent`. */
export class Refused extends Error {
  constructor(status) {
    super("status " + status);
    this.permanent = status >= 400 && status < 500 && status !== 408 && status !== 429;
  }
}

function request(path, token, options) {
  const headers = { Authorization: `Bearer ${token}`, ...(options && options.headers) };
  return fetch(path, { cache: "no-store", credentials: "same-origin", ...options, headers });
}

async function checked(answer) {
  const response = await answer;
  if (!response.ok) throw new Refused(response.status);
  return response;
}

/** Sends a message. Safe to repeat: the server takes the same id once. */
export async function post(token, message) {
  const aborter = window.AbortController ? new AbortController() : { signal: undefined, abort() {} };
  const patience = setTimeout(() => aborter.abort(), SEND_MS);
  try {
    await checked(request("/chat/messages", token, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(message),
      signal: aborter.signal,
    }));
  } finally {
    clearTimeout(patience);
  }
}

export const history = async (token) => (await checked(request("/chat/history", token))).json();

export const exported = async (token) => (await checked(request("/chat/export", token))).blob();

/** Milliseconds to wait after a number of failures in a row; spread, so that phones do not return all at once. */
export function pause(failures) {
  return Math.min(LONGEST_PAUSE_MS, 1000 * 2 ** failures) * (0.75 + Math.random() / 2);
}

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Splits a text stream into server-sent events; call with each chunk. */
export function eventReader(onEvent) {
  let rest = "";
  let event = { type: "message", data: [] };
  function line(text) {
    if (text === "") {
      if (event.data.length) onEvent(event.type, event.data.join("\n"));
      event = { type: "message", data: [] };
      return;
    }
    const [, name, value] = /^([^:]*):? ?([^]*)$/.exec(text);
    if (name === "event") event.type = value;
    if (name === "data") event.data.push(value);
  }
  return (chunk) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop();
    lines.forEach((text) => line(text.replace(/\r$/, "")));
  };
}

/** Receives replies until stopped, whatever the connection does. */
export class Receiver {
  /**
   * @param {string} token
   * @param {number} cursor - id of the last reply that is shown already
   * @param {(reply: object) => void} onReply
   * @param {(connected: boolean) => void} onState
   */
  constructor(token, cursor, onReply, onState) {
    Object.assign(this, { token, cursor, onReply, onState, stopped: false, failures: 0, heard: Date.now() });
    this.canStream = Boolean(window.ReadableStream && window.TextDecoder && window.AbortController)
      && "body" in Response.prototype;
    this.run();
  }

  stop() {
    this.stopped = true;
    this.hangUp();
  }

  /** Looks at once: the network is back, or the page is in front again after the phone had put it to sleep. */
  wake() {
    if (Date.now() - this.heard > SILENCE_MS / 2) this.hangUp();
    if (this.skipPause) this.skipPause();
  }

  hangUp() {
    if (this.aborter) this.aborter.abort();
  }

  async run() {
    while (!this.stopped) {
      try {
        await (this.canStream ? this.stream() : this.poll());
        this.failures = 0;
      } catch (problem) {
        if (this.stopped) return;
        if (problem.name !== "AbortError") { // we hung up ourselves, to look again at once
          this.onState(false);
          this.failures += 1;
        }
      }
      if (!this.stopped) await this.rest();
    }
  }

  rest() {
    const wait = this.failures ? pause(this.failures) : this.canStream ? AGAIN_MS : POLL_MS;
    return Promise.race([sleep(wait), new Promise((done) => { this.skipPause = done; })]);
  }

  take(reply) {
    if (this.stopped) return;
    this.cursor = Math.max(this.cursor, reply.id);
    try {
      this.onReply(reply);
    } catch (bug) {
      setTimeout(() => { throw bug; }); // into the console; the replies after it still come
    }
  }

  async poll() {
    const response = await checked(request("/chat/messages?after=" + this.cursor, this.token));
    (await response.json()).messages.forEach((reply) => this.take(reply));
    this.heard = Date.now();
    this.onState(true);
  }

  async stream() {
    this.aborter = new AbortController();
    let heardAny = false;
    const watchdog = setInterval(() => {
      if (Date.now() - this.heard < SILENCE_MS) return;
      this.canStream = heardAny; // something on the way holds the stream back
      this.hangUp();
    }, 5000);
    this.heard = Date.now();
    try {
      const options = { headers: { Accept: "text/event-stream" }, signal: this.aborter.signal };
      const response = await checked(request("/chat/stream?after=" + this.cursor, this.token, options));
      this.failures = 0;
      this.onState(true);
      await this.listen(response.body.getReader(), () => {
        heardAny = true;
        this.heard = Date.now();
      });
    } finally {
      clearInterval(watchdog);
    }
  }

  async listen(reader, onBytes) {
    const decoder = new TextDecoder();
    const feed = eventReader((type, data) => {
      if (type === "reply") this.take(JSON.parse(data));
    });
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      onBytes();
      feed(decoder.decode(part.value, { stream: true }));
    }
  }
}
