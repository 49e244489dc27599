// data-time-zone: a day and a time inside it are by the reader's clock. Its zone is sent along in `zone`, and shown.

function fill() {
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions()
  document.querySelectorAll("[data-time-zone]:not([data-ready])").forEach((fields) => {
    fields.dataset.ready = "true"
    fields.querySelector('[name="zone"]').value = timeZone
    fields.querySelector("[data-zone-name]").textContent = timeZone.replaceAll("_", " ")
  })
}

document.addEventListener("htmx:after:swap", fill)
fill()
