// A form that comes back with mistakes: the first wrong field has the focus, in the middle of the page, where no bar
// covers it. Whoever writes somewhere already, or has gone on, stays there.

import { isWriting } from "./keys.js"
import { hasMovedOn } from "./moved-on.js"

const WRONG = 422
const MISTAKES = "[aria-invalid=true], .problem, .problem-line"

function show(within) {
  const first = within?.querySelector(MISTAKES)
  if (!first || isWriting(document.activeElement)) return
  first.focus({ preventScroll: true })
  first.scrollIntoView({ block: "center" })
}

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  if (ctx.response?.status === WRONG && ctx.sourceElement?.matches("form") && !hasMovedOn(ctx)) show(document.querySelector("main"))
})

window.addEventListener("load", () => {
  if (performance.getEntriesByType("navigation")[0]?.responseStatus === WRONG) show(document.querySelector("main"))
})
