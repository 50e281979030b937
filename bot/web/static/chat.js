// The chat page: joins what the person does, what is remembered, what is shown and the server.

import { framed, install, leave, save } from "./chat/place.js";
import * as store from "./chat/store.js";
import { Thread } from "./chat/thread.js";
import * as wire from "./chat/wire.js";

const TYPING_MS = 20000;
const byId = (id) => document.getElementById(id);
const root = document.documentElement;
const UI = JSON.parse(byId("ui").textContent);
const log = byId("log");
const box = byId("box");
const state = byId("state");
const languages = byId("language");
const text = (key) => UI[root.lang][key];
const thread = new Thread({ log, list: byId("list"), typing: byId("typing") }, text, { press, download, retry });

const refused = new Set(); // ids of messages the server will not take; the next ones must not wait for them
let receiver = null;
let ready = false; // the history is shown; nothing is sent before, so that nothing is shown twice
let held = false; // a counsellor answers, and must not seem to be writing when nobody is
let flushing = false;
let failures = 0;
let lastReply = 0;
let sendTimer = 0;
let typingTimer = 0;

// ---- language

function speak(code) {
  root.lang = code;
  root.dir = UI[code].direction;
  document.title = text("title");
  languages.value = code;
  const each = (selector, change) => document.querySelectorAll(selector).forEach(change);
  each("[data-text]", (node) => { node.textContent = text(node.dataset.text); });
  each("[data-label]", (node) => node.setAttribute("aria-label", text(node.dataset.label)));
  each("[data-placeholder]", (node) => { node.placeholder = text(node.dataset.placeholder); });
}

function chooseLanguage(code) {
  if (!UI[code]) return;
  store.language.set(code);
  window.history.replaceState(null, "", location.pathname); // ?lang= would win over the choice after a reload
  speak(code);
}

function firstLanguage() {
  // a site says its own language each time; what the person chose or spoke since weighs more
  const asked = !framed && new URLSearchParams(location.search).get("lang");
  const chosen = store.language.get();
  if (!UI[asked] && UI[chosen]) speak(chosen);
  return Boolean(UI[asked] || UI[chosen]);
}

// ---- what stands above the box

function notice(key) {
  state.textContent = key ? text(key) : "";
  if (key) state.dataset.text = key;
  else delete state.dataset.text;
}

function connected(yes) {
  notice(yes ? "" : "offline");
  if (yes) flush();
}

// ---- sending

function say(message) {
  const item = { id: store.random(), text: "", payload: "", locale: root.lang, ...message };
  store.outbox.add(item);
  show(item);
  thread.toEnd();
  if (ready && !receiver) listen(0);
  flush();
}

function show(item) {
  thread.said({ id: item.id, from: "you", text: item.hidden ? "" : item.title || item.text }, "sending");
}

function press({ payload, title }) {
  if (payload.startsWith("l:")) chooseLanguage(payload.slice(2));
  say({ payload, title });
}

async function flush() {
  if (flushing || !ready) return;
  flushing = true;
  clearTimeout(sendTimer);
  const waiting = () => store.outbox.all().find(({ id }) => !refused.has(id));
  for (let item = waiting(); item && await delivered(item);) item = waiting();
  flushing = false;
}

/** Sends one message; whether the next one may follow. */
async function delivered({ id, text: words, payload, locale }) {
  const begun = Date.now();
  thread.mark(id, "sending");
  try {
    await wire.post(store.token.need(), { id, text: words, payload, locale });
  } catch (problem) {
    if (problem.permanent) refused.add(id);
    else sendLater();
    thread.mark(id, "failed");
    return Boolean(problem.permanent);
  }
  failures = 0;
  notice("");
  store.outbox.remove(id);
  thread.mark(id, "");
  if (!held && lastReply < begun) writing();
  return true;
}

function sendLater() {
  failures += 1;
  sendTimer = setTimeout(flush, wire.pause(failures));
  store.outbox.all().forEach(({ id }) => thread.mark(id, "failed"));
  notice("offline");
}

function retry(id) {
  refused.delete(id);
  box.focus();
  flush();
}

// ---- receiving

function writing() {
  clearTimeout(typingTimer);
  thread.writing(true);
  typingTimer = setTimeout(() => thread.writing(false), TYPING_MS);
}

function listen(cursor) {
  receiver = new wire.Receiver(store.token.need(), cursor, received, connected);
}

function received(reply) {
  const follow = thread.following;
  lastReply = Date.now();
  clearTimeout(typingTimer);
  thread.writing(false);
  if (reply.event === "deleted") goodbye(reply);
  else if (!thread.reply(reply)) return;
  noteHolder(reply);
  if (follow) thread.toNew();
}

function noteHolder(reply) {
  if (reply.event === "joined" || reply.from === "counsellor") held = true;
  else if (reply.event === "closed" || reply.from === "bot") held = false;
}

/** Everything was erased on the server: nothing of it stays here either but the word that says so. */
function goodbye(reply) {
  if (receiver) receiver.stop();
  receiver = null;
  held = false;
  store.forget();
  thread.clear();
  thread.reply(reply);
  store.outbox.all().forEach(show);
  if (store.outbox.all().length) {
    listen(0);
    flush();
  }
}

async function download(chip) {
  chip.disabled = true;
  try {
    save(await wire.exported(store.token.need()), "waymark.json");
  } catch (problem) {
    notice("offline");
  }
  chip.disabled = false;
  chip.focus();
}

// ---- the beginning

async function loaded() {
  if (!store.token.get()) return { messages: [], cursor: 0, language: null };
  for (let tries = 0; ; tries += 1) {
    try {
      return await wire.history(store.token.need());
    } catch (problem) {
      notice("offline");
      await new Promise((again) => {
        setTimeout(again, wire.pause(tries));
        window.addEventListener("online", again, { once: true });
      });
    }
  }
}

function showPast(messages) {
  thread.clear();
  messages.forEach((message) => {
    if (message.from !== "you") {
      thread.reply(message);
      noteHolder(message);
      return;
    }
    store.outbox.remove(message.message); // it had arrived, only the confirmation had not
    thread.said({ ...message, id: message.message, past: true }, "");
  });
  store.outbox.all().forEach(show);
}

async function begin() {
  const chosen = firstLanguage();
  store.outbox.all().forEach(show);
  const slow = setTimeout(() => notice("connecting"), 1000);
  const past = await loaded();
  clearTimeout(slow);
  notice("");
  if (!chosen && UI[past.language]) speak(past.language);
  showPast(past.messages);
  thread.toEnd();
  log.setAttribute("aria-busy", "false");
  ready = true;
  const last = past.messages[past.messages.length - 1];
  if (last && last.event === "deleted") {
    goodbye(last);
    return;
  }
  listen(past.cursor);
  if (last || store.outbox.all().length) flush();
  else say({ text: "/start", hidden: true });
}

// ---- what the person does

function grow() {
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight + box.offsetHeight - box.clientHeight}px`;
}

function submit(event) {
  event.preventDefault();
  const words = box.value.trim();
  box.focus();
  if (!words) return;
  box.value = "";
  grow();
  say({ text: words });
}

function openMenu(open) {
  byId("choices").hidden = !open;
  byId("menu").setAttribute("aria-expanded", String(open));
}

byId("form").addEventListener("submit", submit);
box.addEventListener("input", grow);
box.addEventListener("keydown", (event) => {
  // 229: Safari has ended the composition already when it reports its Enter
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229) submit(event);
});
languages.addEventListener("change", () => {
  const { value, selectedOptions } = languages;
  press({ payload: `l:${value}`, title: selectedOptions[0].textContent.trim() });
});
document.querySelectorAll(".tools [data-payload]").forEach((button) => button.addEventListener("click", (event) => {
  event.preventDefault();
  if (!byId("choices").hidden) byId("menu").focus();
  openMenu(false);
  press({ payload: button.dataset.payload, title: button.textContent.trim() });
}));
byId("menu").addEventListener("click", () => openMenu(byId("choices").hidden));
document.addEventListener("click", (event) => {
  if (!event.target.closest(".menu")) openMenu(false);
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  if (byId("choices").hidden) {
    leave();
  } else {
    openMenu(false);
    byId("menu").focus();
  }
});
window.addEventListener("offline", () => {
  connected(false);
  if (receiver) receiver.hangUp(); // a line of before is silent afterwards, not closed
});
window.addEventListener("online", () => {
  notice("");
  flush();
  if (receiver) receiver.wake();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && receiver) receiver.wake();
});

install();
begin();
