// The headers of a request that a behaviour makes itself, as htmx would send them.

export function headers(more = {}) {
  const { "X-CSRFToken": token } = JSON.parse(document.body.getAttribute("hx-headers:inherited"))
  return { "HX-Request": "true", "X-CSRFToken": token, ...more }
}
