// @ts-check
// The sentence in which the server refused a request (RFC 9457, problem details).

/**
 * @param {Response} response with an error status
 * @returns {Promise<string>} its detail, or its status where it carries none
 */
export async function refusal(response) {
  /** @type {{ detail?: string } | null} */
  const body = await response.json().catch(() => null);
  return body?.detail ? `${body.detail} (${response.status})` : `the server answered ${response.status}`;
}
