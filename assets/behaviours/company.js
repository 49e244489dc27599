// data-company="<address>": tells that somebody looks at this, types in it, or has left it.

const SECONDS = 25, TYPING = 4
let told = "", typedAt = 0

const place = () => document.querySelector("[data-company]")?.dataset.company

function tell(address, doing) {
  const headers = { "HX-Request": "true", "X-CSRFToken": JSON.parse(document.body.getAttribute("hx-headers:inherited"))["X-CSRFToken"] }
  return fetch(address, { method: "POST", headers, body: new URLSearchParams({ doing }), keepalive: doing === "left" }).catch(() => {})
}

function look() {
  const here = place()
  if (told && told !== here) tell(told, "left")
  told = document.hidden ? "" : here ?? ""
  if (told) tell(told, Date.now() - typedAt < TYPING * 1000 ? "types" : "looks")
}

document.addEventListener("input", (event) => {
  if (!event.target.closest("[data-composer], [data-note]") || Date.now() - typedAt < TYPING * 1000) return
  typedAt = Date.now()
  look()
})
document.addEventListener("htmx:after:swap", () => { if ((place() ?? "") !== told && !document.hidden) look() })
document.addEventListener("visibilitychange", () => { if (document.hidden && told) { tell(told, "left"); told = "" } else look() })
window.addEventListener("pagehide", () => { if (told) tell(told, "left") })
setInterval(() => { if (!document.hidden && place()) look() }, SECONDS * 1000)
look()
