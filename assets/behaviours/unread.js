// data-unread="<how many>": shown in the title and on the app's icon. data-newest="<when>" moving on makes a sound where
// data-sounds allows it: not for the conversation that is being looked at (data-newest-in), and in one tab only. A
// hidden tab, which has no stream, asks once a minute.

import { chime } from "./chime.js"

const HIDDEN_SECONDS = 60
const title = document.querySelector("title")
const counter = () => document.querySelector("[data-unread]")

let newest

function show() {
  const count = Number(counter().dataset.unread)
  const plain = title.textContent.replace(/^\(\d+\+?\) /, "")
  const wanted = count ? `(${count < 100 ? count : "99+"}) ${plain}` : plain
  if (title.textContent !== wanted) title.textContent = wanted
  if (count) navigator.setAppBadge?.(count).catch(() => {})
  else navigator.clearAppBadge?.().catch(() => {})
}

function soundIfNew() {
  const { newest: at, newestIn, sounds } = counter().dataset
  const isNew = newest !== undefined && at > newest
  newest = at > (newest ?? "") ? at : (newest ?? "")
  const isSeen = !document.hidden && location.pathname.endsWith(newestIn)
  if (isNew && sounds !== undefined && !isSeen) chime()
}

function update() {
  if (!counter()) return
  show()
  soundIfNew()
}

if (counter()) {
  new MutationObserver(show).observe(title, { childList: true })
  document.addEventListener("htmx:after:swap", update)
  document.addEventListener("htmx:after:settle", update)
  setInterval(() => { if (document.hidden) window.htmx.trigger(counter(), "news:ask") }, HIDDEN_SECONDS * 1000)
  update()
}
