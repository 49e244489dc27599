// Which region an htmx request fills, and whether somebody has just asked for it (and not the page by itself).

export const regionOf = ({ target }) => (typeof target === "string" ? document.querySelector(target) : target)
export const byPerson = ({ sourceEvent }) => ["click", "submit"].includes(sourceEvent?.type)
