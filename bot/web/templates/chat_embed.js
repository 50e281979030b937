// Puts a button on the page that opens the chat. Nothing but this file is loaded before it is pressed.
(() => {
  const WORDS = {{ words }};
  const script = document.currentScript;
  const origin = new URL(script.src).origin;
  const TAG = "waymark-chat";
  const STYLE = `
    :host { all: initial !important; display: block !important; position: fixed !important; z-index: 2147483000 !important;
      inset-block-end: max(16px, env(safe-area-inset-bottom)) !important; inset-inline-end: 16px !important; }
    button { all: unset; box-sizing: border-box; display: flex; gap: 10px; align-items: center; float: inline-end;
      min-height: 52px; max-width: calc(100vw - 32px); padding: 8px 20px; border: 2px solid #fff; border-radius: 28px;
      background: #0b5f58; color: #fff; font: 600 17px/1.35 system-ui, sans-serif; cursor: pointer;
      box-shadow: 0 2px 10px rgb(0 0 0 / .3); }
    button:hover { background: #084a44; }
    button:focus-visible { outline: 3px solid #0b5f58; outline-offset: 2px; }
    svg { flex: none; width: 24px; height: 24px; fill: none; stroke: currentColor; stroke-width: 2.2;
      stroke-linecap: round; stroke-linejoin: round; }
    button[aria-expanded="true"] .open, button[aria-expanded="false"] .shut { display: none; }
    iframe { position: absolute; inset-block-end: 64px; inset-inline-end: 0; box-sizing: border-box;
      width: min(400px, 100vw - 32px); height: min(640px, 100vh - 112px); border: 1px solid #4e5d5a; border-radius: 16px;
      background: #eef3f1; box-shadow: 0 8px 32px rgb(0 0 0 / .3); }
    [hidden] { display: none; }
    @media (max-width: 480px) { iframe { inset-inline-end: -8px; width: calc(100vw - 16px); height: calc(100vh - 96px);
      height: calc(100dvh - 96px); } }
    @media (forced-colors: active) { button { border-color: ButtonText; } }
    @media print { :host { display: none !important; } }`;

  const known = (hint) => {
    const code = (hint || "").split(/[-_]/)[0].toLowerCase();
    return WORDS[code] ? code : "";
  };
  const language = [script.dataset.lang, document.documentElement.lang, ...(navigator.languages || [])]
    .map(known).find(Boolean) || "en";

  const element = (tag, attributes) => {
    const made = document.createElement(tag);
    Object.keys(attributes).forEach((name) => made.setAttribute(name, attributes[name]));
    return made;
  };

  const icon = (className, path) => {
    const space = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(space, "svg");
    const line = document.createElementNS(space, "path");
    line.setAttribute("d", path);
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("class", className);
    svg.setAttribute("aria-hidden", "true");
    svg.append(line);
    return svg;
  };

  // a strict policy of the page forbids style elements, but not sheets made by a script
  const dress = (root) => {
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet];
    } catch (old) {
      const style = document.createElement("style");
      style.textContent = STYLE;
      root.append(style);
    }
  };

  function start() {
    if (document.querySelector(TAG)) return;
    const { label, title, dir } = WORDS[language];
    const host = document.createElement(TAG);
    const root = host.attachShadow({ mode: "open" });
    const button = element("button", { type: "button", "aria-expanded": "false", "aria-controls": "chat", lang: language, dir });
    const words = document.createElement("span");
    words.textContent = label;
    button.append(icon("open", "M4 5h16v11H10l-5 4v-4H4z"), icon("shut", "M6 6l12 12M18 6L6 18"), words);
    const frame = element("iframe", { id: "chat", title, lang: language, hidden: "" });
    dress(root);
    root.append(button);

    const show = (open) => {
      if (!frame.src) {
        frame.src = `${origin}/?lang=${language}`;
        root.insertBefore(frame, button);
      }
      frame.hidden = !open;
      button.setAttribute("aria-expanded", String(open));
      if (open) frame.focus();
      else button.focus();
    };
    button.addEventListener("click", () => show(frame.hidden));
    root.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !frame.hidden) show(false);
    });
    window.addEventListener("message", ({ source, origin: from, data }) => {
      if (source === frame.contentWindow && from === origin && data === "waymark:close") show(false);
    });
    document.body.append(host);
  }

  if (document.body) start();
  else document.addEventListener("DOMContentLoaded", start);
})();
