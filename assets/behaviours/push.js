// data-push="<address>": turns notifications on in this browser. data-push-on inside it is the button, and of several
// data-push-words the one that fits is shown. A browser that was turned on says now and then how it is reached
// (data-push-renewal), unless somebody has removed it; data-push-browser marks its row, data-push-here is shown in it.

import { isOffered, send, subscription } from "./push-subscription.js"

const RENEWED_MINUTES = 10

const panel = () => document.querySelector("[data-push]")
const member = () => document.querySelector("[data-push-member]")
const storageKey = () => `push:${member().dataset.pushMember}`

function say(name) {
  panel()?.querySelectorAll("[data-push-words]").forEach((words) => { words.hidden = words.dataset.pushWords !== name })
}

async function turnOn() {
  say("asking")
  const answer = await Notification.requestPermission()
  if (answer !== "granted") return say(answer === "denied" ? "denied" : "off")
  try {
    const response = await send(panel().dataset.push, await subscription(member().dataset.pushKey))
    if (!response.ok) return say("failed")
    localStorage.setItem(storageKey(), (await response.json()).id)
    say("on")
    document.body.dispatchEvent(new CustomEvent("push:changed"))
  } catch {
    say("failed")
  }
}

async function renew() {
  const id = localStorage.getItem(storageKey()), last = Number(sessionStorage.getItem(storageKey()))
  if (!panel() && Date.now() - last < RENEWED_MINUTES * 60_000) return true
  if (!id || Notification.permission !== "granted") return false
  const address = member().dataset.pushRenewal.replace(/[0-]{36}/, id)
  const response = await send(address, await subscription(member().dataset.pushKey))
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

if (member()) {
  begin()
  document.addEventListener("click", (event) => event.target.closest("[data-push-on]") && turnOn())
  document.addEventListener("htmx:after:swap", mark)
}
