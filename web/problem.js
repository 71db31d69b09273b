// @ts-check
// The sentence in which the server refused a request (RFC 9457, problem details).

/**
 * @param {Response} response with an error status
 * @returns {Promise<string>} its detail, or its status where it carries none
 */
export async function refusal(response) {
  const said = await detail(response);
  return said ? `${said} (${response.status})` : `the server answered ${response.status}`;
}

/**
 * @param {Response} response with an error status
 * @returns {Promise<string>} "" where it carries none
 */
export async function detail(response) {
  /** @type {{ detail?: string } | null} */
  const body = await response.json().catch(() => null);
  return body?.detail ?? "";
}
