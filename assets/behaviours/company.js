// data-company="<address>": reports that somebody looks at this, types a reply or a note in it, or has left it.

import { headers } from "./request.js"

const SECONDS = 25, TYPING = 4
let reported = "", typedAt = 0, typed = "types"

const place = () => document.querySelector("[data-company]")?.dataset.company

function report(address, doing) {
  const body = new URLSearchParams({ doing })
  return fetch(address, { method: "POST", headers: headers(), body, keepalive: doing === "left" }).catch(() => {})
}

function update() {
  const here = place()
  if (reported && reported !== here) report(reported, "left")
  reported = document.hidden ? "" : here ?? ""
  if (reported) report(reported, Date.now() - typedAt < TYPING * 1000 ? typed : "looks")
}

function leave() {
  if (reported) report(reported, "left")
  reported = ""
}

document.addEventListener("input", (event) => {
  const place = event.target.closest("[data-composer], [data-note]")
  if (!place) return
  const does = place.matches("[data-note]") ? "notes" : "types"
  if (does === typed && Date.now() - typedAt < TYPING * 1000) return
  typedAt = Date.now()
  typed = does
  update()
})
document.addEventListener("htmx:after:swap", () => { if ((place() ?? "") !== reported && !document.hidden) update() })
document.addEventListener("visibilitychange", () => { if (document.hidden) leave(); else update() })
window.addEventListener("pagehide", leave)
setInterval(() => { if (!document.hidden && place()) update() }, SECONDS * 1000)
update()
