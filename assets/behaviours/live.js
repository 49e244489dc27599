// data-live="<address>": one stream of server-sent events for the page, which begins with what has happened since the
// page was made (data-live-since). Each event "subject id" becomes the DOM events `live:subject` and `live:subject:id` on
// the body, for hx-trigger="live:… from:body". Without a stream, and after a gap, `live:reload` makes everything ask
// again. A hidden tab lets go of its stream.

const address = () => document.body.dataset.live
// A message that arrived changes its conversation.
const IMPLIES = { arrival: ["conversation"] }
const FALLBACK_SECONDS = 15
const HIDDEN_SECONDS = 30

let stream, hiddenTimer, lostConnection = false

function announce(name) {
  document.body.dispatchEvent(new CustomEvent(name))
}

function open() {
  if (stream || !address()) return
  stream = new EventSource(`${address()}?since=${encodeURIComponent(document.body.dataset.liveSince)}`)
  stream.onopen = () => {
    document.body.dataset.liveState = "open"
    if (lostConnection) announce("live:reload")
    lostConnection = false
  }
  stream.onmessage = (event) => {
    if (event.lastEventId) document.body.dataset.liveSince = event.lastEventId
    const [subject, id] = event.data.split(" ")
    for (const name of [subject, ...(IMPLIES[subject] ?? [])]) {
      announce(`live:${name}`)
      announce(`live:${name}:${id}`)
    }
  }
  stream.addEventListener("reload", () => announce("live:reload"))
  stream.onerror = () => {
    document.body.dataset.liveState = "lost"
    if (stream.readyState !== EventSource.CLOSED) return // it comes back by itself, with what it missed
    lostConnection = true
    close()
  }
}

function close() {
  stream?.close()
  stream = undefined
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(hiddenTimer)
  if (document.hidden) {
    hiddenTimer = setTimeout(() => { lostConnection = true; close() }, HIDDEN_SECONDS * 1000)
  } else {
    open()
  }
})

setInterval(() => {
  if (document.hidden || !address()) return
  if (document.body.dataset.liveState !== "open") announce("live:reload")
  open()
}, FALLBACK_SECONDS * 1000)

window.addEventListener("pagehide", close)
open()
