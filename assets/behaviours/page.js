// Small things a page needs after a swap.
//   data-page-title="…"   the document's title while this is shown
//   data-current-path     a link that is marked when it leads here
//   data-unique="…"       of elements with the same value of the attribute in the selector, the first is kept
//   data-only-visible     an htmx request from here waits until somebody can see the page
//   data-toast            goes away by itself

function freshen() {
  const title = document.querySelector("[data-page-title]")
  if (title) document.title = title.dataset.pageTitle
  document.querySelectorAll("a[data-current-path]").forEach((link) => {
    if (link.pathname === location.pathname) link.setAttribute("aria-current", "true")
    else link.removeAttribute("aria-current")
  })
  document.querySelectorAll("[data-unique]").forEach((owner) => {
    const seen = new Set()
    owner.parentElement.querySelectorAll(owner.dataset.unique).forEach((element) => {
      if (seen.has(element.id)) element.remove()
      seen.add(element.id)
    })
  })
  document.querySelectorAll("[data-toast]:not([data-leaving])").forEach((toast) => {
    toast.dataset.leaving = "true"
    setTimeout(() => toast.remove(), 8000)
  })
}

document.addEventListener("htmx:before:request", (event) => {
  const source = event.detail.ctx.sourceElement
  if (!source.matches("[data-only-visible]") || !document.hidden) return
  event.preventDefault()
  document.addEventListener("visibilitychange", () => window.htmx.trigger(source, "load"), { once: true })
})
// At once; if nothing comes, the mark goes back.
document.addEventListener("htmx:before:request", ({ detail: { ctx: { sourceElement: link } } }) => {
  if (!link.matches("a[data-current-path]")) return
  document.querySelectorAll("a[data-current-path]").forEach((other) => other.removeAttribute("aria-current"))
  link.setAttribute("aria-current", "true")
})
document.addEventListener("htmx:error", freshen)
document.addEventListener("htmx:after:swap", freshen)
document.addEventListener("htmx:after:history:push", freshen)
document.addEventListener("htmx:after:history:update", freshen)
freshen()
