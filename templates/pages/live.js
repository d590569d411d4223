// Everything works without this file. With it, figures follow the rows by themselves and a mail
// is as high as what it says.
"use strict";

// A list is not changed under the reader's focus: it waits until the focus has left.
const show = (place, html) => {
  if (place.contains(document.activeElement)) {
    place.waiting = html;
    place.onfocusout = () => {
      place.onfocusout = null;
      requestAnimationFrame(() => show(place, place.waiting));
    };
  } else {
    place.innerHTML = html;
    if ("readToEnd" in place.dataset) place.scrollTop = place.scrollHeight;
  }
};

// Spoken at most every four seconds, the last words always.
const speaker = (place) => {
  let last = 0, timer = null;
  return (html) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      last = Date.now();
      if (place.innerHTML !== html) place.innerHTML = html;
    }, Math.max(0, last + 4000 - Date.now()));
  };
};

for (const root of document.querySelectorAll("[data-live-from]")) {
  const places = new Map();
  for (const place of root.querySelectorAll("[data-live]")) {
    places.set(place.dataset.live, place.matches("[aria-live]") ? speaker(place) : (html) => show(place, html));
  }
  const source = new EventSource(root.dataset.liveFrom);
  source.addEventListener("live", (event) => {
    root.classList.add("is-live");
    for (const [name, html] of Object.entries(JSON.parse(event.data))) places.get(name)?.(html);
  });
  source.addEventListener("error", () => root.classList.remove("is-live"));
}

for (const frame of document.querySelectorAll("iframe[data-grow]")) {
  const grow = () => {
    const page = frame.contentDocument?.documentElement;
    if (!page) return;
    frame.style.height = "0";
    frame.style.height = `${page.scrollHeight + 4}px`;
  };
  frame.addEventListener("load", grow);
  addEventListener("resize", grow);
  grow();
}

for (const link of document.querySelectorAll("[data-without-script]")) link.hidden = true;
for (const end of document.querySelectorAll("[data-read-to-end]")) end.scrollTop = end.scrollHeight;

// Waits for the event's first row.
const soon = document.querySelector("[data-again]");
if (soon) setTimeout(() => location.reload(), 700);
