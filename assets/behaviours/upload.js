// Posts a form and reports how far the upload has come: only this kind of request tells. It is given up when nothing moves
// for a while.

import { headers } from "./request.js"

const PATIENCE = 15000

export function upload(address, form, progressed) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    let timer
    const wait = (more = PATIENCE) => { clearTimeout(timer); timer = setTimeout(() => request.abort(), more) }
    request.open("POST", address)
    for (const [name, value] of Object.entries(headers())) request.setRequestHeader(name, value)
    request.upload.addEventListener("progress", (event) => {
      progressed((100 * event.loaded) / event.total)
      wait(event.loaded < event.total ? PATIENCE : 4 * PATIENCE)
    })
    request.addEventListener("load", () => resolve(request))
    for (const failure of ["error", "abort"]) request.addEventListener(failure, () => reject(new Error(failure)))
    request.addEventListener("loadend", () => clearTimeout(timer))
    wait()
    request.send(form)
  })
}
