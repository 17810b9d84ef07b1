/**
 * An answer without a lookup behind it: nothing is billed. Bodies are those of Django REST
 * Framework (DRF), which the cloud's known sentences point to.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly status: number
  readonly body: unknown
  readonly headers: Record<string, string>

  constructor(status: number, body: unknown, headers: Record<string, string> = {}) {
    super(`refused with ${status}: ${JSON.stringify(body)}`)
    this.status = status
    this.body = body
    this.headers = headers
  }
}

/** `{detail, status_code}`, the shape of the cloud's 403 and 429 (samples 40 and 41). */
export function refusalWithDetail(
  status: number,
  detail: string,
  headers?: Record<string, string>,
): Refusal {
  return new Refusal(status, { detail, status_code: status }, headers)
}

/** 400 with a list of sentences for one field; only the shape of these is known from clients. */
export function fieldRefusal(field: string, sentence: string): Refusal {
  return new Refusal(400, { [field]: [sentence] })
}

/** The SDK's errors outside a lookup are plain text of aiohttp's form, such as `404: Not Found`. */
export function plainRefusal(status: number, reason: string): Refusal {
  return new Refusal(status, `${status}: ${reason}`)
}
