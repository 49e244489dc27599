// data-newest-below="<button>": a region that begins at its end (a thread). The button is there while somebody has
// scrolled away from that end, and leads back to it.

const AWAY = 240
const region = () => document.querySelector("[data-newest-below]")
const buttonOf = (place) => document.querySelector(place.dataset.newestBelow)

// Scrolling does not bubble. Reversed, the end is at 0 and all else below zero.
function show() {
  const place = region(), button = place && buttonOf(place)
  if (button) button.hidden = place.scrollTop > -AWAY
}

document.addEventListener("scroll", (event) => { if (event.target === region()) show() }, { capture: true, passive: true })
document.addEventListener("htmx:after:swap", show)
document.addEventListener("click", (event) => {
  const place = region()
  if (place && event.target.closest("button") === buttonOf(place)) place.scrollTop = 0
})
