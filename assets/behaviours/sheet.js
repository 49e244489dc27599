// data-dialog: opens when something is swapped into it; closes by Escape, by data-close, or when what was swapped in
// says data-done. data-into="<selector>": a link whose answer goes into that element; a popover (data-pop) opens beside.
import { unquote } from "./quote.js"

const filled = (dialog) => dialog.firstElementChild.children.length > 0

document.addEventListener("htmx:after:swap", (event) => {
  document.querySelectorAll("dialog[data-dialog]").forEach((dialog) => {
    if (dialog.querySelector("[data-done]")) {
      dialog.close()
      document.querySelectorAll("[data-composer]").forEach(unquote)
    } else if (filled(dialog) && !dialog.open) open(dialog)
  })
  const source = event.detail.ctx?.sourceElement
  const pop = source?.matches?.("[data-into]") && document.querySelector(source.dataset.into)
  if (pop) {
    pop.showPopover({ source })
    pop.querySelector("button, a")?.focus()
  } else if (source?.closest?.("[data-pop]")) {
    source.closest("[data-pop]").hidePopover()
  }
})

function open(dialog) {
  document.querySelectorAll("[data-pop]:popover-open").forEach((pop) => pop.hidePopover())
  dialog.addEventListener("close", () => dialog.firstElementChild.replaceChildren(), { once: true })
  dialog.showModal()
  dialog.querySelector(".field input, .field textarea, a.template-choice")?.focus()
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-into]")
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return
  event.preventDefault()
  window.htmx.ajax("GET", link.href, { source: link, target: link.dataset.into, swap: "innerHTML" })
})

document.addEventListener("click", (event) => {
  const dialog = event.target.closest("dialog[data-dialog]")
  if (!dialog) return
  if (event.target === dialog || event.target.closest("[data-close]")) { event.preventDefault(); dialog.close() }
})
