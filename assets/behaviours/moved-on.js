// Whether somebody has done something else since a request began. An answer moves the focus, or opens something, only
// for those who still wait for it.

const MODIFIERS = ["Shift", "Control", "Alt", "Meta"]
const acts = new WeakMap()
let count = 0

export const actsSoFar = () => count
export const hasMovedOn = (ctx) => acts.has(ctx) && acts.get(ctx) !== count

// Keys that are held for the answer (typed-ahead.js) do not get here.
window.addEventListener("keydown", (event) => { if (event.isTrusted && !MODIFIERS.includes(event.key)) count++ }, true)
window.addEventListener("pointerdown", () => { count++ }, true)
document.addEventListener("htmx:config:request", (event) => acts.set(event.detail.ctx, count))

document.addEventListener("htmx:before:swap", ({ detail: { ctx, tasks } }) => {
  if (!hasMovedOn(ctx)) return
  for (const { fragment } of tasks) {
    fragment?.querySelectorAll("[autofocus]").forEach((field) => field.removeAttribute("autofocus"))
  }
})
