// @ts-check
// Filters and sorts the pictures. Without it the page shows all of them, and no controls.

{
  /** @type {Record<string, (a: Entry, b: Entry) => number>} */
  const orders = {
    newest: by('at', -1),
    oldest: by('at', 1),
    'lowest-confidence': by('score', 1),
    'highest-confidence': by('score', -1),
    plate: (a, b) =>
      Number(a.name === '') - Number(b.name === '') ||
      a.name.localeCompare(b.name) ||
      byPlace(a, b),
  }
  const list = document.querySelector('#cards')
  const controls = document.querySelector('#controls')
  if (list instanceof HTMLElement && controls instanceof HTMLFormElement) start(list, controls)

  /**
   * @param {HTMLElement} list
   * @param {HTMLFormElement} controls
   */
  function start(list, controls) {
    const cards = [...list.children]
      .filter((card) => card instanceof HTMLElement)
      .map((card, place) => ({ card, place, ...readCard(card) }))
    const count = controls.querySelector('output')
    const given = (/** @type {string} */ id) => {
      const control = document.getElementById(id)
      const isOne = control instanceof HTMLInputElement || control instanceof HTMLSelectElement
      return isOne ? control.value.trim() : ''
    }
    let sorted = given('sort')

    const show = () => {
      const words = given('words').toLowerCase().split(/\s+/)
      const [least, most] = [numberOr(given('least'), 0), numberOr(given('most'), 1)]
      const isBounded = least > 0 || most < 1
      let shown = 0
      for (const { card, text, plate, score } of cards) {
        const isFound = words.every((word) => text.includes(word) || plate.includes(bare(word)))
        const isWithin = !isBounded || (score >= least && score <= most)
        card.hidden = !(isFound && isWithin)
        if (!card.hidden) shown += 1
      }
      if (count) count.value = `${shown} of ${cards.length} pictures`
      if (given('sort') === sorted) return
      sorted = given('sort')
      list.append(...cards.toSorted(orders[sorted] ?? byPlace).map(({ card }) => card))
    }
    controls.addEventListener('input', show)
    controls.addEventListener('submit', (event) => event.preventDefault())
    // The fields are empty only after the event.
    controls.addEventListener('reset', () => setTimeout(show))
    controls.reset()
    controls.hidden = false
    show()
  }

  /** @param {HTMLElement} card */
  function readCard(card) {
    const { words = '', plate = '', score, at } = card.dataset
    return {
      text: words,
      plate: bare(plate.toLowerCase()),
      name: plate,
      score: numberOr(score, Number.NaN),
      at: numberOr(at, Number.NaN),
    }
  }

  /** Blanks, dashes and dots mean nothing in a plate. @param {string} plate */
  function bare(plate) {
    return plate.replace(/[\s.-]/g, '') || plate
  }

  /** @param {string | undefined} text @param {number} otherwise */
  function numberOr(text, otherwise) {
    return text === undefined || text === '' || Number.isNaN(Number(text))
      ? otherwise
      : Number(text)
  }

  /** @typedef {ReturnType<typeof readCard> & { place: number }} Entry */
  /** @param {Entry} a @param {Entry} b */
  function byPlace(a, b) {
    return a.place - b.place
  }

  /** What is not known comes last. @param {'at' | 'score'} of @param {1 | -1} direction */
  function by(of, direction) {
    return (/** @type {Entry} */ a, /** @type {Entry} */ b) => {
      const [isNone, isOtherNone] = [Number.isNaN(a[of]), Number.isNaN(b[of])]
      if (isNone || isOtherNone) return Number(isNone) - Number(isOtherNone) || byPlace(a, b)
      return direction * (a[of] - b[of]) || byPlace(a, b)
    }
  }
}
