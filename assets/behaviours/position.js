// data-position: a button that fills in where the device is; shown only where the browser can tell.

function offer() {
  document.querySelectorAll("[data-position]").forEach((offered) => { offered.hidden = !navigator.geolocation })
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-position] button")
  if (!button) return
  const form = button.form
  const problem = button.parentElement.querySelector("[role=alert]")
  button.disabled = true
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => {
      for (const name of ["latitude", "longitude"]) {
        const field = form.querySelector(`[name$="${name}"]`)
        field.value = coords[name].toFixed(6)
        field.dispatchEvent(new Event("input", { bubbles: true }))
      }
      button.disabled = false
      problem.hidden = true
    },
    () => { button.disabled = false; problem.hidden = false },
    { timeout: 15000 },
  )
})
document.addEventListener("htmx:after:swap", offer)
offer()
