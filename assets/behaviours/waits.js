// Which keys wait for which answer (typed-ahead.js holds them).
//   data-loads: a region that is loaded anew when somebody opens something in it. Until it is there, commands that work in
//   it wait, and clicks in what it still shows are not meant for that.
//   A menu or dialog that is being filled: what is typed waits, Escape closes it.
//   Something that was done (a form that is sent): undoing it, and commands in the region that the answer replaces, wait.

import { run, worksElsewhere, worksIn } from "./commands.js"
import { commandOf, isWriting } from "./keys.js"
import { byPerson, regionOf } from "./requests.js"
import { holdAct, holdKeys } from "./typed-ahead.js"

const OPEN = "dialog[open], :popover-open"
const releases = new WeakMap()
const isFree = () => !isWriting(document.activeElement) && !document.querySelector(OPEN)

function wantsOf(ctx, region) {
  const overlay = region.closest("dialog, [popover]"), isAct = ctx.request.method !== "GET"
  if (overlay && (!isAct || overlay.matches("dialog"))) {
    return (event) => overlay.matches(OPEN) && !event.ctrlKey && !event.metaKey && (isAct || event.key !== "Escape")
  }
  if (isAct) return (event) => isFree() && isAfter(commandOf(event), region)
  if (!region.matches("[data-loads]")) return undefined
  return (event) => { const name = commandOf(event); return isFree() && Boolean(name) && !worksElsewhere(name, current(region)) }
}

// The answer may have taken the region's place already, and not be ready yet.
const current = (region) => (region.isConnected ? region : document.getElementById(region.id) ?? region)

const isAfter = (name, region) => name === "undo" || (Boolean(name) && region.matches("[data-head]") && worksIn(name, region))

document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  const region = regionOf(ctx)
  const comesFirst = ctx.sourceElement === region && ctx.sourceEvent?.type === "intersect"
  const wants = region && (byPerson(ctx) || comesFirst) && wantsOf(ctx, region)
  if (!wants) return
  releases.set(ctx, holdKeys(wants))
  if (ctx.request.method === "GET" && region.matches("[data-loads]")) region.setAttribute("aria-busy", "true")
})

document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  const region = regionOf(ctx)
  const isSuperseded = ctx.request.signal.aborted && ctx.request.signal.reason !== "timeout"
  if (!isSuperseded && region?.isConnected) region.removeAttribute("aria-busy")
  const isRefused = ctx.response?.status >= 400 && (ctx.request.method === "GET" || region?.closest("dialog"))
  releases.get(ctx)?.({ isDropped: !isSuperseded && (!ctx.response || isRefused) })
  releases.delete(ctx)
})

// A click in a region that is being replaced was made for what comes.
for (const type of ["mousedown", "click"]) {
  window.addEventListener(type, (event) => {
    const region = event.target.closest?.("[data-loads][aria-busy=true]")
    if (!region) return
    event.preventDefault()
    event.stopImmediatePropagation()
    const command = event.target.closest("[data-command], [data-runs]")?.dataset
    if (type === "click" && command) holdAct(() => run(command.command ?? command.runs))
    else if (type === "mousedown" && event.target.closest("[data-composer] textarea")) holdAct(() => run("reply"))
  }, true)
}
