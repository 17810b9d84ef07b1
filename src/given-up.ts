import type { LostBefore } from './db/answers.ts'
import { LookupError } from './errors.ts'
import type { ImageRef } from './image-list.ts'
import type { RunOptions } from './options.ts'

/** Has an image whose answer was lost before to be left alone? One that was too large would be so again. */
export function isGivenUp(
  { lostAnswer, force }: Pick<RunOptions, 'lostAnswer' | 'force'>,
  { lostAnswers, isTooLarge }: LostBefore,
): boolean {
  return !force && (isTooLarge || (lostAnswer === 'fail' && lostAnswers > 0))
}

/** The failure of an image that is left alone. */
export function givenUp({ source }: ImageRef, { isTooLarge }: LostBefore): LookupError {
  if (isTooLarge) {
    const said = `${source} was answered before with more than can be kept, and is not asked again.`
    return new LookupError('answer_too_large', said)
  }
  return new LookupError(
    'answer_lost',
    `${source} was perhaps billed before without an answer, and is not asked again.`,
    { hint: 'To ask once more, run without --lost-answer fail.' },
  )
}
