// data-dialog, data-pop: opens as soon as something is asked for that goes into it, with data-skeleton="<template>" in it
// until the answer is there. It closes by Escape, by data-close, or when what was swapped in says data-done; an answer that
// comes after that opens nothing. data-into="<selector>": a link whose answer goes into that element.

import { hasMovedOn } from "./moved-on.js"
import { unquote } from "./quote.js"
import { byPerson, regionOf } from "./requests.js"

const SHEET = "dialog[data-dialog], [data-pop][data-skeleton]"
const isOpen = (sheet) => sheet.matches(":popover-open, [open]")
const sheetOf = (ctx) => regionOf(ctx)?.closest?.(SHEET)

document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  const sheet = sheetOf(ctx)
  if (!sheet || !byPerson(ctx)) return
  if (ctx.request.method !== "GET") return sheet.toggleAttribute("data-sending", true)
  regionOf(ctx).replaceChildren(document.querySelector(sheet.dataset.skeleton).content.cloneNode(true))
  if (!isOpen(sheet)) open(sheet, ctx.sourceElement)
})

function open(sheet, source) {
  document.querySelectorAll("[data-pop]:popover-open").forEach((pop) => { if (pop !== sheet) pop.hidePopover() })
  if (sheet.matches("dialog")) sheet.showModal()
  else sheet.showPopover({ source })
}

document.addEventListener("htmx:before:swap", (event) => {
  const { ctx, tasks } = event.detail, sheet = sheetOf(ctx)
  if (sheet && !isOpen(sheet)) tasks.splice(0, tasks.length, ...tasks.filter((task) => task.type !== "main"))
})

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  document.querySelectorAll("dialog[data-dialog]:has([data-done])").forEach((dialog) => {
    dialog.close()
    document.querySelectorAll("[data-composer]").forEach(unquote)
  })
  const sheet = sheetOf(ctx)
  if (!sheet || !isOpen(sheet)) ctx.sourceElement?.closest?.("[data-pop]")?.hidePopover()
  else if (!hasMovedOn(ctx) && (sheet === document.activeElement || !sheet.contains(document.activeElement))) focusFirst(sheet)
})

function focusFirst(sheet) {
  sheet.querySelector(sheet.matches("dialog") ? ".field input, .field textarea, a.template-choice" : "button, a")?.focus()
}

document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  const sheet = sheetOf(ctx)
  sheet?.removeAttribute("data-sending")
  if (sheet && isOpen(sheet) && sheet.querySelector("[data-loading]")) sheet.matches("dialog") ? sheet.close() : sheet.hidePopover()
})

document.addEventListener("close", (event) => {
  if (event.target.matches("dialog[data-dialog]")) event.target.firstElementChild.replaceChildren()
}, true)

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-into]")
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return
  event.preventDefault()
  window.htmx.ajax("GET", link.href, { source: link, target: link.dataset.into, swap: "innerHTML", sourceEvent: event })
})

document.addEventListener("click", (event) => {
  const dialog = event.target.closest("dialog[data-dialog]:not([data-sending])")
  if (!dialog) return
  if (event.target === dialog || event.target.closest("[data-close]")) { event.preventDefault(); dialog.close() }
})
