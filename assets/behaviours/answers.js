// What an answer may still change when it comes late.
//   An answer that is older than what a region shows is dropped, and so is one that was asked for before another was.
//   data-scope: an answer to something inside it changes nothing in the one that has taken its place; messages that
//   are only added elsewhere (an undo) still are.
//   Whatever is open (menu, details) stays open.

import { byPerson, regionOf } from "./requests.js"

const ADDS = ["beforeend", "afterbegin", "beforebegin", "afterend", "append", "prepend", "before", "after"]
const number = new WeakMap(), scopes = new WeakMap(), shown = new Map(), loading = new Map()
let count = 0

const elementOf = (task) => (typeof task.target === "string" ? document.querySelector(task.target) : task.target)
const adds = (task) => ADDS.includes(task.swapSpec.style)

document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  number.set(ctx, ++count)
  scopes.set(ctx, ctx.sourceElement.closest("[data-scope]"))
  const region = regionOf(ctx)
  if (!region?.id || ctx.request.method !== "GET" || !byPerson(ctx)) return
  loading.get(region.id)?.request.abort()
  loading.set(region.id, ctx)
})

document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  for (const [id, other] of loading) if (other === ctx) loading.delete(id)
})

// htmx drops the whole answer once its target is gone.
document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
  if (ctx.target?.isConnected !== false) return
  ctx.target = document.body
  ctx.swap = "none"
  ctx.push = ctx.replace = "false"
  scopes.set(ctx, scopes.get(ctx) ?? document.createElement("section"))
})

document.addEventListener("htmx:before:swap", ({ detail: { ctx, tasks } }) => {
  const main = tasks.find((task) => task.type === "main")
  const current = tasks.filter((task) => isCurrent(ctx, task))
  if (main && !current.includes(main)) ctx.push = ctx.replace = "false"
  tasks.splice(0, tasks.length, ...current)
})

function isCurrent(ctx, task) {
  const region = elementOf(task)
  if (!region || task.swapSpec.style === "none") return true
  const scope = scopes.get(ctx)
  if (scope && !scope.isConnected && ctx.swap === "none" && (!adds(task) || region.closest("[data-scope]"))) return false
  if (adds(task) || !region.id) return true
  if (shown.get(region.id) > number.get(ctx)) return false
  shown.set(region.id, number.get(ctx))
  return true
}

window.htmx.config.morphSkip = "[hx-morph-skip], :popover-open"
window.htmx.registerExtension("open", {
  htmx_before_morph_attr: (element, { attrName }) => !(attrName === "open" && element.matches("details, dialog")),
})
