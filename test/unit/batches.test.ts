import { PassThrough } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { batchesOf, inBatches } from '../../src/batches.ts'
import { readImageList } from '../../src/lists/text-list.ts'

describe('calls in batches', () => {
  /** Doubles numbers, and remembers which came together; each batch ends when it is let go. */
  function doubling(most: number, sick: readonly number[] = []) {
    const batches: (readonly number[])[] = []
    const gates: PromiseWithResolvers<void>[] = []
    let isOpen = false
    const double = inBatches(async (numbers: readonly number[]) => {
      batches.push(numbers)
      const gate = Promise.withResolvers<void>()
      gates.push(gate)
      if (isOpen) gate.resolve()
      await gate.promise
      if (numbers.some((number) => sick.includes(number))) throw new Error(`sick: ${numbers}`)
      return numbers.map((number) => 2 * number)
    }, most)
    const letAllGo = () => {
      isOpen = true
      for (const gate of gates) gate.resolve()
    }
    return { double, batches, letAllGo }
  }

  test('what is asked together goes together, and each gets its own result', async () => {
    const { double, batches, letAllGo } = doubling(10)
    const asked = [1, 2, 3].map(double)
    letAllGo()
    expect(await Promise.all(asked)).toEqual([2, 4, 6])
    expect(batches).toEqual([[1, 2, 3]])
  })

  test('what is asked while a batch is under way goes in the next, no more than may be', async () => {
    const { double, batches, letAllGo } = doubling(3)
    const first = double(0)
    await turn()
    const rest = [1, 2, 3, 4].map(double)
    letAllGo()
    expect(await Promise.all([first, ...rest])).toEqual([0, 2, 4, 6, 8])
    expect(batches).toEqual([[0], [1, 2, 3], [4]])
  })

  test('a sick one fails alone: the others of its batch are done by themselves', async () => {
    const { double, letAllGo } = doubling(10, [2])
    const asked = Promise.allSettled([1, 2, 3].map(double))
    letAllGo()
    expect(await asked).toEqual([
      { status: 'fulfilled', value: 2 },
      { status: 'rejected', reason: new Error('sick: 2') },
      { status: 'fulfilled', value: 6 },
    ])
  })

  test('too few results fail those that got none', async () => {
    const ask = inBatches(async () => ['only one'], 10)
    const asked = await Promise.allSettled(['a', 'b'].map(ask))
    expect(asked.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
  })
})

describe('lines in batches', () => {
  async function sizesOf(source: AsyncIterable<unknown>, most: number): Promise<number[]> {
    const sizes: number[] = []
    for await (const batch of batchesOf(source, most)) sizes.push(batch.length)
    return sizes
  }

  async function* numbers(count: number) {
    for (let number = 0; number < count; number += 1) yield number
  }

  test.each([
    [0, []],
    [3, [3]],
    [4, [4]],
    [9, [4, 4, 1]],
  ])('%i that are there come as %j', async (count, sizes) => {
    expect(await sizesOf(numbers(count), 4)).toEqual(sizes)
  })

  test('a line that is typed in is not kept waiting for others', async () => {
    const input = new PassThrough()
    const batches = batchesOf(readImageList(input), 100)
    input.write('one.jpg\ntwo.jpg\n')
    expect((await batches.next()).value).toMatchObject([{ text: 'one.jpg' }, { text: 'two.jpg' }])
    input.write('three.jpg\n')
    expect((await batches.next()).value).toMatchObject([{ text: 'three.jpg' }])
    input.end()
    expect((await batches.next()).done).toBe(true)
  })

  test('a list that breaks off gives what came before', async () => {
    async function* broken() {
      yield 1
      throw new Error('read error')
    }
    const batches = batchesOf(broken(), 4)
    expect((await batches.next()).value).toEqual([1])
    await expect(batches.next()).rejects.toThrow('read error')
  })

  test('who wants no more ends the list', async () => {
    let isEnded = false
    async function* endless() {
      try {
        for (;;) yield 1
      } finally {
        isEnded = true
      }
    }
    for await (const _ of batchesOf(endless(), 4)) break
    expect(isEnded).toBe(true)
  })
})
