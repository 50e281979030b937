"use strict";

// Character counts beside fields; the server counts again.
for (const output of document.querySelectorAll("output[data-count]")) {
  const field = document.getElementById(output.dataset.count);
  const limit = Number(output.dataset.limit);
  const show = () => {
    const length = [...field.value.trim()].length;
    output.textContent = `${length} / ${limit}`;
    output.classList.toggle("over", length > limit);
  };
  field.addEventListener("input", show);
  show();
}

for (const hint of document.querySelectorAll("[data-keys]")) hint.hidden = false;

const thread = document.getElementById("thread");

if (thread) {
  const atEnd = () => thread.scrollHeight - thread.scrollTop - thread.clientHeight < 80;
  const toEnd = () => { thread.scrollTop = thread.scrollHeight; };
  toEnd();

  // New messages are added and only delivery states replaced, so that a screen reader reads what is new,
  // not the whole conversation, and a selection survives.
  document.body.addEventListener("htmx:sseBeforeMessage", (event) => {
    if (event.detail.type !== "thread") return;
    event.preventDefault();
    const follow = atEnd();
    const news = new DOMParser().parseFromString(`<ol>${event.detail.data}</ol>`, "text/html");
    const lines = document.getElementById("lines");
    let last = null;
    for (const item of news.querySelectorAll("ol > li")) {
      let known = document.getElementById(item.id);
      if (known) {
        const [before, after] = [known.querySelector(".meta"), item.querySelector(".meta")];
        if (before.innerHTML !== after.innerHTML) before.replaceWith(after);
      } else {
        known = item;
        if (last) last.after(item);
        else lines.prepend(item);
      }
      last = known;
    }
    if (follow) toEnd();
  });
}

// Ctrl or Cmd with Enter sends a reply; a second click on a button does not send twice.
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches("textarea[data-send]")) {
    event.target.form.requestSubmit();
  }
});

document.addEventListener("submit", (event) => {
  if (event.target.dataset.sent) event.preventDefault();
  else if (event.target.method === "post") event.target.dataset.sent = "yes";
});

window.addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});

// A menu closes when the focus or a click goes elsewhere, or with Escape.
const closeMenus = (except) => {
  for (const menu of document.querySelectorAll("details.sure[open]")) if (!menu.contains(except)) menu.open = false;
};
document.addEventListener("click", (event) => closeMenus(event.target));
document.addEventListener("focusin", (event) => closeMenus(event.target));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = event.target.closest("details.sure[open]");
  closeMenus(null);
  if (menu) menu.querySelector("summary").focus();
});
