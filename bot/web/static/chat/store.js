// What the page remembers between visits: the token, messages not sent yet, the chosen language.
// Browsers that refuse storage get memory, which lasts as long as the page.

const memory = new Map();

function read(key) {
  try {
    const found = localStorage.getItem("waymark." + key);
    if (found !== null) return found;
  } catch (refused) { /* memory it is */ }
  return memory.has(key) ? memory.get(key) : null;
}

function write(key, value) {
  memory.set(key, value);
  try {
    localStorage.setItem("waymark." + key, value);
  } catch (refused) { /* memory it is */ }
}

function erase(key) {
  memory.delete(key);
  try {
    localStorage.removeItem("waymark." + key);
  } catch (refused) { /* memory it is */ }
}

/** A random name of 32 hexadecimal characters that nobody can guess. */
export function random() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export const language = {
  get: () => read("language"),
  set: (code) => write("language", code),
};

export const token = {
  /** The token of this browser's conversation, or null before the first message. */
  get: () => read("token"),
  /** The token, made now if there is none. */
  need() {
    if (!/^[0-9a-f]{32,64}$/.test(read("token") || "")) write("token", random());
    return read("token");
  },
};

// read anew each time, because another tab may have changed it
export const outbox = {
  /** Messages that the server has not confirmed, oldest first. */
  all() {
    try {
      const found = JSON.parse(read("outbox") || "[]");
      return Array.isArray(found) ? found : [];
    } catch (broken) {
      return [];
    }
  },
  add(message) {
    write("outbox", JSON.stringify(outbox.all().concat(message)));
  },
  remove(id) {
    write("outbox", JSON.stringify(outbox.all().filter((message) => message.id !== id)));
  },
};

/** Forgets the person: the token, the language, and everything up to the confirmed deletion. */
export function forget() {
  const left = outbox.all();
  const confirmed = left.map((message) => message.payload).lastIndexOf("d:yes");
  ["token", "language", "outbox"].forEach(erase);
  left.slice(confirmed + 1).forEach(outbox.add);
}
