// Three things a page cannot do by itself: fill a part, ask again when a form changes, ask again while work goes on.
"use strict";

async function fill(part, address, options) {
  part.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(address, Object.assign({ headers: { "x-part": "1" }, redirect: "follow" }, options));
    part.innerHTML = await answer.text();
  } catch (error) {
    part.textContent = document.body.dataset.lost;
  }
  part.removeAttribute("aria-busy");
  prepare(part);
}

// <div data-load="address">: filled at once. <div data-poll="address" data-every="1000">: asked again until it is gone.
function prepare(root) {
  for (const part of root.querySelectorAll("[data-load]")) {
    const address = part.dataset.load;
    delete part.dataset.load;
    fill(part, address);
  }
  for (const part of root.querySelectorAll("[data-poll]")) {
    const address = part.dataset.poll, every = Number(part.dataset.every || 1500);
    delete part.dataset.poll;
    setTimeout(() => again(part, address), every);
  }
  for (const range of root.querySelectorAll("input[type=range]")) show(range);
}

async function again(part, address) {
  const home = part.parentElement;
  try {
    const answer = await fetch(address, { headers: { "x-part": "1" } });
    if (answer.status >= 500) throw new Error("later");
    if (!part.isConnected) return;
    const held = document.activeElement && part.contains(document.activeElement) ? document.activeElement.id : "";
    part.outerHTML = await answer.text();
    prepare(home);
    if (held && document.getElementById(held)) document.getElementById(held).focus();
  } catch (error) {
    if (part.isConnected) setTimeout(() => again(part, address), 3000);
  }
}

// <form data-live="id">: whenever it changes, its answer fills the part of that id; one question at a time.
const asking = new WeakMap();

async function ask(form) {
  if (asking.get(form)) { asking.set(form, "again"); return; }
  asking.set(form, "now");
  await fill(document.getElementById(form.dataset.live), form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
  const more = asking.get(form) === "again";
  asking.delete(form);
  if (more) ask(form);
}

function show(range) {
  const output = range.parentElement.querySelector("output");
  if (!output) return;
  const share = range.dataset.percent ? Math.round(range.value * 100) + "%" : range.value + (range.dataset.unit ? " " + range.dataset.unit : "");
  output.textContent = share;
  const field = range.closest(".field");
  if (field) field.classList.toggle("changed", Number(range.value) !== Number(range.dataset.now));
}

let waiting;
document.addEventListener("input", (event) => {
  if (event.target.type === "range") show(event.target);
  const form = event.target.form;
  if (!form || !form.dataset.live) return;
  clearTimeout(waiting);
  waiting = setTimeout(() => ask(form), 200);
});
document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (form && form.dataset.reload && event.target.hasAttribute("data-reload")) form.submit();
});
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.live && !(event.submitter && event.submitter.formAction && event.submitter.hasAttribute("formaction"))) {
    event.preventDefault();
    ask(form).then(() => document.getElementById(form.dataset.live).scrollIntoView({ block: "nearest" }));
  }
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button && navigator.clipboard) {
    navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = button.dataset.done;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && document.activeElement.classList.contains("term")) document.activeElement.blur();
});
prepare(document);
