import type { ServerResponse } from 'node:http'
import type { HttpAnswer } from './fault.ts'
import type { Refusal } from './refusal.ts'

/** Answers and says whether the client was still there. */
export function sendAnswer(response: ServerResponse, answer: HttpAnswer): boolean {
  if (response.destroyed) return false
  const { status, body, contentType, headers } = answer
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    ...headers,
  })
  response.end(body)
  return true
}

/** A JSON body, or plain text where the refusal's body is a string. */
export function sendRefusal(response: ServerResponse, refusal: Refusal): boolean {
  const { status, body, headers } = refusal
  return typeof body === 'string'
    ? sendAnswer(response, { status, body, contentType: 'text/plain; charset=utf-8', headers })
    : sendAnswer(response, {
        status,
        body: JSON.stringify(body),
        contentType: 'application/json',
        headers,
      })
}
