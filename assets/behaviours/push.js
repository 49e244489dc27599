// data-push="<address>": turns notifications on in this browser. data-push-on inside it is the button, and of several
// data-push-words the one that fits is shown. A browser that was turned on says now and then how it is reached
// (data-push-renewal), unless somebody has removed it; data-push-browser marks its row, data-push-here is shown in it.

const RENEWED_MINUTES = 10

const panel = () => document.querySelector("[data-push]")
const news = () => document.querySelector("[data-push-member]")
const storageKey = () => `push:${news().dataset.pushMember}`
const csrf = () => JSON.parse(document.body.getAttribute("hx-headers:inherited"))["X-CSRFToken"]
const isOffered = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window

function say(name) {
  panel()?.querySelectorAll("[data-push-words]").forEach((words) => { words.hidden = words.dataset.pushWords !== name })
}

function bytes(text) {
  const raw = atob(text.replaceAll("-", "+").replaceAll("_", "/"))
  return Uint8Array.from(raw, (letter) => letter.charCodeAt(0))
}

async function subscribed({ anew }) {
  const manager = (await navigator.serviceWorker.ready).pushManager
  const key = bytes(news().dataset.pushKey)
  const known = await manager.getSubscription()
  const knownKey = known?.options.applicationServerKey
  if (known && knownKey && new Uint8Array(knownKey).every((byte, place) => byte === key[place])) return known
  await known?.unsubscribe()
  return known || anew ? manager.subscribe({ userVisibleOnly: true, applicationServerKey: key }) : undefined
}

function tell(address, subscription) {
  const { endpoint, keys } = subscription.toJSON()
  return fetch(address, { method: "POST", headers: { "X-CSRFToken": csrf() }, body: new URLSearchParams({ endpoint, ...keys }) })
}

async function turnOn() {
  say("asking")
  const answer = await Notification.requestPermission()
  if (answer !== "granted") return say(answer === "denied" ? "denied" : "off")
  try {
    const response = await tell(panel().dataset.push, await subscribed({ anew: true }))
    if (!response.ok) return say("failed")
    localStorage.setItem(storageKey(), (await response.json()).id)
    say("on")
    document.body.dispatchEvent(new CustomEvent("push:changed"))
  } catch {
    say("failed")
  }
}

async function renew() {
  const id = localStorage.getItem(storageKey())
  const last = Number(sessionStorage.getItem(storageKey()))
  if (!panel() && Date.now() - last < RENEWED_MINUTES * 60_000) return true
  const subscription = id && Notification.permission === "granted" && (await subscribed({ anew: true }))
  if (!subscription) return false
  const response = await tell(news().dataset.pushRenewal.replace(/[0-]{36}/, id), subscription)
  if (response.status === 404) localStorage.removeItem(storageKey())
  if (response.ok) sessionStorage.setItem(storageKey(), String(Date.now()))
  return response.ok
}

function mark() {
  const id = localStorage.getItem(storageKey())
  document.querySelectorAll("[data-push-browser]").forEach((row) => {
    row.querySelector("[data-push-here]").hidden = row.dataset.pushBrowser !== id
  })
}

function refusal() {
  if (!isOffered) return /iPhone|iPad/.test(navigator.userAgent) && !navigator.standalone ? "home-screen" : "unsupported"
  return Notification.permission === "denied" ? "denied" : undefined
}

async function begin() {
  const problem = refusal()
  if (problem) return say(problem)
  const isOn = await renew().catch(() => false)
  say(isOn ? "on" : "off")
  mark()
}

if (news()) {
  begin()
  document.addEventListener("click", (event) => event.target.closest("[data-push-on]") && turnOn())
  document.addEventListener("htmx:after:swap", mark)
}
