// Shows messages. What people and answers say becomes text nodes only, never markup.

const ADDRESS = /https?:\/\/[^\s<>"'«»“”]+/g;
const COMMAND = /\/(?:language|help|human|privacy|export|delete)(?![\w/])/g;
const TRAILING = /[.,;:!?)\]}…،؛؟。]+$/;
const BATCH_MS = 3000;
const FIRST_STRONG = /[A-Za-z\u00c0-\u1fff\u3040-\ud7ff\ufb1d-\ufdff\ufe70-\ufefc]/;
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/g;
const LEFT_TO_RIGHT = /[A-Za-z\u00c0-\u058f\u0900-\u1fff\u3040-\ud7ff]/g;

export function make(tag, properties, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

/** The address without the punctuation of the sentence around it; a bracket that was opened inside stays. */
export function trimmed(address) {
  const end = TRAILING.exec(address);
  if (!end) return address;
  const opened = address.slice(0, end.index).includes("(") && end[0].startsWith(")");
  return address.slice(0, end.index + (opened ? 1 : 0));
}

const anchor = (address) => make("a", { href: address, target: "_blank", rel: "noopener noreferrer", dir: "ltr" }, address);

function replaced(text, pattern, made) {
  const nodes = [];
  let done = 0;
  for (const found of Array.from(matches(text, pattern))) {
    const node = made(found[0]);
    nodes.push(text.slice(done, found.index), node);
    done = found.index + node.textContent.length;
  }
  return nodes.concat(text.slice(done));
}

function* matches(text, pattern) {
  const fresh = new RegExp(pattern);
  for (let found = fresh.exec(text); found; found = fresh.exec(text)) yield found;
}

/** Text as nodes, its http(s) addresses as links. */
export const linked = (text) => replaced(text, ADDRESS, (address) => anchor(trimmed(address)));

/** Whether a text is mostly right-to-left but begins otherwise, as an Arabic answer that starts with "IOM". */
export function misjudged(text) {
  const words = text.replace(ADDRESS, "");
  const first = FIRST_STRONG.exec(words);
  const count = (pattern) => (words.match(pattern) || []).length;
  return Boolean(first) && !first[0].match(RIGHT_TO_LEFT) && count(RIGHT_TO_LEFT) > count(LEFT_TO_RIGHT);
}

export class Thread {
  /**
   * @param {object} places - elements `log` (scrolls), `list`, `typing`
   * @param {(key: string) => string} text - the page's texts in the current language
   * @param {object} on - `press(button)`, `download(button)`, `retry()`
   */
  constructor(places, text, on) {
    Object.assign(this, places, { text, on, shown: new Set(), own: new Map(), lastReply: 0 });
  }

  clear() {
    this.list.replaceChildren();
    this.shown.clear();
    this.own.clear();
    this.firstNew = null;
    this.lastReply = 0;
  }

  /** Shows a reply once; returns whether it was new. */
  reply(message) {
    if (this.shown.has(message.id)) return false;
    this.shown.add(message.id);
    const who = message.from === "counsellor" ? "counsellor" : "assistant";
    const node = make("div", { className: "message " + who }, this.label(who, message.at), this.body(message));
    if (message.buttons.length) node.append(this.chips(message));
    if (message.document === "export") node.append(this.downloadChip());
    this.list.append(node);
    this.begins(node);
    return true;
  }

  label(who, at) {
    const name = make("span", { className: "name" }, this.text(who));
    name.dataset.text = who;
    const label = make("p", { className: who === "you" ? "label unseen" : "label" }, name);
    if (at) label.append(" ", this.time(at));
    return label;
  }

  time(at) {
    const moment = new Date(at);
    const today = moment.toDateString() === new Date().toDateString();
    const form = today ? {} : { day: "numeric", month: "short" };
    const shown = moment.toLocaleString(document.documentElement.lang, Object.assign(form, { hour: "numeric", minute: "2-digit" }));
    return make("time", { dateTime: at }, shown);
  }

  body(message) {
    // the mark makes dir="auto" decide as a reader would
    const pieces = linked((misjudged(message.text) ? "\u200f" : "") + message.text);
    const node = make("div", { className: "body", dir: "auto" });
    pieces.forEach((piece) => {
      const plain = message.from === "you" || typeof piece !== "string";
      node.append(...(plain ? [piece] : replaced(piece, COMMAND, (command) => this.command(command))));
    });
    if (message.language) node.lang = message.language;
    return node;
  }

  /** A command named in an answer, to press instead of typing it. */
  command(word) {
    const button = make("button", { type: "button", className: "command", dir: "ltr" }, word);
    button.addEventListener("click", () => this.on.press({ payload: `c:${word.slice(1)}`, title: word }));
    return button;
  }

  chips(message) {
    const described = ({ title, description }) => description && description !== title;
    const look = !message.listed ? "" : message.buttons.some(described) ? " listed" : " listed brief";
    const group = make("div", { className: `chips${look}`, dir: message.direction, lang: message.language });
    message.buttons.forEach((button) => {
      const chip = make("button", { type: "button", className: "chip" }, make("span", { className: "title" }, button.title));
      if (message.listed && described(button)) {
        chip.append(make("span", { className: "more" }, button.description));
      }
      const language = /^l:([a-z]{2,3})$/.exec(button.payload);
      if (language) chip.lang = language[1];
      chip.dataset.payload = button.payload;
      chip.addEventListener("click", () => this.press(chip, button));
      group.append(chip);
    });
    return group;
  }

  press(chip, button) {
    if (chip.getAttribute("aria-disabled") === "true") return;
    this.use(chip);
    this.on.press(button);
  }

  use(chip) {
    chip.setAttribute("aria-pressed", "true");
    if (!chip.dataset.payload.startsWith("d:")) return;
    // a second answer to "delete everything?" could only confuse
    Array.from(chip.parentNode.children).forEach((other) => other.setAttribute("aria-disabled", "true"));
  }

  downloadChip() {
    const chip = make("button", { type: "button", className: "chip" }, this.text("download"));
    chip.dataset.text = "download";
    chip.addEventListener("click", () => this.on.download(chip));
    return make("div", { className: "chips" }, chip);
  }

  /** Shows what the person said. `state`: "", "sending" or "failed". */
  said(message, state) {
    if (message.text && !this.own.has(message.id)) {
      const node = make("div", { className: "message you" }, this.label("you"), this.body(message));
      this.own.set(message.id, node);
      this.list.append(node);
      this.firstNew = node;
      this.asked = true;
    }
    if (message.payload && message.past) this.markUsed(message.payload);
    this.mark(message.id, state);
  }

  markUsed(payload) {
    const chips = Array.from(this.list.querySelectorAll(".chip[data-payload]"));
    const pressed = chips.reverse().find((chip) => chip.dataset.payload === payload);
    if (pressed) this.use(pressed);
  }

  /** Changes what stands below a message of the person. */
  mark(id, state) {
    const node = this.own.get(id);
    if (!node) return;
    const old = node.querySelector(".status");
    if (old && old.dataset.text === state) return;
    if (old) old.remove();
    if (!state) return;
    const failed = state === "failed";
    const status = make(failed ? "button" : "p", { className: "status" }, this.text(state));
    status.dataset.text = state;
    if (failed) {
      status.type = "button";
      status.addEventListener("click", () => this.on.retry(id));
    }
    node.append(status);
  }

  /** Shows or hides that an answer is being written. */
  writing(shown) {
    this.typing.hidden = !shown;
    if (shown) this.toEnd();
  }

  /** Whether the newest message is in sight, so that the page may scroll by itself. */
  get following() {
    return this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 160;
  }

  toEnd() {
    this.log.scrollTop = this.log.scrollHeight;
  }

  /** Notes where the newest batch begins: at the person's question, or at a reply after a silence. */
  begins(node) {
    const now = Date.now();
    if (!this.asked && now - this.lastReply > BATCH_MS) this.firstNew = node;
    this.asked = false;
    this.lastReply = now;
  }

  /** Brings new messages into sight from their beginning, because long answers are read from the top. */
  toNew() {
    if (!this.firstNew) return;
    const top = this.firstNew.getBoundingClientRect().top - this.log.getBoundingClientRect().top + this.log.scrollTop;
    this.log.scrollTop = top - 12;
  }
}
