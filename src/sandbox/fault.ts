import type { ServerResponse } from 'node:http'

/**
 * Ways for a lookup to go wrong once its request was read.
 *
 * Not billed: `reset-before-answer`, and an answer of your own with a `status`.
 * Billed: `reset-in-answer` (half the JSON, then the connection ends), `reset-after-billing` (not
 * one byte), `truncated-json` (half the JSON as a complete answer), `html-200` (a gateway's page
 * with status 200), `hang` (no answer until the client goes away), `answer` (success with exactly
 * this JSON value) and `rawAnswer` (success with this text).
 */
export type SandboxFault =
  | 'reset-before-answer'
  | 'reset-in-answer'
  | 'reset-after-billing'
  | 'truncated-json'
  | 'html-200'
  | 'hang'
  | {
      status: number
      body?: string
      contentType?: string
      headers?: Readonly<Record<string, string>>
    }
  | { answer: unknown }
  | { rawAnswer: string }

/** A whole HTTP answer. */
export interface HttpAnswer {
  status: number
  body: string
  contentType: string
  headers?: Readonly<Record<string, string>>
}

/** Whether a lookup that goes wrong in this way costs a call all the same. */
export function isBilled(fault: SandboxFault | undefined): boolean {
  return fault !== 'reset-before-answer' && !(typeof fault === 'object' && 'status' in fault)
}

/** A success without fault, in JSON. */
export function jsonAnswer(status: number, body: string): HttpAnswer {
  return { status, body, contentType: 'application/json' }
}

/**
 * The complete answer to give under this fault, or `undefined` when the connection itself fails:
 * `breakConnection` then does that.
 */
export function faultyAnswer(
  fault: SandboxFault | undefined,
  good: HttpAnswer,
): HttpAnswer | undefined {
  switch (fault) {
    case undefined:
      return good
    case 'truncated-json':
      return { ...good, body: firstHalf(good.body) }
    case 'html-200':
      return { status: 200, body: GATEWAY_PAGE, contentType: 'text/html' }
    case 'reset-before-answer':
    case 'reset-in-answer':
    case 'reset-after-billing':
    case 'hang':
      return undefined
    default:
      break
  }
  if ('answer' in fault) return jsonAnswer(good.status, JSON.stringify(fault.answer))
  if ('rawAnswer' in fault) return { ...good, body: fault.rawAnswer }
  const { status, body = detailOf(status), contentType = 'application/json', headers = {} } = fault
  return { status, body, contentType, headers }
}

/** Lets the connection fail; `hang` leaves it to the client to give up. */
export function breakConnection(
  response: ServerResponse,
  fault: SandboxFault,
  good: HttpAnswer,
): void {
  if (fault === 'hang') return
  if (fault !== 'reset-in-answer') {
    response.socket?.resetAndDestroy()
    return
  }
  response.writeHead(good.status, {
    'content-type': good.contentType,
    'content-length': Buffer.byteLength(good.body),
  })
  // Ended rather than reset: a reset could overtake the half that the client is to see.
  response.write(firstHalf(good.body), () => response.destroy())
}

const GATEWAY_PAGE =
  '<!DOCTYPE html>\n<html><head><title>Just a moment...</title></head><body></body></html>\n'

function firstHalf(text: string): string {
  return text.slice(0, Math.floor(text.length / 2))
}

/** The vendor's own test mocks answer 500 like this. */
function detailOf(status: number): string {
  return JSON.stringify({ detail: `Response ${status}` })
}
