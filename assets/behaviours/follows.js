// data-follows: a pane that is loaded anew when what it shows has changed, as soon as it can be seen. Forms in it that
// somebody writes in stay as they are; a part of it that was fetched by itself (data-lazy) is fetched again, once it is open.

const lazy = (pane) => pane.querySelectorAll("[data-lazy][data-loaded]")
const chosenFirst = ({ options }) => Math.max(0, [...options].findIndex((option) => option.defaultSelected))
const isDirty = (field) => (field.options ? field.selectedIndex !== chosenFirst(field) : field.value !== field.defaultValue || field.checked !== field.defaultChecked)
const isWrittenIn = (form) => [...form.elements].some((field) => field.matches("input:not([type=hidden]), textarea, select") &&
  (field === document.activeElement || isDirty(field)))

window.htmx.registerExtension("follows", {
  htmx_before_morph_node: (element) => !element.closest?.("[data-follows]") || !(element.matches("[data-lazy]") || (element.matches("form") && isWrittenIn(element))),
})

const observer = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue
    observer.unobserve(target)
    window.htmx.trigger(target, "shown")
  }
})

document.addEventListener("htmx:before:request", (event) => {
  const pane = event.detail.ctx.sourceElement
  if (!pane.matches("[data-follows]") || pane.checkVisibility()) return
  event.preventDefault()
  observer.observe(pane)
})

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  if (ctx.target?.matches?.("[data-lazy]")) ctx.target.dataset.loaded = "true"
  const pane = ctx.sourceElement
  if (!pane?.matches?.("[data-follows]")) return
  lazy(pane).forEach((part) => {
    if (part.parentElement.open) window.htmx.trigger(part, "again")
    else part.dataset.stale = "true"
  })
})

document.addEventListener("toggle", ({ target }) => {
  const part = target.open && target.querySelector?.(":scope > [data-lazy][data-stale]")
  if (!part) return
  delete part.dataset.stale
  window.htmx.trigger(part, "again")
}, true)
