/** How deep a JSON text nests and how many values it holds, told without parsing it. */

const quote = 0x22
const comma = 0x2c
const backslash = 0x5c

export interface Shape {
  /** Levels of lists and objects. */
  readonly depth: number
  /** Members of lists and objects on all levels; an empty list counts as one. */
  readonly values: number
}

/**
 * Takes the text piece by piece, in UTF-8, and answers with the shape of what has come until then. Looks no further than the first excess
 * over `most`. Of a text that is no JSON the answer means nothing.
 */
export const scanner = (most: Shape) => {
  let [depth, deepest, values, inText, isEscaped] = [0, 0, 0, false, false]
  return (piece: Uint8Array): Shape => {
    for (let at = 0; at < piece.length && deepest <= most.depth && values <= most.values; at++) {
      const code = piece[at]
      if (isEscaped) isEscaped = false
      else if (inText && code === backslash) isEscaped = true
      else if (code === quote) inText = !inText
      else if (inText) continue
      else if (code === comma) values++
      else if (code === 0x5b || code === 0x7b) {
        depth++
        values++
        deepest = Math.max(deepest, depth)
      } else if (code === 0x5d || code === 0x7d) depth--
    }
    return { depth: deepest, values }
  }
}
