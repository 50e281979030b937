// The browser around the page: a window of its own, or a frame on the site of an organisation.

export const framed = window.parent !== window;

/** Asks the site around the frame to close it. The word tells nothing, so that anybody may hear it. */
export function leave() {
  if (framed) window.parent.postMessage("waymark:close", "*");
}

/** Lets the page open without a network from now on. A frame cannot be installed; it would only cost. */
export function install() {
  if ("serviceWorker" in navigator && !framed) navigator.serviceWorker.register("/sw.js").catch(() => {});
}

/** Saves a file as if a link to it had been followed. */
export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.hidden = true;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
