// This browser's subscription to notifications, and telling the server how it is reached.

import { headers } from "./request.js"

export const isOffered = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window

function bytes(text) {
  const raw = atob(text.replaceAll("-", "+").replaceAll("_", "/"))
  return Uint8Array.from(raw, (letter) => letter.charCodeAt(0))
}

// The one there is, if it was made for this key; else a new one.
export async function subscription(publicKey) {
  const manager = (await navigator.serviceWorker.ready).pushManager, key = bytes(publicKey)
  const existing = await manager.getSubscription(), its = existing?.options.applicationServerKey
  if (its && new Uint8Array(its).every((byte, place) => byte === key[place])) return existing
  await existing?.unsubscribe()
  return manager.subscribe({ userVisibleOnly: true, applicationServerKey: key })
}

export function send(address, subscription) {
  const { endpoint, keys } = subscription.toJSON()
  return fetch(address, { method: "POST", headers: headers(), body: new URLSearchParams({ endpoint, ...keys }) })
}
